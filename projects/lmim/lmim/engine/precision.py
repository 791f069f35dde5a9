"""Which precision to compute in: chosen by what the machine can do.

The only place that decides it: ``tools/train.py``, ``tools/test.py``, reading
words, the quick start and the doctor all ask :func:`choose_precision`.
"""
import logging
import math
import time
from functools import lru_cache
from typing import Dict, List, NamedTuple, Optional

import torch
import torch.nn.functional as F
from mmengine.device import get_device
from mmengine.logging import print_log

from lmim.utils.errors import UserError

#: What a user may ask for; ``'auto'`` is resolved to one of the others.
PRECISIONS = ('auto', 'fp32', 'bf16', 'fp16')
DTYPES: Dict[str, Optional[torch.dtype]] = {
    'fp32': None, 'bf16': torch.bfloat16, 'fp16': torch.float16}
#: How many times as fast as fp32 the product in half precision has to be.
#: The rest of a step (norms, softmax, casts) gains less, or loses.
WORTHWHILE = 1.25
#: Tokens, input and output channels of the timed product: a feed-forward
#: layer of ViT-S over a few images on a CPU, over a batch on a GPU.
SHAPES = {'cpu': (256, 384, 1536), 'cuda': (65536, 384, 1536)}


class Precision(NamedTuple):
    """A precision and why it was chosen."""
    name: str  # 'fp32', 'bf16' or 'fp16'
    reason: str  # one sentence with the measured figures
    slowdown: float = 1.  # time of a matrix product over the time in fp32

    @property
    def dtype(self) -> Optional[torch.dtype]:
        """The dtype of autocast, None without autocast."""
        return DTYPES[self.name]


def choose_precision(name: str = 'auto',
                     device: Optional[str] = None) -> Precision:
    """Resolve the precision that a user asked for.

    ``'auto'`` takes bfloat16 where a matrix product of a training step's size
    is faster in it than in fp32, on a GPU without it float16, else fp32. The
    product is timed once in a process, in about a tenth of a second.

    A precision that is asked for by name is taken, however slow it is (see
    :func:`warning_of`). The device, such as ``'cuda:0'``, is by default the
    one that MMEngine takes.

    Raises:
        UserError: If the name is none of :data:`PRECISIONS`, or the device
            lacks the precision.
    """
    if name not in PRECISIONS:
        raise UserError(f'precision {name!r} is unknown: use one of '
                        f'{", ".join(PRECISIONS)}')
    kind = torch.device(device or get_device()).type
    if name == 'fp16' and kind == 'cpu':
        raise UserError('fp16 is for GPUs: on a CPU use bf16, fp32 or auto')
    if name == 'fp32' or (name == 'auto' and kind not in SHAPES):
        return Precision('fp32', f'fp32 on {kind}')
    if name != 'auto':
        slowdown = (_slowdown(kind, DTYPES[name]) if kind in SHAPES
                    else math.inf)
        if slowdown == math.inf:
            raise UserError(f'{kind} has no matrix product in {name} here: '
                            'use fp32 or auto')
        return Precision(name, _figures(kind, name), slowdown)
    candidates = ['bf16'] if kind == 'cpu' else ['bf16', 'fp16']
    if kind == 'cuda' and torch.cuda.get_device_capability()[0] < 8:
        candidates.remove('bf16')  # emulated on these
    for half in candidates:
        slowdown = _slowdown(kind, DTYPES[half])
        if slowdown <= 1 / WORTHWHILE:
            return Precision(half, _figures(kind, half), slowdown)
    return Precision('fp32', _figures(kind, candidates[0]))


def warning_of(precision: Precision) -> Optional[str]:
    """What to warn of where a precision slows the machine down, or None."""
    if precision.slowdown <= 1:
        return None
    return (f'{precision.name} takes {precision.slowdown:.1f} times as long '
            f'as fp32 on this machine ({precision.reason}). Use --precision '
            'auto, or fp32.')


def warn_if_slower(precision: Precision) -> None:
    """Log :func:`warning_of` a precision, if there is one."""
    warning = warning_of(precision)
    if warning is not None:
        print_log(warning, 'current', logging.WARNING)


@lru_cache(maxsize=None)
def product_seconds(kind: str, dtype: torch.dtype) -> float:
    """Time a linear layer over the tokens of a training step, in seconds.

    It is the best of three after a first call, on ``'cpu'`` or ``'cuda'``;
    infinite where the product fails.
    """
    tokens, channels, outputs = SHAPES[kind]
    generator = torch.Generator().manual_seed(0)
    inputs = torch.randn(tokens, channels, generator=generator)
    weight = torch.randn(outputs, channels, generator=generator)
    inputs, weight = inputs.to(kind, dtype), weight.to(kind, dtype)
    taken: List[float] = []
    with torch.inference_mode(), torch.autocast(kind, enabled=False):
        try:
            # A first call prepares kernels. One of 0.2 s is slow enough to
            # need no other.
            while len(taken) < 4 and max(taken, default=0.) < 0.2:
                start = time.perf_counter()
                F.linear(inputs, weight)
                if kind == 'cuda':
                    torch.cuda.synchronize()
                taken.append(time.perf_counter() - start)
        except RuntimeError:  # the device has no such product
            return math.inf
    return min(taken[1:] or taken)


def _slowdown(kind: str, dtype: Optional[torch.dtype]) -> float:
    assert dtype is not None
    return product_seconds(kind, dtype) / product_seconds(kind, torch.float32)


def _figures(kind: str, half: str) -> str:
    """The measured rates, such as 'cpu: fp32 71, bf16 9 GFLOP/s'."""
    tokens, channels, outputs = SHAPES[kind]
    gflop = 2e-9 * tokens * channels * outputs
    rates = [f'{name} {gflop / product_seconds(kind, dtype):,.0f}'
             for name, dtype in (('fp32', torch.float32),
                                 (half, DTYPES[half]))
             if dtype is not None]
    return f'matrix product on {kind}: {", ".join(rates)} GFLOP/s'
