"""Decoders and projections of pre-training."""
from .glyph_segmentation import GlyphSegmentation
from .linguistics_guided_decoder import LinguisticsGuidedDecoder
from .mae_decoder import MAEDecoder
from .pixel_decoder import PixelDecoder
from .projection import PrototypeProjector, SequenceProjector
from .prompted_decoder import PromptedDecoder
from .prompted_painter import PromptedPainter
from .regions import CharacterRegions
from .sampled_decoder import SampledDecoder
from .text_prompt import TextPromptedDecoder, TextPromptEncoder
from .windows import TokenMLP, WindowProjector

__all__ = [
    'CharacterRegions', 'GlyphSegmentation', 'LinguisticsGuidedDecoder',
    'MAEDecoder', 'PixelDecoder', 'PromptedDecoder', 'PromptedPainter',
    'PrototypeProjector', 'SampledDecoder', 'SequenceProjector',
    'TextPromptEncoder', 'TextPromptedDecoder', 'TokenMLP', 'WindowProjector'
]
