"""Transforms: seeding, the guidance view, several views, packing."""
from .guidance_view import GuidanceView
from .packing import PackPretrainInputs
from .seed import SetSampleSeed
from .views import SeveralViews, collate_views, stack_views

__all__ = [
    'GuidanceView', 'PackPretrainInputs', 'SetSampleSeed', 'SeveralViews',
    'collate_views', 'stack_views'
]
