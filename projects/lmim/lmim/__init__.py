"""LMIM, linguistics-aware masked image modelling, for MMOCR.

Importing this package makes MMOCR run on today's stack and registers every
component in MMOCR's registries. A config needs no more than
``custom_imports = dict(imports=['lmim'])``.
"""
import sys
from typing import TYPE_CHECKING, Any

if (sys.argv[:1] == ['-m'] and sys.argv[1:2] in ([], ['doctor'])
        and 'lmim' in getattr(sys, 'orig_argv', ())):
    # `python -m lmim doctor` has to run where the lines below do not.
    from .commands import main
    sys.exit(main(sys.argv[1:]))

try:
    from . import compat

    compat.install()

    from . import datasets, engine, evaluation, models
    from .apis import mmocr_inferencers
except (AssertionError, ImportError, RuntimeError) as error:
    # Libraries that exclude one another, or are not there.
    error.args = (f'{error}\n`python -m lmim doctor` finds what is wrong, and '
                  'tells what mends it.', )
    if isinstance(error, ImportError):
        error.msg = error.args[0]
    raise

from .version import __version__  # noqa: E402

mmocr_inferencers.install()

if TYPE_CHECKING:
    from .apis import TextRecognizer

__all__ = [
    'TextRecognizer', '__version__', 'compat', 'datasets', 'engine',
    'evaluation', 'models'
]


def __getattr__(name: str) -> Any:
    """``lmim.TextRecognizer``, imported when asked for: training is not."""
    if name == 'TextRecognizer':
        from .apis import TextRecognizer
        return TextRecognizer
    raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
