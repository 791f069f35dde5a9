from . import backbones, heads, necks, selfsup, targets, textrecog, utils

__all__ = [
    'backbones', 'heads', 'necks', 'selfsup', 'targets', 'textrecog', 'utils'
]
