"""Random numbers that depend on the iteration alone."""
import random
from typing import Any

import numpy as np
import torch
from mmengine.hooks.hook import DATA_BATCH, Hook
from mmengine.runner import IterBasedTrainLoop, Runner
from mmocr.registry import HOOKS

from lmim.datasets.transforms.seed import RUN_SEED, mix


@HOOKS.register_module()
class StepSeedHook(Hook):
    """Seed everything random in the model before every iteration.

    The generators are seeded from (seed of the run, process, iteration), so
    that an iteration draws the same numbers whether or not the run was
    interrupted before it, validated before it, or loaded its pictures with
    other workers. What must be equal on all processes, the global mask noise,
    is handed over as a seed: every submodule with a method
    ``seed_masks(seed, rank, world_size)`` gets one of (seed of the run,
    iteration), of which each process takes its own slice.

    Before every epoch :data:`RUN_SEED` gets both, so that the
    augmentation of a picture depends on (seed, epoch, picture).
    """

    # Before the dataloader and the model draw; nothing of MMEngine's draws.
    priority = 'VERY_HIGH'

    def before_train_epoch(self, runner: Runner) -> None:
        """Hand seed and epoch to the pipelines."""
        RUN_SEED.seed = runner.seed
        RUN_SEED.epoch = runner.epoch

    def before_train_iter(self, runner: Runner, batch_idx: int,
                          data_batch: DATA_BATCH = None) -> None:
        """Seed the generators."""
        # The first number keeps the two kinds of seeds apart; torch takes
        # 63 bits of it.
        seed = mix(0, runner.seed, runner.rank, runner.iter) >> 1
        torch.manual_seed(seed)  # the CPU's, and those of the CUDA devices
        np.random.seed(seed % 2**32)
        random.seed(seed)
        mask_seed = mix(1, runner.seed, runner.iter) >> 1
        for module in runner.model.modules():
            if hasattr(module, 'seed_masks'):
                module.seed_masks(mask_seed, runner.rank, runner.world_size)

    def after_train_iter(self, runner: Runner, batch_idx: int,
                         data_batch: DATA_BATCH = None,
                         outputs: Any = None) -> None:
        """Count passes over the data where the loop has but one epoch."""
        if isinstance(runner.train_loop, IterBasedTrainLoop):
            RUN_SEED.epoch = (runner.iter + 1) // len(runner.train_dataloader)
