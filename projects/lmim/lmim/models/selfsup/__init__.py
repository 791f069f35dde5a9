"""Algorithms of pre-training."""
from .lmim import LMIM
from .mim import MIM

__all__ = ['LMIM', 'MIM']
