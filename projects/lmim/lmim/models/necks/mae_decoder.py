"""The decoder of MAE, for any grid of patches."""
from typing import Any

import torch
from mmocr.registry import MODELS
from mmpretrain.models.backbones.vision_transformer import \
    TransformerEncoderLayer
from torch import nn

from .masked_decoder import MaskedDecoder


@MODELS.register_module()
class MAEDecoder(MaskedDecoder):
    """Rebuilds hidden patches from the visible ones alone.

    mmpretrain's ``MAEPretrainDecoder`` is for square images; this one takes
    the grid of a word image, and initialises as MAE does.

    Args:
        in_dims (int): Channels of the encoder's tokens.
        out_dims (int): Channels of the target, 4 * 4 * 3 for the pixels of
            a 4x4 patch.
        embed_dims (int): Channels of the decoder.
        num_layers (int): Number of blocks.
        num_heads (int): Attention heads of a block.
        **kwargs: ``grid``, ``pos_embed``, ``init_cfg`` of
            :class:`MaskedDecoder`.
    """

    def __init__(self,
                 in_dims: int = 384,
                 out_dims: int = 48,
                 embed_dims: int = 512,
                 num_layers: int = 8,
                 num_heads: int = 16,
                 **kwargs: Any) -> None:
        super().__init__(in_dims, embed_dims, out_dims, **kwargs)
        self.decoder_blocks = nn.ModuleList(
            TransformerEncoderLayer(
                embed_dims,
                num_heads,
                4 * embed_dims,
                norm_cfg=dict(type='LN', eps=1e-6))
            for _ in range(num_layers))

    def forward(self, visible: torch.Tensor,
                ids_restore: torch.Tensor) -> torch.Tensor:
        """Predict the target of every patch.

        Args:
            visible (torch.Tensor): [CLS] and visible tokens,
                (N, 1 + K, in_dims).
            ids_restore (torch.Tensor): (N, L).

        Returns:
            torch.Tensor: Prediction, (N, L, out_dims).
        """
        tokens = self.fill_in(visible, ids_restore)
        for block in self.decoder_blocks:
            tokens = block(tokens)
        return self.predict(tokens)
