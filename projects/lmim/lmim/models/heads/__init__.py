"""Losses of pre-training."""
from .alignment_head import AlignmentHead
from .contrastive_alignment_head import ContrastiveAlignmentHead
from .contrastive_head import ContrastiveHead
from .dense_head import DenseHead
from .destylization_heads import (DestylizationHead, ImageTextContrastiveHead,
                                  OCRPerceptualHead)
from .distillation_head import DistillationHead
from .grouping_head import HierarchicalGroupingHead, Level
from .linguistics_alignment_head import LinguisticsAlignmentHead
from .momentum_contrast_head import MomentumContrastHead
from .predictor_alignment_head import PredictorAlignmentHead
from .reconstruction_head import ReconstructionHead, SmoothL1ReconstructionLoss

__all__ = [
    'AlignmentHead', 'ContrastiveAlignmentHead', 'ContrastiveHead',
    'DenseHead', 'DestylizationHead', 'DistillationHead',
    'HierarchicalGroupingHead', 'ImageTextContrastiveHead', 'Level',
    'LinguisticsAlignmentHead', 'MomentumContrastHead', 'OCRPerceptualHead',
    'PredictorAlignmentHead', 'ReconstructionHead',
    'SmoothL1ReconstructionLoss'
]
