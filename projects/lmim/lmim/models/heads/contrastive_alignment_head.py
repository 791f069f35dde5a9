"""Alignment of the two views of a word by contrast with other words."""
from typing import Any

import torch
from mmocr.registry import MODELS

from ..necks.projection import build_projection
from .alignment_head import AlignmentHead
from .contrastive_head import ContrastiveHead


@MODELS.register_module()
class ContrastiveAlignmentHead(AlignmentHead):
    """InfoNCE: a view's [CLS] is to be told from those of all other words.

    A constant [CLS] costs ``log(2 N - 1)`` for a batch of N. Other pictures
    of the same word, where a batch has any, count as other words.

    Args:
        temperature (float): Of :class:`ContrastiveHead`.
        gather (bool): Whether words of all processes are contrasted.
        projection (str): ``'none'``, ``'linear'`` or ``'mlp'``, of both
            views; discarded after pre-training.
        in_dims (int): Channels of [CLS].
        out_dims (int): Channels after the projection, and within it.
        **kwargs: ``loss_weight`` of :class:`AlignmentHead`.
    """

    def __init__(self,
                 temperature: float = 0.1,
                 gather: bool = True,
                 projection: str = 'none',
                 in_dims: int = 384,
                 out_dims: int = 256,
                 **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if projection != 'none':
            self.in_dims = in_dims
        self.projection = build_projection(projection, in_dims, out_dims,
                                           out_dims)
        self.contrast = ContrastiveHead(temperature, gather)

    def compare(self, cls_masked: torch.Tensor,
                cls_guidance: torch.Tensor) -> torch.Tensor:
        """Contrast the projected [CLS] tokens."""
        return self.contrast.loss(self.projection(cls_masked)[:, None],
                                  self.projection(cls_guidance)[:, None])
