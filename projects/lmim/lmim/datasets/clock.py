"""Seed and epoch of the run, seen alike by the main process and all workers.

What is drawn for a sample depends on ``(seed, epoch, sample index)`` alone.
The first two are facts of the run: they lie in shared memory, so that workers
that outlive an epoch (``persistent_workers=True``), forked or spawned, see
the epoch that the main process is in.
"""
from typing import Optional, Tuple

import torch
from torch import Tensor

_MASK = (1 << 64) - 1
_EPOCH, _SEED = 0, 1


def mix(*values: int) -> int:
    """Hash integers to 64 well-mixed bits, in about a microsecond.

    Each value passes through the finaliser of SplitMix64 (Steele, Lea and
    Flood, OOPSLA 2014), so that neighbouring seeds, epochs and indices give
    unrelated numbers.

    Args:
        values (int): Any integers; their order matters.

    Returns:
        int: In ``[0, 2 ** 64)``.
    """
    state = 0
    for value in values:
        state = ((state ^ (value & _MASK)) + 0x9E3779B97F4A7C15) & _MASK
        state = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
        state = ((state ^ (state >> 27)) * 0x94D049BB133111EB) & _MASK
        state ^= state >> 31
    return state


class RunClock:
    """Holds the seed and the epoch; there is one, :data:`CLOCK`.

    A dataset or transform that reads it keeps a reference to it: that is how
    the shared memory travels to a spawned worker, which has a fresh copy of
    this module. A forked worker inherits it.
    """

    def __init__(self) -> None:
        self._state: Optional[Tensor] = None

    @property
    def state(self) -> Tensor:
        """Tensor: Epoch and seed, shape (2,), int64, in shared memory."""
        if self._state is None:
            self._state = torch.zeros(2, dtype=torch.int64).share_memory_()
        return self._state

    @property
    def epoch(self) -> int:
        """int: The epoch, from 0."""
        return int(self.state[_EPOCH])

    @epoch.setter
    def epoch(self, value: int) -> None:
        self.state[_EPOCH] = value

    @property
    def seed(self) -> int:
        """int: The seed of the run, 0 unless set."""
        return int(self.state[_SEED])

    @seed.setter
    def seed(self, value: int) -> None:
        self.state[_SEED] = value

    def share(self) -> 'RunClock':
        """Make the shared memory now, before workers are forked."""
        _ = self.state
        return self

    def __deepcopy__(self, memo: dict) -> 'RunClock':
        return self

    def __reduce__(self) -> Tuple:
        return _adopt, (self.state, )


CLOCK = RunClock()


def _adopt(state: Tensor) -> RunClock:
    """Unpickle the clock: a process just spawned takes over its memory.

    Where the clock runs already nothing changes, be it the process that sent
    it or a worker that meets it a second time.
    """
    if CLOCK._state is None:
        CLOCK._state = state.share_memory_()
    return CLOCK
