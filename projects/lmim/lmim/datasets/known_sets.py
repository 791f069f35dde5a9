"""The data sets that the configs know: where they lie, how large they are.

The configs in ``configs/_base_/datasets`` are the only table of them; what is
here reads it, with the one folder in which all data sets lie.
"""
import ast
import inspect
import os
import os.path as osp
from pathlib import Path
from typing import Any, Dict, Iterator, List, NamedTuple, Optional, Tuple
from unittest import mock

from mmengine.config import Config

from lmim.utils.errors import UserError
from lmim.utils.log import quiet

#: The environment variable that names it.
DATA_ROOT = 'LMIM_DATA_ROOT'
#: What the end of a variable's name says that its set is for.
KINDS = {
    '_pretrain': 'pre-training',
    '_train': 'training',
    '_val': 'validation',
    '_test': 'test'
}


class KnownSet(NamedTuple):
    """A data set as a config has it.

    Attributes:
        variable (str): What the config calls it.
        config (str): Name of the config, without ``.py``.
        group (str): The sets of one source in it, such as
            'common_benchmarks_parseq'.
        kind (str): What it is for, one of :data:`KINDS`.
        dataset (Dict[str, Any]): The config of the ``TextImageDataset``;
            its ``published`` has ``name`` and perhaps ``num_samples`` and
            ``labels``.
        source (Dict[str, str]): ``obtain`` says how it is obtained, and
            ``homepage`` where.
    """
    variable: str
    config: str
    group: str
    kind: str
    dataset: Dict[str, Any]
    source: Dict[str, str]

    @property
    def published(self) -> Dict[str, Any]:
        """Dict[str, Any]: What is known of the set as published."""
        return self.dataset['published']

    @property
    def paths(self) -> List[str]:
        """List[str]: Where it must lie, data root included."""
        return [path for setting, path in self._spec_paths()
                if not setting.endswith('image_root')]

    @property
    def missing(self) -> List[str]:
        """List[str]: What it needs and is not there."""
        return [path for _, path in self._spec_paths()
                if not osp.exists(path)]

    @property
    def there(self) -> str:
        """str: Whether it is there: 'yes', 'no' or 'in part'."""
        missing = set(self.missing)
        part = 'no' if missing.issuperset(self.paths) else 'in part'
        return part if missing else 'yes'

    @property
    def names(self) -> List[str]:
        """List[str]: What a user may call it, perhaps with others."""
        return list(dict.fromkeys([self.published['name'], self.variable,
                                   self.config, self.group]))

    def about(self) -> Dict[str, Any]:
        """What is known of it, of types that JSON has."""
        return {
            'variable': self.variable,
            'config': self.config,
            'kind': self.kind,
            **{key: self.published.get(key)
               for key in ('name', 'labels', 'num_samples')},
            **{key: self.source.get(key) for key in ('homepage', 'obtain')},
            'paths': self.paths,
            'missing': self.missing,
            'there': self.there,
        }

    def _spec_paths(self) -> Iterator[Tuple[str, str]]:
        return spec_paths(self.dataset['paths'],
                          self.dataset.get('data_root', ''))


def spec_paths(paths: Any, data_root: str = '') -> Iterator[Tuple[str, str]]:
    """Every path in the ``paths`` of a ``TextImageDataset``.

    Args:
        paths (str, dict or list): A path, or a dict of ``path`` and perhaps
            ``labels`` and ``image_root``, or several of these.
        data_root (str): Prefix of the relative ones. Defaults to ''.

    Yields:
        Tuple[str, str]: The setting that names it, as ``--cfg-options`` takes
        it, such as ``paths.0.labels``, and the path.
    """
    several = isinstance(paths, (list, tuple))
    for number, spec in enumerate(paths if several else [paths]):
        if not isinstance(spec, dict):
            # MMEngine cannot set one string of a list.
            yield 'paths', osp.join(data_root, os.fspath(spec))
            continue
        setting = f'paths.{number}' if several else 'paths'
        for key in ('path', 'labels', 'image_root'):
            if spec.get(key):
                yield f'{setting}.{key}', osp.join(data_root, spec[key])


