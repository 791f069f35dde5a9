"""In which order records are drawn."""
from .lean_sampler import LeanSampler
from .ratio_sampler import RatioSampler

__all__ = ['LeanSampler', 'RatioSampler']
