"""Where the bytes of images come from, one class for each kind of place."""
import os.path as osp
from typing import List, Sequence

from .base import RecordSource, UnreadableRecordError
from .folder import FolderSource
from .joined import JoinedSource
from .lmdb import LMDBSource, is_lmdb

__all__ = [
    'FolderSource', 'JoinedSource', 'LMDBSource', 'RecordSource',
    'UnreadableRecordError', 'open_sources'
]


def open_sources(paths: Sequence[str]) -> RecordSource:
    """Open each path as what it is, and join them into one source.

    Args:
        paths (Sequence[str]): LMDB folders or folders of images.

    Returns:
        RecordSource: All records, in the order of the paths.

    Raises:
        FileNotFoundError: If paths do not exist; all of them are listed.
        NotADirectoryError: If a path is a file.
        ValueError: If a set is empty, or an LMDB has no valid
            ``num-samples``, or no path is given.
    """
    if not paths:
        raise ValueError('no path is given: `paths` names the LMDBs or '
                         'folders of images to read.')
    missing = [path for path in paths if not osp.exists(path)]
    if missing:
        listing = ''.join(f'\n  {path}' for path in missing)
        raise FileNotFoundError(
            f'{len(missing)} of {len(paths)} data paths do not exist:'
            f'{listing}\nPut the data there, set LMIM_DATA_ROOT (for the '
            "configs of known sets), or correct the dataset's `data_root` "
            f'or `paths`. Relative paths start at {osp.abspath(".")}.')
    sources: List[RecordSource] = []
    for path in paths:
        if not osp.isdir(path):
            raise NotADirectoryError(
                f'{path} is a file. Give an LMDB (the folder that holds '
                'data.mdb) or a folder of images.')
        source = LMDBSource(path) if is_lmdb(path) else FolderSource(path)
        if len(source) == 0:
            raise ValueError(f'{path} is empty: its num-samples is 0. Give '
                             'a set with at least one image.')
        sources.append(source)
    return sources[0] if len(sources) == 1 else JoinedSource(sources)
