"""A decoder block that can remember what it has already computed."""
from typing import List, NamedTuple, Optional

import torch
from mmocr.models.common.layers import TFDecoderLayer
from mmocr.models.common.modules import MultiHeadAttention

from ..layers import attend


class KeysValues(NamedTuple):
    """Keys and values of an attention, each (N, heads, length, dims)."""
    keys: torch.Tensor
    values: torch.Tensor

    def followed_by(self, other: 'KeysValues') -> 'KeysValues':
        """Join along the sequence."""
        return KeysValues(*(torch.cat(pair, dim=2)
                            for pair in zip(self, other)))

    def rows(self, rows: torch.Tensor) -> 'KeysValues':
        """Those of some items of the batch, by their numbers (N', )."""
        return KeysValues(self.keys[rows], self.values[rows])


class LMIMDecoderLayer(TFDecoderLayer):
    """MMOCR's pre-norm decoder layer with fused attention and a cache.

    The layer takes keys and values instead of sequences, so that those of the
    picture are computed once a word and those of earlier characters once a
    character. The weights and the result are those of ``TFDecoderLayer``.
    """

    def memorize(self, memory: torch.Tensor) -> KeysValues:
        """Compute keys and values of the encoder's output (N, M, D)."""
        found = self._keys_values(self.enc_attn, memory)
        # They are read at every step of a word: in order, once for all.
        return KeysValues(found.keys.contiguous(), found.values.contiguous())

    def forward(self,
                tokens: torch.Tensor,
                memory: KeysValues,
                mask: Optional[torch.Tensor] = None,
                past: Optional[List[KeysValues]] = None,
                context: Optional[torch.Tensor] = None) -> torch.Tensor:
        """Decode some tokens.

        Args:
            tokens (torch.Tensor): (N, T, D).
            memory (KeysValues): What :meth:`memorize` gave.
            mask (torch.Tensor, optional): Added to the logits of
                self-attention, (N, 1, T, K), where K is the number of keys:
                T, or S with ``context``.
            past (List[KeysValues], optional): Keys and values of earlier
                tokens, at most one item; replaced by those up to now.
            context (torch.Tensor, optional): (N, S, D), which the tokens
                attend to in place of themselves.

        Returns:
            torch.Tensor: (N, T, D).
        """
        normed = self.norm1(tokens)
        own = self._keys_values(
            self.self_attn, normed if context is None else self.norm1(context))
        if past is not None:
            own = past.pop().followed_by(own) if past else own
            past.append(own)
        tokens = tokens + self._attend(self.self_attn, normed, own, mask)
        tokens = tokens + self._attend(self.enc_attn, self.norm2(tokens),
                                       memory)
        return tokens + self.mlp(self.norm3(tokens))

    @staticmethod
    def _keys_values(attention: MultiHeadAttention,
                     tokens: torch.Tensor) -> KeysValues:
        heads = (attention.n_head, -1)
        return KeysValues(
            attention.linear_k(tokens).unflatten(2, heads).transpose(1, 2),
            attention.linear_v(tokens).unflatten(2, heads).transpose(1, 2))

    @staticmethod
    def _attend(attention: MultiHeadAttention,
                tokens: torch.Tensor,
                context: KeysValues,
                mask: Optional[torch.Tensor] = None) -> torch.Tensor:
        query = attention.linear_q(tokens)
        query = query.unflatten(2, (attention.n_head, -1)).transpose(1, 2)
        dropout = attention.attention.dropout
        update = attend(
            query,
            *context,
            attn_mask=mask,
            dropout_p=dropout.p if dropout.training else 0.)
        update = update.transpose(1, 2).flatten(2)
        return attention.proj_drop(attention.fc(update))
