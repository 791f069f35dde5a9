"""A decoder of single tokens."""
from typing import Optional, Union

import torch
from mmengine.model import BaseModule
from mmocr.registry import MODELS
from torch import nn

from ..layers import init_transformer


@MODELS.register_module()
class PixelDecoder(BaseModule):
    """DiG's decoder: two linear layers, layer norm, GELU, and to pixels.

    Each token by itself: what is to be rebuilt, the encoder has to know.

    Args:
        in_dims (int): Channels of the encoder's tokens.
        embed_dims (int): Channels of the decoder.
        out_dims (int): Channels of the target.
        init_cfg (dict, optional): Initialisation config.
    """

    def __init__(self,
                 in_dims: int = 384,
                 embed_dims: int = 192,
                 out_dims: int = 48,
                 init_cfg: Optional[Union[dict, list]] = None) -> None:
        super().__init__(init_cfg)
        self.out_dims = out_dims
        self.layers = nn.Sequential(
            nn.Linear(in_dims, embed_dims, bias=False),
            nn.Linear(embed_dims, embed_dims, bias=False),
            nn.LayerNorm(embed_dims, eps=1e-6), nn.GELU(),
            nn.Linear(embed_dims, out_dims))

    def init_weights(self) -> None:
        """Xavier-uniform linear layers."""
        super().init_weights()
        init_transformer(self)

    def forward(self, patches: torch.Tensor) -> torch.Tensor:
        """Predict the target of patches, (N, L, in_dims) to out_dims."""
        return self.layers(patches)
