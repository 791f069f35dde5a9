"""What is to be rebuilt: pixels or features."""
from .ema_target import EMATarget
from .feature_targets import MAERecTargetExtractor, RandomFeatureTarget
from .pixel_target import PixelTarget

__all__ = [
    'EMATarget', 'MAERecTargetExtractor', 'PixelTarget', 'RandomFeatureTarget'
]
