"""The decoder of LMIM."""
from typing import Any, Optional

import torch
from mmocr.registry import MODELS
from torch import nn

from .decoder_layer import GuidedDecoderLayer
from .masked_decoder import MaskedDecoder


@MODELS.register_module()
class LinguisticsGuidedDecoder(MaskedDecoder):
    """Rebuilds hidden patches with the help of another view of the word.

    Queries come from the masked image, keys and values from the guidance
    view. Both views are embedded by linear layers of their own; the guidance
    tokens carry no further positions (paper, linguistics-guided
    reconstruction; two blocks of 512 channels).

    Args:
        in_dims (int): Channels of the encoder's tokens.
        out_dims (int): Channels of the target.
        embed_dims (int): Channels of the decoder, C.
        num_layers (int): Number of blocks.
        num_heads (int): Attention heads of a block.
        feedforward_channels (int): Hidden channels of a block's feed-forward
            part.
        drop_rate (float): Dropout of a block.
        order (str): ``'SA-CA-FFN'`` or ``'CA-SA-FFN'``.
        guided (bool): False leaves out everything that concerns guidance.
        **kwargs: ``grid``, ``pos_embed``, ``init_cfg`` of
            :class:`MaskedDecoder`.
    """

    def __init__(self,
                 in_dims: int = 384,
                 out_dims: int = 384,
                 embed_dims: int = 512,
                 num_layers: int = 2,
                 num_heads: int = 16,
                 feedforward_channels: int = 2048,
                 drop_rate: float = 0.1,
                 order: str = 'SA-CA-FFN',
                 guided: bool = True,
                 **kwargs: Any) -> None:
        super().__init__(in_dims, embed_dims, out_dims, **kwargs)
        if guided:
            self.decoder_embed2 = nn.Linear(in_dims, embed_dims)
        self.decoder_blocks = nn.ModuleList(
            GuidedDecoderLayer(
                embed_dims,
                num_heads,
                order,
                guided,
                dim_feedforward=feedforward_channels,
                dropout=drop_rate,
                activation='gelu',
                layer_norm_eps=1e-6) for _ in range(num_layers))
        self.guided = guided

    def forward(self,
                visible: torch.Tensor,
                ids_restore: torch.Tensor,
                guidance: Optional[torch.Tensor] = None) -> torch.Tensor:
        """Predict the target of every patch.

        Args:
            visible (torch.Tensor): [CLS] and visible tokens of the masked
                image, (N, 1 + K, in_dims).
            ids_restore (torch.Tensor): (N, L).
            guidance (torch.Tensor, optional): [CLS] and all tokens of the
                guidance view, (N, 1 + L, in_dims).

        Returns:
            torch.Tensor: Prediction, (N, L, out_dims).
        """
        tokens = self.fill_in(visible, ids_restore)
        memory = self.decoder_embed2(guidance) if self.guided else None
        for block in self.decoder_blocks:
            tokens = block(tokens, memory)
        return self.predict(tokens)
