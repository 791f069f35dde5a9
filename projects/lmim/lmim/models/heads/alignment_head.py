"""What the alignments of the two views of a word share."""
from typing import Optional

import torch
from mmengine.model import BaseModule


class AlignmentHead(BaseModule):
    """Draws the [CLS] tokens of masked image and guidance view together.

    Args:
        loss_weight (float): Weight of this loss in the sum.
    """

    #: Config of the moving average of the encoder that the guidance view's
    #: [CLS] is to come from, None where the encoder itself gives it.
    ema: Optional[dict] = None

    def __init__(self, loss_weight: float = 1.0) -> None:
        super().__init__()
        self.loss_weight = loss_weight

    def compare(self, cls_masked: torch.Tensor,
                cls_guidance: torch.Tensor) -> torch.Tensor:
        """Compute the loss of N pairs of [CLS] tokens, each (N, C)."""
        raise NotImplementedError

    def loss(self, cls_masked: torch.Tensor,
             cls_guidance: torch.Tensor) -> torch.Tensor:
        """Compare the [CLS] tokens of masked image and guidance view.

        Args:
            cls_masked (torch.Tensor): Of M masks of each image, the first
                mask of all images first, (M N, C).
            cls_guidance (torch.Tensor): (N, C).

        Returns:
            torch.Tensor: Scalar, the mean over the masks.
        """
        losses = [self.compare(one_mask.float(), cls_guidance.float())
                  for one_mask in cls_masked.split(len(cls_guidance))]
        return self.loss_weight * torch.stack(losses).mean()