def find_configs(configs: Optional[str] = None) -> Path:
    """The folder of the configs of known data sets.

    Args:
        configs (str, optional): A repository's folder ``configs``. Defaults
            to that of the repository in which this package lies, then to the
            one in the working folder.

    Raises:
        FileNotFoundError: If there is none.
    """
    places = ([Path(configs)] if configs is not None else
              [Path(__file__).resolve().parents[4] / 'configs',
               Path('configs')])
    for place in places:
        if (place / '_base_' / 'datasets').is_dir():
            return place / '_base_' / 'datasets'
    raise FileNotFoundError(
        f'no folder _base_/datasets in {" or ".join(map(str, places))}. The '
        'data sets are known by the configs of the repository: give its '
        'folder `configs` with --configs DIR')


def read_catalogue(configs: Optional[str] = None,
                   data_root: Optional[str] = None) -> List[KnownSet]:
    """All data sets that the configs know.

    Args:
        configs (str, optional): As of :func:`find_configs`.
        data_root (str, optional): As of :func:`read_config`.

    Raises:
        FileNotFoundError: If there are no configs.
        UserError: If the name of a set does not say what it is for.
    """
    found = []
    for path in sorted(find_configs(configs).glob('*.py')):
        cfg = read_config(str(path), data_root).to_dict()
        # `X_source` is of the sets in `X_data_root`. In each set it would
        # make the configs that MMEngine dumps several times as long.
        groups = [name[:-len('_source')] for name in cfg
                  if name.endswith('_source')]
        sources = {cfg[f'{group}_data_root']: group for group in groups}
        for variable, value in cfg.items():
            if isinstance(value, dict) and (value.get('type') ==
                                            'TextImageDataset'):
                group = sources.get(value.get('data_root'), path.stem)
                found.append(KnownSet(
                    variable, path.stem, group, _kind(variable, path), value,
                    cfg.get(f'{group}_source', {})))
    return found


def _kind(variable: str, path: Path) -> str:
    """What a set is for, by the end of its name."""
    for end, kind in KINDS.items():
        if variable.endswith(end):
            return kind
    raise UserError(f'{path}: the name of {variable} does not say what it is '
                    f'for. Let it end in {", ".join(KINDS)}')


def read_config(path: str, data_root: Optional[str] = None) -> Config:
    """Read a config with a data root.

    Configs take the data root from the environment at the moment in which
    they are read; a setting that is merged into them comes too late.

    Args:
        path (str): The config file.
        data_root (str, optional): The folder that holds the data sets; the
            environment's where it is None. Defaults to None.
    """
    # Or MMEngine logs the variable for each base config that takes it.
    with quiet(), mock.patch.dict(os.environ):
        root = data_root or os.environ.pop(DATA_ROOT, None)
        if root:  # MMEngine refuses an empty one
            os.environ[DATA_ROOT] = root
        cfg = Config.fromfile(path, lazy_import=_is_lazy(path))
    # What a file imports is no setting, and could not be written with it.
    for name, value in list(cfg.items()):
        if isinstance(value, type) or inspect.isroutine(value):
            cfg.pop(name)
    # Without yapf, which lays the whole config out anew for each of four
    # copies and takes more time than everything else before training.
    # MMEngine 0.10.7 forgets the argument of `fromfile` that says so.
    object.__setattr__(cfg, '_format_python_code', False)
    return cfg


def _is_lazy(path: str) -> Optional[bool]:
    """Whether a config is of MMEngine's kind that imports its bases.

    MMEngine takes it for one if it imports anything above ``_base_``. None
    leaves the question to MMEngine.

    Raises:
        UserError: If the file is no Python.
    """
    if not path.endswith('.py') or not Path(path).is_file():
        return None
    try:
        tree = ast.parse(Path(path).read_text(encoding='utf-8'))
    except (SyntaxError, UnicodeDecodeError) as error:
        line = getattr(error, 'lineno', None)
        raise UserError(f'{path} cannot be read as a config: {error}'
                        + (f', line {line}' if line else '')) from error
    bases = any(isinstance(target, ast.Name) and target.id == '_base_'
                for node in tree.body if isinstance(node, ast.Assign)
                for target in node.targets)
    return False if bases else None


def data_root_in_use(data_root: Optional[str] = None) -> str:
    """The folder that the configs take for the data sets.

    Args:
        data_root (str, optional): As of :func:`read_config`.
    """
    return data_root or os.environ.get(DATA_ROOT) or 'data'
