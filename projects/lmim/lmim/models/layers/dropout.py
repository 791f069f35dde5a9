"""Dropout that costs little on a CPU."""
import numpy as np
import torch
from torch import nn

from .tracing import is_traced


class QuickDropout(nn.Dropout):
    """torch's dropout, with another source of random bits on a CPU.

    torch draws a mask on the CPU with the Mersenne twister, one element after
    another: 4.3 ns an element, where a matrix product in bfloat16 of the same
    size may take less. Here a generator that is seeded from torch's own draws
    16 bits for each element (see :func:`drop_mask`): 0.7 ns. Elsewhere than
    on a CPU it is torch's.
    """

    def forward(self, tensor: torch.Tensor) -> torch.Tensor:
        """Drop elements of a tensor of any shape, in training mode."""
        if (not self.training or not self.p or is_traced()
                or tensor.device.type != 'cpu'):
            return super().forward(tensor)
        return drop(tensor, self.p)


def drop(tensor: torch.Tensor, rate: float) -> torch.Tensor:
    """Drop elements of a tensor of any shape and scale what is left."""
    return tensor * drop_mask(tensor, rate) * (1 / (1 - rate))


def drop_mask(like: torch.Tensor, rate: float) -> torch.Tensor:
    """Draw 0 with probability ``rate`` and 1 otherwise.

    The rate is kept to 1/65536. A seed comes from torch's generator, so that
    the same state of it gives the same mask.

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
