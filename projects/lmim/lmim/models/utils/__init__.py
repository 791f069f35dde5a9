"""Masks, positions and initialisation."""
from .initialization import init_transformer
from .masking import (BlockMasking, Masking, RandomMasking,
                      masking_from_noise)
from .position_embedding import build_sincos_2d, resolve_grid

__all__ = [
    'BlockMasking', 'Masking', 'RandomMasking', 'build_sincos_2d',
    'init_transformer', 'masking_from_noise', 'resolve_grid'
]
