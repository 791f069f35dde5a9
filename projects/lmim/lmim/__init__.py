"""LMIM, linguistics-aware masked image modelling, for MMOCR.

Importing this package makes MMOCR run on today's stack and registers every
component in MMOCR's registries. A config needs no more than
``custom_imports = dict(imports=['lmim'])``.
"""
from . import compat

compat.install()

from . import datasets, engine, evaluation, models  # noqa: E402
from .version import __version__  # noqa: E402

__all__ = [
    '__version__', 'compat', 'datasets', 'engine', 'evaluation', 'models'
]
