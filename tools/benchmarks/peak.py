"""The fastest matrix product of this machine."""
import time
from typing import Dict, Iterable

import torch

DTYPES = {'fp32': torch.float32, 'bf16': torch.bfloat16,
          'fp16': torch.float16}
#: Large enough that no product of a ViT goes faster, by a wide margin.
SIZES = {'cpu': (1024, 2048), 'cuda': (4096, 8192)}


def matrix_peaks(device: str, precisions: Iterable[str], repeats: int = 5,
                 sizes: Iterable[int] = ()) -> Dict[str, float]:
    """TFLOP/s of square matrix products, the best of all sizes and repeats.

    fp32 is full fp32, without TensorFloat-32, unless torch was told to.

    Args:
        device (str): 'cpu' or 'cuda'.
        precisions (Iterable[str]): Keys of :data:`DTYPES`.
        repeats (int): Measurements of each size, after one to warm up.
        sizes (Iterable[int]): Rows of the matrices; defaults to
            :data:`SIZES`.
    """
    return {
        precision: max(
            _product_rate(device, DTYPES[precision], size, repeats)
            for size in (tuple(sizes) or SIZES[device])) / 1e12
        for precision in precisions
    }


def _product_rate(device: str, dtype: torch.dtype, size: int,
                  repeats: int) -> float:
    """FLOP/s of products of (size, size) matrices."""
    one = torch.randn(size, size, device=device).to(dtype)
    two = torch.randn(size, size, device=device).to(dtype)
    best = float('inf')
    for repeat in range(repeats + 1):
        wait(device)
        start = time.perf_counter()
        torch.mm(one, two)
        wait(device)
        if repeat:
            best = min(best, time.perf_counter() - start)
    return 2 * size**3 / best


def wait(device: str) -> None:
    """Until a GPU has done all that it was told."""
    if device.startswith('cuda'):
        torch.cuda.synchronize()
