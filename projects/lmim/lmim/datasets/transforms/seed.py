"""Seed and epoch of the run, and the transform that seeds each sample.

What is drawn for a sample depends on ``(seed, epoch, sample index)`` alone,
and, where an epoch has a record several times, on which time it is. The first
two are facts of the run: they lie in shared memory, so that workers
that outlive an epoch (``persistent_workers=True``), forked or spawned, see
the epoch that the main process is in.
"""
import random
import sys
from typing import Dict, Optional, Tuple

import numpy as np
import torch
from mmcv.transforms import BaseTransform
from mmocr.registry import TRANSFORMS
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


def seed_draws(value: int) -> None:
    """Seed all generators that transforms draw from, by 64 bits."""
    if 'imgaug' in sys.modules:
        # Before NumPy: imgaug's first use in a process draws from it.
        sys.modules['imgaug'].random.seed(value >> 32)
    random.seed(value)
    np.random.seed(value & 0xFFFFFFFF)
    # Not torch.manual_seed: it costs 80 us, and CUDA's are not drawn from.
    torch.default_generator.manual_seed(value >> 1)


class RunSeed:
    """Holds the seed and the epoch of the run; there is one, :data:`RUN_SEED`.

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

    def share(self) -> 'RunSeed':
        """Make the shared memory now, before workers are forked."""
        _ = self.state
        return self

    def __deepcopy__(self, memo: dict) -> 'RunSeed':
        return self

    def __reduce__(self) -> Tuple:
        return _adopt, (self.state, )


RUN_SEED = RunSeed()


class Draw(int):
    """The index of a record that an epoch has drawn before.

    Data sets that hold others compute a record's index in its own set; the
    differences are such indices too.

    Attributes:
        turn (int): How many passes over its part this epoch began before.
    """
    turn: int

    def __new__(cls, index: int, turn: int) -> 'Draw':
        """Make an index that tells which time it is drawn."""
        made = super().__new__(cls, index)
        made.turn = turn
        return made

    def __sub__(self, other: int) -> 'Draw':
        return Draw(int(self) - other, self.turn)

    def __mod__(self, other: int) -> 'Draw':
        return Draw(int(self) % other, self.turn)

    def __reduce__(self) -> Tuple:
        return Draw, (int(self), self.turn)


def _adopt(state: Tensor) -> RunSeed:
    """Unpickle it: a process just spawned takes over the shared memory."""
    if RUN_SEED._state is None:  # else it is the sender, or has it already
        RUN_SEED._state = state.share_memory_()
    return RUN_SEED


@TRANSFORMS.register_module()
class SetSampleSeed(BaseTransform):
    """Seed all that is drawn for a sample from (seed, epoch, sample index).

    A record that a sampler draws again within an epoch (:class:`Draw`) is
    seeded anew, lest a small set is learnt by the same few pictures.

    Put first in a training pipeline, it makes what the transforms draw the
    same for any number of workers, and the same again on resume. It seeds
    ``random``, ``np.random``, torch's CPU generator and, where it is
    imported, imgaug. (imgaug's augmenters in workers that are *spawned* have
    generators of their own, which cannot be reached; fork, the default on
    Linux, is covered.)

    With ``num_workers=0`` this happens in the main process: what a model
    draws must be seeded on its own, as our hook does.

    Required Keys:

    - sample_idx

    Args:
        seed (int, optional): Defaults to None, that of :data:`RUN_SEED`.
    """

    def __init__(self, seed: Optional[int] = None) -> None:
        self.seed = seed
        self.run_seed = RUN_SEED.share()

    def transform(self, results: Dict) -> Dict:
        """Seed the generators; the results are left as they are.

        Raises:
            KeyError: If the dataset gives no ``sample_idx``.
        """
        if 'sample_idx' not in results:
            raise KeyError(
                "SetSampleSeed needs results['sample_idx'], which MMEngine's "
                'and our datasets give; it must be the first transform of a '
                "dataset's own pipeline.")
        seed = self.run_seed.seed if self.seed is None else self.seed
        index = results['sample_idx']
        turn = getattr(index, 'turn', 0)
        value = mix(seed, self.run_seed.epoch, int(index),
                    *([turn] if turn else []))
        seed_draws(value)
        return results

    def __repr__(self) -> str:
        return f'{self.__class__.__name__}(seed={self.seed})'
