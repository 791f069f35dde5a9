"""Transforms: seeding, views, regions of text, packing."""
from .draw_plain_glyphs import DrawPlainGlyphs
from .glyph_map import GlyphMap
from .guidance_plan import GuidancePlan
from .guidance_view import GuidanceView
from .in_context import InContextViews
from .packing import PackPretrainInputs
from .region_map import RegionMap
from .seed import SetSampleSeed
from .views import ForEachPicture, SeveralViews, collate_views, stack_views

__all__ = [
    'DrawPlainGlyphs', 'ForEachPicture', 'GlyphMap', 'GuidancePlan',
    'GuidanceView', 'InContextViews', 'PackPretrainInputs', 'RegionMap',
    'SetSampleSeed', 'SeveralViews', 'collate_views', 'stack_views'
]
