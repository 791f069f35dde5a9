"""Masks, positions, attention, kernels for CPUs, views on the device."""
from .attention import attend, is_traced
from .content_masking import (CharacterSpanMasking, ContrastMasking,
                              DSHMMasking, InkMasking)
from .conv_stem import ConvStem
from .cpu_kernels import use_cpu_kernels
from .deformable_patch_embed import DeformablePatchEmbed
from .device_views import GuidanceViewPreprocessor, make_views
from .initialization import init_transformer
from .masking import (BlockMasking, Context, Masking, RandomMasking,
                      masking_from_noise)
from .positions import (build_positions, build_sincos_1d, build_sincos_2d,
                        interpolate_positions, resolve_grid)
from .rotary import AxialRotary, MixedRotary, rotate
from .schedule import share_of_run
from .style_content_split import StyleContentSplit

__all__ = [
    'AxialRotary', 'BlockMasking', 'CharacterSpanMasking', 'Context',
    'ContrastMasking', 'ConvStem', 'DSHMMasking', 'DeformablePatchEmbed',
    'GuidanceViewPreprocessor', 'InkMasking', 'Masking', 'MixedRotary',
    'RandomMasking', 'StyleContentSplit', 'attend', 'build_positions',
    'build_sincos_1d', 'build_sincos_2d', 'init_transformer',
    'interpolate_positions', 'is_traced', 'make_views', 'masking_from_noise',
    'resolve_grid', 'rotate', 'share_of_run', 'use_cpu_kernels'
]
