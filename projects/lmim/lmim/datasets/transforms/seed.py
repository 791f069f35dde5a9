"""The first transform of a training pipeline."""
import random
import sys
from typing import Dict, Optional

import numpy as np
import torch
from mmcv.transforms import BaseTransform

from mmocr.registry import TRANSFORMS

from ..clock import CLOCK, mix


@TRANSFORMS.register_module()
class SetSampleSeed(BaseTransform):
    """Seed all that is drawn for a sample from (seed, epoch, sample index).

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
        seed (int, optional): Defaults to None, the seed of the run as given
            to :meth:`set_seed`, or 0.
    """

    def __init__(self, seed: Optional[int] = None) -> None:
        self.seed = seed
        self.clock = CLOCK.share()

    @staticmethod
    def set_epoch(epoch: int) -> None:
        """Tell all workers the epoch; call it before the epoch's first batch.

        Args:
            epoch (int): From 0.
        """
        CLOCK.epoch = epoch

    @staticmethod
    def get_epoch() -> int:
        """The epoch, in the main process or in a worker."""
        return CLOCK.epoch

    @staticmethod
    def set_seed(seed: int) -> None:
        """Tell all workers the seed of the run."""
        CLOCK.seed = seed

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
        seed = self.clock.seed if self.seed is None else self.seed
        value = mix(seed, self.clock.epoch, results['sample_idx'])
        if 'imgaug' in sys.modules:
            # Before NumPy: imgaug's first use in a process draws from it.
            sys.modules['imgaug'].random.seed(value >> 32)
        random.seed(value)
        np.random.seed(value & 0xFFFFFFFF)
        # Not torch.manual_seed: it costs 80 us, and CUDA's are not drawn from.
        torch.default_generator.manual_seed(value >> 1)
        return results

    def __repr__(self) -> str:
        return f'{self.__class__.__name__}(seed={self.seed})'
