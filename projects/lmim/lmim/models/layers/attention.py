"""Attention, by whichever way is fast where it is computed."""
from typing import Any, Optional

import numpy as np
import torch
from mmpretrain.models.utils.attention import scaled_dot_product_attention

from lmim.ops import is_traced


#: Weights of a head, of 1,024 tokens; a map of more is not written out.
MOST_WEIGHTS = 2**20


def drop_mask(like: torch.Tensor, rate: float) -> torch.Tensor:
    """Draw 0 with probability ``rate`` and 1 otherwise.

    torch draws a mask on the CPU with the Mersenne twister, one element after
    another: 4.3 ns an element, where a matrix product in bfloat16 of the same
    size may take less. Here a generator that is seeded from torch's own draws
    16 bits for each element: 0.7 ns. The rate is kept to 1/65536. The same
    state of torch's generator gives the same mask.

    Args:
        like (torch.Tensor): A tensor on the CPU of the shape and the type
            that the mask is to have.
        rate (float): In [0, 1].
    """
    count = like.numel()
    seed = int(torch.randint(2**62, ()))
    words = np.random.SFC64(seed).random_raw((count + 3) // 4)
    bits = torch.from_numpy(words.view(np.int16))[:count].view(like.shape)
    return torch.ge(bits, round(rate * 2**16) - 2**15,
                    out=torch.empty_like(
                        like, memory_format=torch.contiguous_format))


def attend(query: torch.Tensor,
           keys: torch.Tensor,
           values: torch.Tensor,
           attn_mask: Optional[torch.Tensor] = None,
           dropout_p: float = 0.,
           **kwargs: Any) -> torch.Tensor:
    """softmax(Q K^T / sqrt(d)) V, called as torch's fused attention.

    On a CPU the fused attention of torch 2.13 is slow in bfloat16 and with
    dropout: 257 tokens, 6 heads, batch 16, forward and backward on one core
    with AVX-512 BF16 took 74 ms, and plain matrix products 24 ms (110 and
    46 ms with dropout). In fp32 without dropout it is the faster one, and so
    it is on a GPU. And it is the one whose memory grows with the tokens, not
    with their square: without dropout it is taken for more than 1,024.

    Args:
        query (torch.Tensor): (N, heads, T, d).
        keys (torch.Tensor): (N, heads, S, d).
        values (torch.Tensor): (N, heads, S, d).
        attn_mask (torch.Tensor, optional): Added to the logits,
            broadcastable to (N, heads, T, S).
        dropout_p (float): Dropout of the weights.
        **kwargs: Other options of the fused attention, which is then used.

    Returns:
        torch.Tensor: (N, heads, T, d).
    """
    fused = is_traced() or query.device.type != 'cpu' or (
        not dropout_p and (query.dtype == torch.float32 or query.shape[2] *
                           keys.shape[2] > MOST_WEIGHTS))
    if fused or kwargs:
        return scaled_dot_product_attention(
            query, keys, values, attn_mask=attn_mask, dropout_p=dropout_p,
            **kwargs)
    # Autocast would compute the softmax in fp32, from logits in bfloat16:
    # torch's softmax adds up in fp32 anyway.
    with torch.autocast('cpu', enabled=False):
        logits = (query * query.shape[-1]**-0.5) @ keys.transpose(2, 3)
        if attn_mask is not None:
            logits = logits + attn_mask.to(logits.dtype)
        weights = logits.softmax(dim=-1)
        if dropout_p:
            weights = weights * drop_mask(weights, dropout_p)
            values = values * (1 / (1 - dropout_p))
        return weights @ values
