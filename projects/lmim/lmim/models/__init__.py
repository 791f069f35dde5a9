"""Models: the method, its parts and the recognizer."""
from . import backbones, heads, layers, necks, selfsup, targets, textrecog

__all__ = [
    'backbones', 'heads', 'layers', 'necks', 'selfsup', 'targets', 'textrecog'
]
