"""Losses of pre-training."""
from .linguistics_alignment_head import LinguisticsAlignmentHead
from .reconstruction_head import ReconstructionHead

__all__ = ['LinguisticsAlignmentHead', 'ReconstructionHead']
