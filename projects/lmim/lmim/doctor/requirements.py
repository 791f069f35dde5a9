"""Which versions lmim and the libraries below it ask for."""
import importlib
import importlib.metadata as metadata
import re
from pathlib import Path
from typing import Any, Dict, Iterable, List, NamedTuple, Optional, Sequence

#: Distributions of one package. Whichever is installed serves.
FAMILIES = {
    'mmcv': ('mmcv', 'mmcv-lite', 'mmcv-full'),
    'opencv': ('opencv-python', 'opencv-python-headless',
               'opencv-contrib-python', 'opencv-contrib-python-headless'),
}
#: What to import of a distribution of another name.
MODULES = {
    'fonttools': 'fontTools', 'mmcv-lite': 'mmcv',
    'mmcv-full': 'mmcv', 'pillow': 'PIL', 'pyyaml': 'yaml',
    'scikit-image': 'skimage', 'setuptools': 'pkg_resources',
    **dict.fromkeys(FAMILIES['opencv'], 'cv2')
}
#: OpenMMLab's libraries name their ranges for each other in this extra.
MIM_EXTRA = 'mim'
#: lmim's: one of both is needed.
MMCV_EXTRAS = ('lite', 'full')
BESIDE = Path(__file__).resolve().parents[4] / 'requirements.txt'


class Need(NamedTuple):
    """A range of versions that somebody asks for.

    Attributes:
        name (str): The distribution, as :func:`normal` writes it.
        ranges (Any): Its ``packaging.specifiers.SpecifierSet``.
        by (str): Who asks for it.
    """
    name: str
    ranges: Any
    by: str

    @property
    def text(self) -> str:
        """str: The requirement as pip takes it, in a fixed order."""
        parts = sorted(str(part) for part in self.ranges)
        return self.name + ','.join(reversed(parts))

    def allows(self, version: str) -> bool:
        """Whether a version is in the range; nightly builds may be."""
        return bool(self.ranges.contains(version, prereleases=True))


def normal(name: str) -> str:
    """A distribution's name in its one spelling (PEP 503)."""
    return re.sub(r'[-_.]+', '-', name).lower()


def family(name: str) -> Sequence[str]:
    """All distributions that have the package of this one."""
    for members in FAMILIES.values():
        if name in members:
            return members
    return (name, )


def distribution_of(module: str) -> str:
    """What to install for a module, as the requirements call it."""
    for name, known in MODULES.items():
        if known == module:
            return name
    return normal(module)


def installed() -> Dict[str, str]:
    """The version of each distribution that Python finds."""
    found: Dict[str, str] = {}
    for each in metadata.distributions():
        name = each.metadata['Name'] if each.metadata else None
        if name:  # a removal that was cut short leaves nameless ones
            found.setdefault(normal(name), each.version)
    return found


def parse(lines: Iterable[str], by: str,
          extras: Sequence[str] = ()) -> List[Need]:
    """Read requirements, leaving out those of other systems and extras.

    Args:
        lines (Iterable[str]): As in ``requirements.txt``.
        by (str): Who asks.
        extras (Sequence[str]): The extras that count.

    Raises:
        ImportError: If there is no library ``packaging``.
    """
    requirement = _requirement_type()
    found = []
    for line in lines:
        line = line.split('#')[0].strip()
        if not line or line.startswith('-'):
            continue
        each = requirement(line)
        if each.marker is None or any(
                each.marker.evaluate({'extra': extra})
                for extra in ('', *extras)):
            found.append(Need(normal(each.name), each.specifier, by))
    return found


def needs_of_lmim() -> Optional[List[Need]]:
    """What lmim asks for; None where neither it nor its list is at hand."""
    try:
        return parse(metadata.requires('lmim') or [], 'lmim', MMCV_EXTRAS)
    except metadata.PackageNotFoundError:
        if not BESIDE.is_file():
            return None
        return parse(BESIDE.read_text(encoding='utf-8').splitlines(), 'lmim')


def needs_of(name: str) -> List[Need]:
    """What an installed distribution asks for."""
    found = metadata.distribution(name)
    return parse(found.requires or [], f'{name} {found.version}',
                 [MIM_EXTRA])


def _requirement_type() -> Any:
    """The parser, which pip has a copy of."""
    for name in ('packaging', 'pip._vendor.packaging'):
        try:
            return importlib.import_module(f'{name}.requirements').Requirement
        except ImportError:
            continue
    raise ImportError('neither packaging nor pip is installed')
