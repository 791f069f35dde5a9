"""Training: hooks, the resumable loop, optimizers and safe files."""
from .fileio import AtomicLocalBackend
from .hooks import (
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
from .resume import find_resumable

__all__ = [
    'AtomicLocalBackend', 'BF16OptimWrapper', 'CheckpointGuardHook',
    'GroupedOptimWrapperConstructor', 'LabelCheckHook', 'LossCheckHook',
    'PretrainPicturesHook', 'ResumableEpochLoop', 'SafeCheckpointHook',
    'SampleCountHook', 'StepSeedHook', 'TrainInfoHook', 'find_resumable'
]
