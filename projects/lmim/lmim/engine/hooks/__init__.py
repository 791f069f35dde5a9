"""Hooks of the runner."""
from .checkpoint_hook import CheckpointGuardHook, SafeCheckpointHook
from .cpu_kernels_hook import CPUKernelsHook
from .data_check_hook import LabelCheckHook, SampleCountHook
from .early_stopping_hook import CheckedEarlyStoppingHook
from .gradient_reduction_hook import GradientReductionHook
from .log_length_hook import LogLengthHook
from .loss_check_hook import LossCheckHook
from .moving_average_hook import MovingAverageHook
from .prediction_pictures_hook import PredictionPicturesHook
from .pretrain_pictures_hook import PretrainPicturesHook
from .representation_hook import RepresentationHook
from .step_seed_hook import StepSeedHook
from .train_info_hook import TrainInfoHook
from .zero_accuracy_hook import ZeroAccuracyHook

__all__ = [
    'CPUKernelsHook', 'CheckedEarlyStoppingHook', 'CheckpointGuardHook',
    'GradientReductionHook', 'LabelCheckHook', 'LogLengthHook',
    'LossCheckHook', 'MovingAverageHook', 'PredictionPicturesHook',
    'PretrainPicturesHook', 'RepresentationHook', 'SafeCheckpointHook',
    'SampleCountHook', 'StepSeedHook', 'TrainInfoHook', 'ZeroAccuracyHook'
]
