"""The decoder of LMIM."""
from typing import Any, Optional

import torch
import torch.nn.functional as F
from mmocr.registry import MODELS
from torch import nn

from lmim.utils.errors import UserError
from ..layers import attend
from .masked_decoder import MaskedDecoder

#: The last is of the decoder of single patches.
ORDERS = ('SA-CA-FFN', 'CA-SA-FFN', 'CA-FFN')


class GuidedDecoderLayer(nn.TransformerDecoderLayer):
    """Post-norm block of self-attention, cross-attention and feed-forward.

    torch's own layer, with the order of its parts as an option (Table 5 of
    the paper's ablations), and without cross-attention where there is nothing
    to attend to.

    Args:
        embed_dims (int): Number of channels, C.
        num_heads (int): Number of attention heads.
        order (str): ``'SA-CA-FFN'`` (the paper's), ``'CA-SA-FFN'``, or
            ``'CA-FFN'`` without self-attention.
        guided (bool): Whether there is a cross-attention.
        **kwargs: As in ``torch.nn.TransformerDecoderLayer``.

    Raises:
        UserError: If ``order`` is unknown.
    """

    def __init__(self, embed_dims: int, num_heads: int, order: str,
                 guided: bool, **kwargs: Any) -> None:
        if order not in ORDERS:
            raise UserError(
                f'block order must be one of {ORDERS}, got {order!r}')
        super().__init__(
            embed_dims, num_heads, batch_first=True, norm_first=False,
            **kwargs)
        self.steps = [step for step in order.split('-')
                      if guided or step != 'CA']
        # Parameters without gradients would stop distributed training.
        if 'SA' not in self.steps:
            del self.self_attn, self.norm1, self.dropout1
        if not guided:
            del self.multihead_attn, self.norm2, self.dropout2

    def forward(  # type: ignore[override]
            self,
            tokens: torch.Tensor,
            guidance: Optional[torch.Tensor] = None) -> torch.Tensor:
        """Refine tokens, x = LN(x + sublayer(x)) for each sub-layer.

        Args:
            tokens (torch.Tensor): Queries, (N, L, C).
            guidance (torch.Tensor, optional): Keys and values of the
                cross-attention, (N, M, C).

        Returns:
            torch.Tensor: Refined tokens, (N, L, C).
        """
        for step in self.steps:
            if step == 'SA':
                update = self._attend(self.self_attn, tokens, tokens)
                tokens = self.norm1(tokens + self.dropout1(update))
            elif step == 'CA':
                assert guidance is not None
                update = self._attend(self.multihead_attn, tokens, guidance)
                tokens = self.norm2(tokens + self.dropout2(update))
            else:
                update = self.linear2(
                    self.dropout(self.activation(self.linear1(tokens))))
                tokens = self.norm3(tokens + self.dropout3(update))
        return tokens

    @staticmethod
    def _attend(attention: nn.MultiheadAttention, query: torch.Tensor,
                memory: torch.Tensor) -> torch.Tensor:
        """Attend from query (N, T, C) to memory (N, S, C)."""
        parts = zip(attention.in_proj_weight.chunk(3),
                    attention.in_proj_bias.chunk(3), (query, memory, memory))
        heads = (attention.num_heads, -1)
        query, keys, values = (
            F.linear(tokens, weight, bias).unflatten(2, heads).transpose(1, 2)
            for weight, bias, tokens in parts)
        update = attend(
            query, keys, values,
            dropout_p=attention.dropout if attention.training else 0.)
        return attention.out_proj(update.transpose(1, 2).flatten(2))


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
