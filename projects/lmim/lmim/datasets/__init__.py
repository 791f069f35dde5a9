"""Data sets of word images; importing this registers them in MMOCR."""
from .samplers import LeanSampler, RatioSampler
from .rendered_text_dataset import RenderedTextDataset
from .text_image_dataset import TextImageDataset
from .transforms import (DrawPlainGlyphs, ForEachPicture, GlyphMap,
                         GuidanceView, InContextViews, PackPretrainInputs,
                         RegionMap, SetSampleSeed)
from .unreadable import TooManyUnreadableError

__all__ = [
    'DrawPlainGlyphs', 'ForEachPicture', 'GlyphMap', 'GuidanceView',
    'InContextViews', 'LeanSampler', 'PackPretrainInputs', 'RatioSampler',
    'RegionMap', 'RenderedTextDataset', 'SetSampleSeed', 'TextImageDataset',
    'TooManyUnreadableError'
]
