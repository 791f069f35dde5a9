"""Whether `import lmim` works, else which library stands in its way."""
import importlib
import importlib.util
import sys
from typing import Any, Dict, List, Set

from .child import PACKAGE
from .errors import describe
from .finding import Say, note, ok, wrong
from .together import check_together
from . import shell

SECTION = 'imports'
#: In the order in which they need each other.
LIBRARIES = ('numpy', 'torch', 'PIL', 'cv2', 'matplotlib', 'fontTools',
             'rapidfuzz', 'rich', 'lmdb', 'mmengine', 'mmcv')
#: These stand on the work-arounds.
ABOVE = ('torchvision', 'mmdet', 'mmocr', 'mmocr.models', 'mmpretrain',
         'mmpretrain.models')


def import_together(options: Dict[str, Any], say: Say) -> None:
    """Import lmim and look at what it made; a part of :mod:`.child`.

    Args:
        options (Dict[str, Any]): As of :func:`.together.check_together`.
        say (Callable): Takes the findings. None is said where lmim cannot be
            imported.
    """
    say('lmim')
    del sys.modules['lmim']
    found = importlib.util.find_spec('lmim')
    sys.path.insert(0, str(PACKAGE.parent))
    try:
        lmim = importlib.import_module('lmim')
    except Exception:  # the other part finds out why
        return
    say(ok(SECTION, 'lmim', f'{lmim.__version__} in {PACKAGE}'))
    if found is None:
        say(note(SECTION, 'lmim, installed', 'no: the tools of this '
                 "repository find it by themselves, MMOCR's own do not",
                 shell.install('--no-deps', '--no-build-isolation', '-e',
                               str(PACKAGE.parents[2]))))
    elif found.origin and not found.origin.startswith(str(PACKAGE)):
        say(note(SECTION, 'lmim, installed', f'another one, in '
                 f'{found.origin}: Python takes it outside the tools of this '
                 'repository', shell.pip('uninstall', '-y', 'lmim')))
    check_together(options, say)


def import_one_by_one(options: Dict[str, Any], say: Say) -> None:
    """Import each library and name what is wrong; a part of :mod:`.child`.

    Args:
        options (Dict[str, Any]): None are needed.
        say (Callable): Takes the findings.
    """
    broken: Set[str] = set()
    told: List[str] = []
    for name in LIBRARIES:
        _try(name, say, broken, told)
    if broken & {'numpy', 'torch'}:
        return  # no work-around without them, and nothing above without those
    _work_around(say, broken)
    for name in ABOVE:
        _try(name, say, broken, told)
    if broken:
        return
    try:
        del sys.modules['lmim']
        sys.path.insert(0, str(PACKAGE.parent))
        importlib.import_module('lmim')
    except Exception as error:
        say(wrong(SECTION, 'lmim', f'{type(error).__name__}: {error}',
                  f'{shell.python()} -c "import lmim"'))


def _try(name: str, say: Say, broken: Set[str], told: List[str]) -> None:
    """Import a library; what an earlier failure explains is not repeated."""
    say(name)
    if name.split('.')[0] in broken:
        return
    try:
        importlib.import_module(name)
    except Exception as error:  # each library has its own
        missing = (error.name or '').split('.')[0] if isinstance(
            error, ModuleNotFoundError) else ''
        broken.add(name.split('.')[0])
        if missing in broken - {name.split('.')[0]} or str(error) in told:
            return
        told.append(str(error))
        broken.add(missing)
        text, command = describe(name, error)
        say(wrong(SECTION, missing or name, text, command))
    else:
        if '.' not in name:
            say(ok(SECTION, name, 'imports'))


def _work_around(say: Say, broken: Set[str]) -> None:
    """What `import lmim` does before it imports MMOCR."""
    from lmim import compat
    for name, apply in compat.WORKAROUNDS.items():
        say('lmim')
        if name == 'mmcv_ext' and 'mmcv' in broken:
            continue
        if name == 'safe_globals' and 'mmengine' in broken:
            continue
        try:
            apply()
        except Exception as error:
            text, command = describe('torchvision' if 'vision' in name
                                     else 'mmcv', error)
            say(wrong(SECTION, f'work-around {name}', text, command))
