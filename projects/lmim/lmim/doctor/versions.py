"""Which versions are installed, and whether they go together."""
import importlib.util
from typing import Callable, Dict, Iterator, List, Optional, Sequence

from . import shell
from .finding import Finding, note, ok, wrong
from .requirements import (FAMILIES, MODULES, Need, distribution_of, family,
                           installed, needs_of, needs_of_lmim)

SECTION = 'versions'
#: The libraries that have to fit each other; a range of theirs that is not
#: kept is wrong. What others declare is often tighter than what works.
STACK = ('torch', 'torchvision', 'mmengine', 'mmcv', 'mmcv-lite', 'mmdet',
         'mmocr', 'mmpretrain')
#: What each optional library is for.
OPTIONAL = {
    'onnx': 'export',
    'onnxruntime': 'export',
    'gradio': 'the demo page',
    'safetensors': 'checkpoints of that format',
    'opencc': "the Chinese benchmark's traditional characters",
    'tensorboard': 'curves in TensorBoard',
}


def check_versions(versions: Optional[Dict[str, str]] = None,
                   needs: Optional[List[Need]] = None) -> Iterator[Finding]:
    """Compare what is installed with what is asked for.

    Args:
        versions (Dict[str, str], optional): The distributions and their
            versions. Defaults to those that are installed.
        needs (List[Need], optional): All requirements. Defaults to those of
            lmim and of the libraries that it stands on.
    """
    versions = installed() if versions is None else versions
    if needs is None:
        try:
            needs = all_needs(versions)
        except ImportError as error:
            yield wrong(SECTION, 'packaging', f'the ranges cannot be read: '
                        f'{error}', shell.install('packaging'))
            needs = []
        if not any(need.by == 'lmim' for need in needs):
            yield note(SECTION, 'lmim', 'its ranges are not known: it is not '
                       'installed, and no requirements.txt lies beside it')
    yield from check_ranges(versions, needs)
    yield from check_clashes(versions)
    for name, purpose in OPTIONAL.items():
        if name in versions:
            yield ok(SECTION, name, versions[name])
        else:
            yield note(SECTION, name, f'not installed; for {purpose}',
                       shell.install(name))


def all_needs(versions: Dict[str, str]) -> List[Need]:
    """What lmim asks for, and what the libraries that it needs ask for.

    Raises:
        ImportError: If there is nothing that reads requirements.
    """
    needs = needs_of_lmim() or []
    direct = {member for need in needs for member in family(need.name)}
    for name in sorted(direct | set(STACK)):
        if name in versions:
            needs += needs_of(name)
    # Of the libraries' own libraries only those are of interest that are
    # missing or do not fit.
    return needs


def check_ranges(versions: Dict[str, str], needs: Sequence[Need],
                 is_there: Callable[[str], bool] = lambda module:
                 importlib.util.find_spec(module) is not None
                 ) -> Iterator[Finding]:
    """Every library that is asked for, with all that ask for another version.

    Args:
        versions (Dict[str, str]): The distributions and their versions.
        needs (Sequence[Need]): All requirements.
        is_there (Callable): Whether a module can be imported.
    """
    by_family: Dict[Sequence[str], List[Need]] = {}
    for need in needs:
        by_family.setdefault(family(need.name), []).append(need)
    for members, asked in by_family.items():
        there = {name: versions[name] for name in members if name in versions}
        own = [need for need in asked if need.by == 'lmim']
        if not there:
            yield from _absent(asked, is_there)
            continue
        broken = [need for need in asked
                  if not any(map(need.allows, there.values()))]
        strict = [need for need in broken
                  if need.by.split()[0] in ('lmim', *STACK)]
        told = ', '.join(version if len(members) == 1 else f'{name} {version}'
                         for name, version in there.items())
        name = next(iter(there))
        if broken:
            whose = '; '.join(f'{need.by} asks for {need.text}'
                              for need in broken)
            mend = _mend(name, own or broken, broken, there, versions)
            yield (wrong if strict else note)(
                SECTION, name, f'{told}, but {whose}', mend)
        elif own or name in STACK:
            yield ok(SECTION, name, told)


def _absent(asked: Sequence[Need],
            is_there: Callable[[str], bool]) -> Iterator[Finding]:
    """A library that no distribution is installed of."""
    need = asked[0]
    module = MODULES.get(need.name, need.name.replace('-', '_'))
    if is_there(module):
        yield note(SECTION, need.name, 'there, but not as an installed '
                   'distribution: its version is not known')
    else:
        yield wrong(SECTION, need.name,
                    f'not installed; {need.by} needs it',
                    shell.install(need.text))


def _mend(name: str, own: Sequence[Need], broken: Sequence[Need],
          there: Dict[str, str], versions: Dict[str, str]) -> str:
    """The command that brings a version which all who ask accept."""
    if name in FAMILIES['mmcv']:
        lite = [need for need in own if need.name == 'mmcv-lite'] or own
        return shell.replace(there, lite[0].text)
    if name == 'torch' and broken[0].by.startswith('torchvision'):
        # A new torch is large, and the one that is there may be chosen for
        # the machine: torchvision follows.
        base = versions[name].split('+')[0]
        return shell.install('--upgrade', f'torch=={base}', 'torchvision')
    parts = {str(part) for need in (*own, *broken) for part in need.ranges}
    return shell.install(name + ','.join(sorted(parts, reverse=True)))


def check_clashes(versions: Dict[str, str]) -> Iterator[Finding]:
    """Several distributions of one package write over each other's files."""
    for title, members in FAMILIES.items():
        there = {name: versions[name] for name in members if name in versions}
        if len(there) < 2:
            continue
        told = ' and '.join(f'{name} {version}'
                            for name, version in there.items())
        if title == 'mmcv':
            kept, whose = 'mmcv-lite', '>=2.0.0,<2.1.0'
        else:
            kept, whose = next(iter(there)), ''
        say = note if len(set(there.values())) == 1 else wrong
        yield say(
            SECTION, f'{title}, twice',
            f'{told} are one package: the one installed last has the files',
            shell.replace(there, kept + whose))


def mending(module: str, versions: Dict[str, str]) -> str:
    """The command that installs what a module is missing from.

    Args:
        module (str): Its top level, as imported.
        versions (Dict[str, str]): As of :func:`check_versions`.
    """
    name = distribution_of(module)
    try:
        for need in all_needs(versions):
            if need.name in family(name) and need.by == 'lmim':
                return shell.install(need.text)
    except ImportError:
        pass
    return shell.install(name)
