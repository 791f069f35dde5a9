"""Models: the method, its parts and the recognizer."""
from . import backbones, heads, necks, selfsup, targets, textrecog, utils

__all__ = [
    'backbones', 'heads', 'necks', 'selfsup', 'targets', 'textrecog', 'utils'
]
