"""What an error at import means, and the command that mends it."""
import re
from typing import Callable, NamedTuple, Pattern, Tuple

from . import shell
from .requirements import FAMILIES, distribution_of, installed
from .versions import mending


class Known(NamedTuple):
    """A kind of error.

    Attributes:
        pattern (Pattern): Found in its message.
        meaning (str): What is wrong.
        command (Callable): The command, by the name of the module.
    """
    pattern: Pattern[str]
    meaning: str
    command: Callable[[str], str]


def _torchvision(module: str) -> str:
    version = installed().get('torch', '').split('+')[0]
    return shell.install('--upgrade', '--force-reinstall', '--no-cache-dir',
                         *([f'torch=={version}'] if version else ['torch']),
                         'torchvision')


def _mmcv(module: str) -> str:
    there = [name for name in FAMILIES['mmcv'] if name in installed()]
    return shell.replace(there or ['mmcv'], 'mmcv-lite==2.0.1')


KNOWN = (
    Known(re.compile(r'numpy\.core\.multiarray failed|_ARRAY_API not found|'
                     r'numpy\.dtype size changed|Numpy is not available|'
                     r'compiled using NumPy 1'),
          'it was built for NumPy 1, and NumPy 2 is installed',
          lambda module: shell.install('numpy<2')),
    Known(re.compile(r'lib(GL|gthread|glib)[-.\w]*: cannot open'),
          'OpenCV needs libraries of a desktop',
          lambda module: 'sudo apt-get install -y libgl1 libglib2.0-0'),
    Known(re.compile(r'mmcv', re.I), 'the versions exclude one another',
          _mmcv),
    Known(re.compile(r'mmengine', re.I), 'the versions exclude one another',
          lambda module: mending('mmengine', installed())),
    Known(re.compile(r'mmdet|MMDetection', re.I),
          'the versions exclude one another',
          lambda module: mending('mmdet', installed())),
    Known(re.compile(r'undefined symbol|torchvision::|_C\b'),
          'it is built for another torch', _torchvision),
    Known(re.compile(r'cannot open shared object|DLL load failed'),
          'a library of the system is missing, or the installation is not '
          'whole', lambda module: reinstalled(module)),
)


def describe(name: str, error: BaseException) -> Tuple[str, str]:
    """What an error at import means, and the command that mends it.

    Args:
        name (str): The module that was imported.
        error (BaseException): What it raised.
    """
    message = ' '.join(str(error).split())[:300]
    raised = f'{type(error).__name__}: {message}'
    if isinstance(error, ModuleNotFoundError) and error.name:
        missing = error.name.split('.')[0]
        text = ('not installed' if missing == name else
                f'not installed, and {name} needs it')
        versions = installed()
        if distribution_of(missing) in versions:
            # A part of what is installed; setuptools dropped one.
            text = f'installed, but not in full: {raised}'
            if missing != 'pkg_resources':
                return text, reinstalled(missing)
        return text, mending(missing, versions)
    for known in KNOWN:
        if known.pattern.search(message):
            return f'{known.meaning} ({raised})', known.command(name)
    return raised, reinstalled(name.split('.')[0])


def reinstalled(module: str) -> str:
    """The command that brings a module anew, in the version that is there."""
    name = distribution_of(module)
    # Without what says how it was built: `+cpu` is not had everywhere.
    version = installed().get(name, '').split('+')[0]
    return shell.install('--force-reinstall', '--no-deps', '--no-cache-dir',
                         f'{name}=={version}' if version else name)
