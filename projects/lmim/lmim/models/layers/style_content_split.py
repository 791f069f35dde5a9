"""What a word looks like and what it says, as halves of channels."""
from typing import Optional, Tuple

import torch
from mmengine.model import BaseModule
from mmocr.registry import MODELS
from mmpretrain.models.backbones.vision_transformer import \
    TransformerEncoderLayer
from torch import nn

from lmim.utils.errors import UserError


@MODELS.register_module()
class StyleContentSplit(BaseModule):
    """One more block of self-attention, whose channels are parted in two.

    After the decoupling block of DARLING (CVPR 2024, arXiv 2405.04377):
    style comes first, and each patch keeps its place in both halves.

    Args:
        in_dims (int): Channels of the encoder, C, even.
        num_heads (int): Attention heads.
        feedforward_channels (int, optional): Defaults to 4 C.
        init_cfg (dict, optional): Initialisation config.

    Raises:
        UserError: If the channels cannot be halved.
    """

    def __init__(self,
                 in_dims: int = 384,
                 num_heads: int = 6,
                 feedforward_channels: Optional[int] = None,
                 init_cfg: Optional[dict] = None) -> None:
        super().__init__(init_cfg)
        if in_dims % 2:
            raise UserError(f'{in_dims} channels cannot be halved into style '
                            'and content')
        self.block = TransformerEncoderLayer(
            in_dims, num_heads, feedforward_channels or 4 * in_dims,
            norm_cfg=dict(type='LN', eps=1e-6))
        self.norm = nn.LayerNorm(in_dims, eps=1e-6)

    def forward(self, patches: torch.Tensor
                ) -> Tuple[torch.Tensor, torch.Tensor]:
        """Part patches (N, L, C) in style and content, (N, L, C / 2) each."""
        style, content = self.norm(self.block(patches)).chunk(2, dim=2)
        return style, content
