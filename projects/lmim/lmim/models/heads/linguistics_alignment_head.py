"""Alignment loss between the two views of a word."""
from typing import Any

import torch
import torch.nn.functional as F
from mmocr.registry import MODELS

from .alignment_head import AlignmentHead
from .contrastive_head import gather


@MODELS.register_module()
class LinguisticsAlignmentHead(AlignmentHead):
    """L_align: mean squared difference of the two views' [CLS] tokens.

    What two different looking pictures of one word share is the word, so
    drawing their [CLS] tokens together makes the encoder read. Gradients
    reach the encoder through both views.

    The same [CLS] for every picture is a minimum too. A variance term
    (VICReg, arXiv 2105.04906, equation 1) takes it away: of each channel,
    what its standard deviation over the batch of all processes lacks to
    ``min_std``, mean over channels, summed over the views.

    Args:
        variance_weight (float): Weight of the variance term beside the
            squared difference; 0 (the paper's) leaves it out.
        min_std (float): Standard deviation from which on a channel costs
            nothing.
        **kwargs: ``loss_weight`` of :class:`AlignmentHead`.
    """

    def __init__(self,
                 variance_weight: float = 0.,
                 min_std: float = 1.,
                 **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.variance_weight = variance_weight
        self.min_std = min_std

    def compare(self, cls_masked: torch.Tensor,
                cls_guidance: torch.Tensor) -> torch.Tensor:
        """Mean squared difference, and the variance term where it counts."""
        loss = F.mse_loss(cls_masked, cls_guidance)
        if self.variance_weight:
            loss = loss + self.variance_weight * (
                self.lacking_std(cls_masked) + self.lacking_std(cls_guidance))
        return loss

    def lacking_std(self, tokens: torch.Tensor) -> torch.Tensor:
        """What channels of (N, C) lack in spread, a scalar."""
        every, _ = gather(tokens)
        std = (every.var(dim=0) + 1e-4).sqrt()
        return F.relu(self.min_std - std).mean()
