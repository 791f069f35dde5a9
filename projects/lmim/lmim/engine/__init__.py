"""Training: hooks, the resumable loop, optimizers, and the launch of a run."""
from . import hooks, loops, optim

__all__ = ['hooks', 'loops', 'optim']
