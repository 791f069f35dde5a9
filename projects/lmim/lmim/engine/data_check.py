"""Find every missing path of a config before anything is built."""
import json
import os
import os.path as osp
from typing import Any, Dict, Iterable, Iterator, List, Sequence, Tuple

from mmengine.config import Config

from lmim.datasets.known_sets import DATA_ROOT, spec_paths


def find_missing(cfg: Config,
                 dataloaders: Iterable[str]) -> List[Tuple[str, str]]:
    """The paths that the datasets of a config name and that do not exist.

    Args:
        cfg (Config): The config.
        dataloaders (Iterable[str]): Which dataloaders to look at, such as
            ``train_dataloader``.

    Returns:
        List[Tuple[str, str]]: The setting that names each, as
        ``--cfg-options`` takes it, and the path; every path once.
    """
    missing: Dict[str, str] = {}
    for where, path in _local_paths(cfg, dataloaders):
        if not osp.exists(path):
            missing.setdefault(path, where)
    return [(where, path) for path, where in missing.items()]


def check_data(cfg: Config, dataloaders: Sequence[str]) -> None:
    """Refuse a config whose data are not there, naming all at once.

    Args:
        cfg (Config): The config.
        dataloaders (Sequence[str]): Which dataloaders to look at.

    Raises:
        FileNotFoundError: If any path is missing.
        ValueError: If a list of samples is empty, or no JSON.
    """
    missing = find_missing(cfg, dataloaders)
    if not missing:
        _check_lists(cfg, dataloaders)
        return
    lines = ''.join(f'\n  {path}  ({where})' for where, path in missing)
    root = os.environ.get(DATA_ROOT)
    root_line = (f'it is {root} now' if root else 'it is not set now')
    raise FileNotFoundError(
        f'{len(missing)} path(s) of the data sets do not exist:{lines}\n'
        'Give the folder that holds the data sets with --cfg-options '
        f'data_root=FOLDER or the environment variable {DATA_ROOT} '
        f'({root_line}), or give a path with --cfg-options '
        f'{missing[0][0]}=PATH. Relative paths start from {os.getcwd()}. '
        '`python tools/data.py list` says where each known set must lie and '
        'how it is obtained.')


def _check_lists(cfg: Config, dataloaders: Sequence[str]) -> None:
    """Refuse an empty list of samples, with which MMEngine fails oddly."""
    for where, path in _local_paths(cfg, dataloaders):
        # A list that has samples is longer than this, or quickly read.
        if (not where.endswith('ann_file') or not osp.isfile(path)
                or osp.getsize(path) > 2**16):
            continue
        with open(path, encoding='utf-8', errors='replace') as file:
            content: Any = file.read().strip()
        if path.endswith('.json') and content:
            try:
                content = json.loads(content)
            except json.JSONDecodeError as error:
                raise ValueError(f'{path} ({where}) is no JSON: {error}. '
                                 'Write or copy it again.') from error
            if isinstance(content, dict):
                content = content.get('data_list', content)
        if not content:
            raise ValueError(
                f'{path} ({where}) lists no sample. Give a list with at '
                f'least one: --cfg-options {where}=FILE')


def _local_paths(cfg: Config,
                 dataloaders: Iterable[str]) -> Iterator[Tuple[str, str]]:
    """Every path on this machine that the datasets of a config name."""
    for name in dataloaders:
        loaders = cfg.get(name) or {}
        for loader in loaders if isinstance(loaders, list) else [loaders]:
            dataset = loader.get('dataset')
            for where, path in _named_paths(dataset, f'{name}.dataset'):
                if '://' not in path:
                    yield where, path


def _named_paths(dataset: Any, where: str) -> Iterator[Tuple[str, str]]:
    """Every path in the config of a dataset, whatever it is wrapped in."""
    if isinstance(dataset, (list, tuple)):
        for number, item in enumerate(dataset):
            yield from _named_paths(item, f'{where}.{number}')
        return
    if not isinstance(dataset, dict):
        return
    root = dataset.get('data_root') or ''
    own: List[Tuple[str, str]] = []
    if dataset.get('paths'):
        own += spec_paths(dataset['paths'])
    # MMOCR's own data sets.
    own += [('ann_file', path) for path in _strings(dataset.get('ann_file'))]
    prefix = dataset.get('data_prefix')
    for key, value in prefix.items() if isinstance(prefix, dict) else []:
        own += [(f'data_prefix.{key}', path) for path in _strings(value)]
    if not own and root:
        own = [('data_root', '')]
    for key, path in own:
        yield f'{where}.{key}', osp.join(root, path)
    for key in ('dataset', 'datasets'):
        yield from _named_paths(dataset.get(key), f'{where}.{key}')


def _strings(value: Any) -> List[str]:
    """The non-empty strings in an argument that is one or a list of them."""
    values = value if isinstance(value, (list, tuple)) else [value]
    return [os.fspath(v) for v in values if v and not isinstance(v, dict)]
