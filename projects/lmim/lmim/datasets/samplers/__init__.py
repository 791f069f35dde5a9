"""In which order records are drawn."""
from .ratio_sampler import RatioSampler

__all__ = ['RatioSampler']
