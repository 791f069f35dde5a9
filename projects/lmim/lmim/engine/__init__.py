"""Training: hooks, the resumable loop, optimizers, and the launch of a run."""
from .hooks import (
    CPUKernelsHook,
    CheckpointGuardHook,
    LabelCheckHook,
    LossCheckHook,
    PretrainPicturesHook,
    SafeCheckpointHook,
    SampleCountHook,
    StepSeedHook,
    TrainInfoHook,
)
from .loops import ResumableEpochLoop
from .optim import BF16OptimWrapper, GroupedOptimWrapperConstructor

__all__ = [
    'BF16OptimWrapper', 'CPUKernelsHook', 'CheckpointGuardHook',
    'GroupedOptimWrapperConstructor', 'LabelCheckHook', 'LossCheckHook',
    'PretrainPicturesHook', 'ResumableEpochLoop', 'SafeCheckpointHook',
    'SampleCountHook', 'StepSeedHook', 'TrainInfoHook'
]
