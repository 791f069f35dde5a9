"""Hooks of the runner."""
from .checkpoint_guard_hook import CheckpointGuardHook
from .label_check_hook import LabelCheckHook
from .loss_check_hook import LossCheckHook
from .pretrain_pictures_hook import PretrainPicturesHook
from .safe_checkpoint_hook import SafeCheckpointHook
from .sample_count_hook import SampleCountHook
from .step_seed_hook import StepSeedHook
from .train_info_hook import TrainInfoHook

__all__ = [
    'CheckpointGuardHook', 'LabelCheckHook', 'LossCheckHook',
    'PretrainPicturesHook', 'SafeCheckpointHook', 'SampleCountHook',
    'StepSeedHook', 'TrainInfoHook'
]
