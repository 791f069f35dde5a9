"""LMIM, linguistics-aware masked image modelling, for MMOCR.

Importing this package makes MMOCR run on today's stack and registers every
component in MMOCR's registries. A config needs no more than
``custom_imports = dict(imports=['lmim'])``.
"""
try:
    from . import compat

    compat.install()

    from . import datasets, engine, evaluation, models
    from .apis import TextRecognizer, mmocr_inferencers
except (AssertionError, ImportError, RuntimeError) as error:
    # Libraries that exclude one another, or are not there.
    error.args = (f'{error}\n`python {__path__[0]}/cli/doctor.py` finds what '
                  'is wrong, and the command that fixes it.', )
    if isinstance(error, ImportError):
        error.msg = error.args[0]
    raise

from .version import __version__  # noqa: E402

mmocr_inferencers.install()

__all__ = [
    'TextRecognizer', '__version__', 'compat', 'datasets', 'engine',
    'evaluation', 'models'
]
