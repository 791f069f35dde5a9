"""What stands between the ViT and the text decoder."""
from typing import Optional, Sequence

import torch
from mmocr.models.textrecog.encoders import BaseEncoder
from mmocr.registry import MODELS
from mmocr.structures import TextRecogDataSample
from torch import nn

from ..layers import init_transformer


@MODELS.register_module()
class LinearEncoder(BaseEncoder):
    """Brings the ViT's tokens to the width of the decoder.

    Args:
        in_dims (int): Channels of the ViT.
        embed_dims (int): Channels of the decoder, D.
        hidden_dims (int, optional): Two linear layers with GELU between, of
            so many channels, in place of one: CCD's.
        norm (bool): Whether a layer norm follows. CCD has none.
        init_cfg (dict, optional): Initialisation config.
    """

    def __init__(self,
                 in_dims: int = 384,
                 embed_dims: int = 512,
                 hidden_dims: Optional[int] = None,
                 norm: bool = True,
                 init_cfg: Optional[dict] = None) -> None:
        super().__init__(init_cfg)
        self.projection: nn.Module = nn.Linear(
            hidden_dims or in_dims, embed_dims)
        if hidden_dims is not None:
            self.projection = nn.Sequential(
                nn.Linear(in_dims, hidden_dims), nn.GELU(), self.projection)
        self.norm = nn.LayerNorm(embed_dims) if norm else nn.Identity()

    def init_weights(self) -> None:
        """Xavier-uniform, as MAE's linear layers."""
        super().init_weights()
        init_transformer(self)

    def forward(
        self,
        feat: torch.Tensor,
        data_samples: Optional[Sequence[TextRecogDataSample]] = None
    ) -> torch.Tensor:
        """Project tokens.

        Args:
            feat (torch.Tensor): All tokens of the ViT, (N, 1 + L, C).
            data_samples (Sequence[TextRecogDataSample], optional): Not used.

        Returns:
            torch.Tensor: The decoder's memory, (N, 1 + L, D).
        """
        return self.norm(self.projection(feat))
