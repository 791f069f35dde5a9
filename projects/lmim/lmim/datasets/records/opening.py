"""Opens each path as what it is."""
import os
import os.path as osp
from typing import Dict, List, NamedTuple, Optional, Sequence, Union

from lmim.utils.errors import UserError

from .base import JoinedSource, RecordSource, log_message
from .folder import IMAGE_SUFFIXES, FolderSource, left_out
from .lists import ListSource
from .lmdb import LMDBSource, LMDBStore, find_labels, is_lmdb

Spec = Union[str, 'os.PathLike[str]', Dict[str, str]]


class _Place(NamedTuple):
    """Where records lie, with all paths complete."""
    path: str
    labels: Optional[str] = None
    image_root: Optional[str] = None


def open_sources(paths: Union[Spec, Sequence[Spec]],
                 data_root: str = '') -> RecordSource:
    """Open each path as what it is, and join them into one source.

    Recognised are LMDBs (with images only; with labels, plain or as MMOCR's
    JSON; with labels in another LMDB), folders of images, folders of LMDBs,
    and lists of images (text, JSON lines, MMOCR's JSON).

    Args:
        paths (str or dict or Sequence): A path; or
            ``dict(path=..., labels=..., image_root=...)``, where ``labels``
            is an LMDB with the labels of another, and ``image_root`` the
            folder that the paths in a list are relative to; or several of
            these.
        data_root (str): Prefix of relative paths. Defaults to ''.

    Returns:
        RecordSource: All records, in the order of the paths.

    Raises:
        FileNotFoundError: If paths do not exist; all of them are listed.
        NotADirectoryError: If a path is an image.
        UserError: If a set is empty, damaged, truncated or otherwise not as
            it should be (the message says what to do), or no path is given.
    """
    if isinstance(paths, (str, os.PathLike, dict)):
        paths = [paths]
    places = [_place(spec, data_root) for spec in paths]
    if not places:
        raise UserError('no path is given: `paths` names the LMDBs, folders '
                        'of images or lists to read.')
    _refuse_missing(places)
    sources = [source for place in places for source in _open(place)]
    return sources[0] if len(sources) == 1 else JoinedSource(sources)


def _place(spec: Spec, data_root: str) -> _Place:
    given = spec if isinstance(spec, dict) else dict(path=os.fspath(spec))
    unknown = set(given) - set(_Place._fields)
    if unknown or not given.get('path'):
        raise UserError(
            f'{dict(given)} names no data: it needs `path`, and may have '
            f'`labels` and `image_root`; {sorted(unknown)} is not known.')
    # As a shell would, which sees no path in `key=~/words`.
    root = osp.expanduser(data_root)
    return _Place(**{key: osp.join(root, osp.expanduser(value))
                     for key, value in given.items() if value is not None})


def _refuse_missing(places: Sequence[_Place]) -> None:
    paths = [path for place in places for path in place if path is not None]
    missing = [path for path in paths if not osp.exists(path)]
    if missing:
        listing = ''.join(f'\n  {path}' for path in missing)
        raise FileNotFoundError(
            f'{len(missing)} of {len(paths)} data paths do not exist:'
            f'{listing}\nPut the data there, set LMIM_DATA_ROOT (for the '
            "configs of known sets), or correct the dataset's `data_root` "
            f'or `paths`. Relative paths start at {osp.abspath(".")}.')


def _open(place: _Place) -> List[RecordSource]:
    path, labels, image_root = place
    lmdb, folder = is_lmdb(path), osp.isdir(path)
    if labels is not None and not lmdb:
        raise UserError(f'{path} is no LMDB: `labels` ({labels}) is for the '
                        'labels of an LMDB of images only. Leave it out.')
    if image_root is not None and (lmdb or folder):
        raise UserError(f'{path} is no list: `image_root` ({image_root}) is '
                        'for the paths in a list. Leave it out.')
    if lmdb:
        return [_open_lmdb(path, labels)]
    if folder:
        return _open_folder(path)
    if not osp.isfile(path):
        raise UserError(f'{path} is neither a folder nor a file. Give an '
                        'LMDB, a folder of images, or a list of images.')
    if path.lower().endswith(IMAGE_SUFFIXES):
        raise NotADirectoryError(
            f'{path} is a file, an image. Give the folder that holds it, or '
            'a list of images.')
    return [ListSource(path, image_root)]


def _open_lmdb(path: str, labels: Optional[str]) -> LMDBSource:
    if labels is not None and not is_lmdb(labels):
        raise UserError(f'{labels} is no LMDB, and is to hold the labels of '
                        f'{path}. Give the folder that holds data.mdb.')
    source = LMDBSource(path, labels)
    if len(source) == 0:
        raise UserError(f'{path} is empty: its num-samples is 0. Give a set '
                        'with at least one image.')
    if source.labelled or labels is not None:
        return source
    folder = osp.dirname(osp.abspath(path))
    with os.scandir(folder) as entries:
        others = sorted(osp.join(osp.dirname(path), entry.name)
                        for entry in entries
                        if entry.is_dir() and is_lmdb(entry.path))
    found = find_labels(len(source), others)
    if len(found) > 1:
        log_message(
            f'{path} has images only, and {len(found)} LMDBs beside it hold '
            f'as many labels: {", ".join(found)}. None is taken; say which: '
            f'dict(path={path!r}, labels=...).')
    if len(found) != 1:
        return source
    log_message(
        f'{path} has images only; its labels are read from {found[0]}.')
    return LMDBSource(path, found[0])


def _open_folder(path: str) -> List[RecordSource]:
    source = FolderSource(path)
    if len(source):
        if source.lmdbs:
            log_message(
                f'{path}: its {len(source):,} image files are read, and the '
                f'LMDBs below it are not: {", ".join(source.lmdbs)}. Give '
                'their paths to read them.')
        return [source]
    labels = [lmdb for lmdb in source.lmdbs
              if LMDBStore(lmdb).holds_labels_only()]
    sources = [_open_lmdb(lmdb, None) for lmdb in source.lmdbs
               if lmdb not in labels]
    for lmdb in sorted(set(labels).difference(s.labels for s in sources)):
        log_message(
            f'{lmdb} holds labels only, and they are of no LMDB beside it: '
            'it is not read.')
    if not sources:
        raise UserError(
            f'{path}: no image in this folder or its sub-folders (looked for '
            f'{", ".join(IMAGE_SUFFIXES)}), and no LMDB with images.' +
            (f' {left_out(source.left_out)}.' if source.left_out else ''))
    return [*sources]
