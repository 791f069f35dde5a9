"""Decoders and projections of pre-training."""
from .linguistics_guided_decoder import LinguisticsGuidedDecoder
from .mae_decoder import MAEDecoder
from .pixel_decoder import PixelDecoder
from .projection import SequenceProjector
from .prompted_decoder import PromptedDecoder
from .windows import TokenMLP, WindowProjector

__all__ = [
    'LinguisticsGuidedDecoder', 'MAEDecoder', 'PixelDecoder',
    'PromptedDecoder', 'SequenceProjector', 'TokenMLP', 'WindowProjector'
]
