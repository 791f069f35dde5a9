"""LMIM, linguistics-aware masked image modelling, for MMOCR.

Importing this package makes MMOCR run on today's stack and registers every
component in MMOCR's registries. A config needs no more than
``custom_imports = dict(imports=['lmim'])``.
"""
from typing import TYPE_CHECKING, Any

from . import compat

compat.install()

from . import datasets, engine, evaluation, models  # noqa: E402
from . import mmocr_inferencers  # noqa: E402
from .version import __version__  # noqa: E402

mmocr_inferencers.install()

if TYPE_CHECKING:
    from .inference import TextRecognizer

__all__ = [
    'TextRecognizer', '__version__', 'compat', 'datasets', 'engine',
    'evaluation', 'models'
]


def __getattr__(name: str) -> Any:
    """``lmim.TextRecognizer``, imported when asked for: training is not."""
    if name == 'TextRecognizer':
        from .inference import TextRecognizer
        return TextRecognizer
    raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
