"""What a decoder that writes words attends to, while it is run."""
from contextlib import contextmanager
from typing import Callable, Iterator, List

import torch

from .transformer_decoder import TextTransformerDecoder


@contextmanager
def watched_attention(decoder: TextTransformerDecoder, memory: torch.Tensor
                      ) -> Iterator[Callable[[], torch.Tensor]]:
    """Watch the cross-attention of the last block.

    Fused attention returns no weights: they are computed once more, of what
    went into it, with gradients where these are enabled.

    Args:
        decoder (TextTransformerDecoder): The decoder.
        memory (torch.Tensor): The encoder's output, (N, M, D).

    Yields:
        Callable: Gives the weights, (N, heads, T, M), once the decoder has
        run; its last pass counts.
    """
    layer = decoder.layers[-1]
    normed: List[torch.Tensor] = []
    refined: List[torch.Tensor] = []

    def weights() -> torch.Tensor:
        if refined:
            return refined[-1]
        queries, keys = [
            projected.float().unflatten(
                2, (layer.enc_attn.n_head, -1)).transpose(1, 2)
            for projected in (layer.enc_attn.linear_q(normed[-1]),
                              layer.enc_attn.linear_k(memory))]
        return attention_weights(queries, keys)

    handles = [
        layer.norm2.register_forward_hook(
            lambda module, inputs, output: normed.append(output)),
        # Refined weights pass it, and no others do.
        layer.enc_attn.attention.dropout.register_forward_pre_hook(
            lambda module, inputs: refined.append(inputs[0]))]
    try:
        yield weights
    finally:
        for handle in handles:
            handle.remove()


def attention_weights(queries: torch.Tensor,
                      keys: torch.Tensor) -> torch.Tensor:
    """Weights (N, heads, T, S) of queries (N, heads, T, D) on S keys."""
    scores = queries @ keys.transpose(2, 3) * queries.shape[-1]**-0.5
    return scores.softmax(dim=-1)
