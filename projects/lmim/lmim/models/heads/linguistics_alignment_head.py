"""Alignment loss between the two views of a word."""
import torch
import torch.nn.functional as F
from mmengine.model import BaseModule
from mmocr.registry import MODELS


@MODELS.register_module()
class LinguisticsAlignmentHead(BaseModule):
    """L_align: mean squared difference of the two views' [CLS] tokens.

    What two different looking pictures of one word share is the word, so
    drawing their [CLS] tokens together makes the encoder read. Gradients
    reach the encoder through both views.

    Args:
        loss_weight (float): Weight of this loss in the sum.
    """

    def __init__(self, loss_weight: float = 1.0) -> None:
        super().__init__()
        self.loss_weight = loss_weight

    def loss(self, cls_masked: torch.Tensor,
             cls_guidance: torch.Tensor) -> torch.Tensor:
        """Compare the [CLS] tokens of masked image and guidance view.

        Args:
            cls_masked (torch.Tensor): (N, C).
            cls_guidance (torch.Tensor): (N, C).

        Returns:
            torch.Tensor: Scalar, mean over batch and channels.
        """
        loss = F.mse_loss(cls_masked.float(), cls_guidance.float())
        return self.loss_weight * loss
