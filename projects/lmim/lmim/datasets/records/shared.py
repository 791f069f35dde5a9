"""Tables that all processes share."""
from typing import Sequence

import numpy as np
import torch
from torch import Tensor

from .log import tell


def share(array: np.ndarray) -> Tensor:
    """Copy an array into shared memory.

    A worker, forked or spawned, then has no copy of its own. Of a million
    names of 35 bytes a spawned worker would else hold 41 MB (measured).

    Args:
        array (np.ndarray): Any shape (...), uint8 or int64.

    Returns:
        Tensor: The same, of the same shape. Where there is too little shared
        memory it is an ordinary tensor, and the log says so.
    """
    tensor = torch.empty(
        array.shape, dtype=getattr(torch, array.dtype.name))
    try:
        if array.size:
            tensor.share_memory_()
    except RuntimeError as error:  # a container with a small /dev/shm
        tell(f'{array.nbytes / 2**20:.0f} MB do not fit into shared memory: '
             'each spawned worker keeps a copy of them. Give the container '
             f'more (docker run --shm-size). {error}')
    tensor.numpy()[...] = array
    return tensor


class ByteStrings:
    """Many byte strings as two arrays, without an object for each.

    Args:
        values (Sequence[bytes]): The strings.
    """

    def __init__(self, values: Sequence[bytes]) -> None:
        ends = np.cumsum([0, *map(len, values)], dtype=np.int64)
        self._ends = share(ends)
        self._data = share(np.frombuffer(b''.join(values), np.uint8))

    def __len__(self) -> int:
        return len(self._ends) - 1

    def __getitem__(self, index: int) -> bytes:
        begin, end = self._ends.numpy()[index:index + 2]
        return self._data.numpy()[begin:end].tobytes()
