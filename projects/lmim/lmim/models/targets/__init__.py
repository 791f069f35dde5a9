"""What is to be rebuilt: pixels or features."""
from .feature_targets import MAERecTargetExtractor, RandomFeatureTarget
from .pixel_target import PixelTarget

__all__ = ['MAERecTargetExtractor', 'PixelTarget', 'RandomFeatureTarget']
