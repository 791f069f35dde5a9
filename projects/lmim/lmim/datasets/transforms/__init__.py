"""Transforms for pre-training: seeding, the guidance view, packing."""
from .guidance_view import GuidanceView
from .packing import PackPretrainInputs
from .seed import SetSampleSeed

__all__ = ['GuidanceView', 'PackPretrainInputs', 'SetSampleSeed']
