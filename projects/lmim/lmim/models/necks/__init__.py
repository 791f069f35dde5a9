"""Decoders and projections of pre-training."""
from .linguistics_guided_decoder import LinguisticsGuidedDecoder
from .mae_decoder import MAEDecoder
from .projection import SequenceProjector

__all__ = ['LinguisticsGuidedDecoder', 'MAEDecoder', 'SequenceProjector']
