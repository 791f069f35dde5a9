"""Alignment of a masked word with a moving average's view of it."""
from typing import Any

import torch
import torch.nn.functional as F
from mmocr.registry import MODELS

from ..necks.projection import build_projection
from .alignment_head import AlignmentHead


@MODELS.register_module()
class PredictorAlignmentHead(AlignmentHead):
    """Predict the [CLS] that the encoder's moving average has of the view.

    As in BYOL (arXiv 2006.07733, equation 2): ``2 - 2 cos(q(masked),
    guidance)``, with a predictor q on the masked side alone and gradients
    through it alone. No words are compared with others; what keeps [CLS]
    from becoming constant is that the two sides differ.

    Args:
        in_dims (int): Channels of [CLS].
        hidden_dims (int): Channels between the predictor's two layers.
        **kwargs: ``loss_weight`` of :class:`AlignmentHead`.
    """

    ema = dict(type='mmpretrain.CosineEMA', momentum=0.004)

    def __init__(self,
                 in_dims: int = 384,
                 hidden_dims: int = 1024,
                 **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.in_dims = in_dims
        self.predictor = build_projection('mlp', in_dims, hidden_dims,
                                          in_dims)

    def compare(self, cls_masked: torch.Tensor,
                cls_guidance: torch.Tensor) -> torch.Tensor:
        """Twice the cosine distance, mean over the batch."""
        predicted = self.predictor(cls_masked).float()
        return (2 - 2 * F.cosine_similarity(
            predicted, cls_guidance.detach(), dim=1)).mean()
