"""Losses of pre-training."""
from .contrastive_head import ContrastiveHead
from .linguistics_alignment_head import LinguisticsAlignmentHead
from .reconstruction_head import ReconstructionHead

__all__ = [
    'ContrastiveHead', 'LinguisticsAlignmentHead', 'ReconstructionHead'
]
