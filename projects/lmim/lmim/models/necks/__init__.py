"""Decoders of pre-training."""
from .linguistics_guided_decoder import LinguisticsGuidedDecoder
from .mae_decoder import MAEDecoder

__all__ = ['LinguisticsGuidedDecoder', 'MAEDecoder']
