"""Masks, positions, initialisation, attention and dropout."""
from .attention import attend
from .dropout import QuickDropout
from .initialization import init_transformer
from .cpu_kernels import QuickLinear
from .masking import (BlockMasking, Masking, RandomMasking,
                      masking_from_noise)
from .positions import build_sincos_2d, resolve_grid
from .quicken import quicken
from .tracing import is_traced

__all__ = [
    'BlockMasking', 'Masking', 'QuickDropout', 'QuickLinear',
    'RandomMasking', 'attend', 'build_sincos_2d', 'init_transformer',
    'is_traced', 'masking_from_noise', 'quicken', 'resolve_grid'
]
