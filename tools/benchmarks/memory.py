"""The most memory that some work took."""
import ctypes
import os
import re
from pathlib import Path
from types import TracebackType
from typing import Optional, Type

import torch

MB = 2**20
_STATUS = Path('/proc/self/status')
_RESET = Path('/proc/self/clear_refs')


class PeakMemory:
    """Measures the largest memory within a ``with``.

    On a GPU what torch allocated there; else what is resident of the process
    (Linux), with all that it held before, the other side's weights included.

    Args:
        device (str): 'cpu', 'cuda' or another of torch's.

    Attributes:
        megabytes (float, optional): Known afterwards; None where the system
            does not tell.
    """

    def __init__(self, device: str = 'cpu') -> None:
        self.on_gpu = device.startswith('cuda')
        self.megabytes: Optional[float] = None

    def __enter__(self) -> 'PeakMemory':
        if self.on_gpu:
            torch.cuda.reset_peak_memory_stats()
        elif os.access(_RESET, os.W_OK):
            _give_back()
            # The peak is that of now (proc(5), since Linux 4.0).
            _RESET.write_text('5')
        return self

    def __exit__(self, kind: Optional[Type[BaseException]],
                 error: Optional[BaseException],
                 trace: Optional[TracebackType]) -> None:
        if self.on_gpu:
            self.megabytes = torch.cuda.max_memory_allocated() / MB
        elif os.access(_RESET, os.W_OK):
            found = re.search(r'VmHWM:\s+(\d+) kB', _STATUS.read_text())
            if found:
                self.megabytes = int(found.group(1)) * 1024 / MB


def _give_back() -> None:
    """Let go of what the other side has freed and the heap has kept."""
    trim = getattr(ctypes.CDLL(None), 'malloc_trim', None)  # glibc's alone
    if trim is not None:
        trim(0)
