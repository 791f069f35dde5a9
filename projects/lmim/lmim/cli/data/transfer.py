"""Brings the records of a source into LMDBs, over several runs if need be."""
import hashlib
import json
import os
import os.path as osp
import sys
import time
from pathlib import Path
from typing import Any, Dict, List, Sequence, Tuple

import lmdb
import numpy as np

from lmim.datasets.writing.lmdb_appender import refuse_to_replace
from lmim.datasets.writing.lmdb_draft import LMDBDraft
from lmim.datasets.records import RecordSource
from .conversion import Conversion
from .inputs import leaves
from .parallel import map_records
from .reasons import Reasons

#: So many names, evenly spread, stand for all when sources are compared.
NAMES = 1000


def transfer(source: RecordSource, draft: LMDBDraft, conversion: Conversion,
             workers: int, title: str) -> Dict[str, Any]:
    """Fill a draft with all records and put its LMDBs at their places.

    Args:
        source (RecordSource): The records.
        draft (LMDBDraft): Not entered yet.
        conversion (Conversion): What becomes of each.
        workers (int): How many processes; 0 means this one.
        title (str): What is being done, for the progress.

    Returns:
        Dict[str, Any]: ``records``, ``begin`` (where an earlier run had
        ended), ``seconds`` and ``records_per_second`` (of this one),
        ``skipped`` (see :meth:`Reasons.result`) and ``skipped_file``.
    """
    with draft:
        first = draft.begin
        if first:
            print(f'{title}: going on at record {first + 1:,} of '
                  f'{len(source):,}', file=sys.stderr)
        start = time.perf_counter()
        try:
            indices = range(first, len(source))
            made = map_records(conversion, source, indices, workers, title)
            for record, index in zip(made, indices):
                if record.reason is None:
                    draft.add(index, record.part, record.image, record.label)
                else:
                    draft.skip(index, record.name, record.reason)
        except BaseException:
            if draft.begin:
                print(f'{title}: what became of {draft.begin:,} records is '
                      f'kept in {draft.folder.path}; the same command goes '
                      'on from there', file=sys.stderr)
            raise
        seconds = time.perf_counter() - start
    skipped = _read_reasons(draft.skipped)
    return {
        'records': len(source),
        'begin': first,
        'seconds': round(seconds, 2),
        'records_per_second': round(len(indices) / max(seconds, 1e-9), 1),
        'skipped': skipped.result(),
        'skipped_file': str(draft.skipped) if skipped.total else None,
    }


def _read_reasons(path: Path) -> Reasons:
    """What all runs together have left out."""
    reasons = Reasons()
    if path.exists():
        with open(path, encoding='utf-8') as file:
            for line in file:
                item = json.loads(line)
                reasons.add(item['record'], item['reason'])
    return reasons


def count_records(path: Path) -> Dict[str, int]:
    """How many records an LMDB of ours has, and how many labels."""
    with lmdb.open(str(path), readonly=True, lock=False) as env:
        with env.begin() as transaction:
            count = int(transaction.get(b'num-samples', b'0'))
        return {
            'records': count,
            'labelled': env.stat()['entries'] - count - 1
        }


def identify(source: RecordSource) -> List[Dict[str, Any]]:
    """What tells a source from others, and from itself after a change.

    Files are told by size and time, folders by their number of images and by
    names spread over them.
    """
    return [_identify(leaf) for leaf in leaves(source)]


def _identify(leaf: RecordSource) -> Dict[str, Any]:
    names = hashlib.sha256()
    spread = np.linspace(0, len(leaf) - 1, NAMES).round()
    for index in np.unique(spread).astype(int).tolist():
        names.update(leaf.name(index).encode('utf-8', 'surrogatepass') + b'\0')
    found = {
        'path': osp.abspath(leaf.path),
        'layout': leaf.layout,
        'records': len(leaf),
        'file': _stamp(leaf.path),
        'names': names.hexdigest()
    }
    labels = getattr(leaf, 'labels', None)
    if labels is not None:
        found.update(labels=osp.abspath(labels), label_file=_stamp(labels))
    return found


def _stamp(path: str) -> Tuple[int, int]:
    """Size and time of a file or an LMDB; nothing of a folder of images."""
    data = osp.join(path, 'data.mdb')
    file = data if osp.exists(data) else path
    if osp.isdir(file):
        return (0, 0)
    about = os.stat(file)
    return about.st_size, about.st_mtime_ns


def refuse_early(draft: Path, places: Sequence[Path],
                 overwrite: bool) -> None:
    """Refuse what may not be replaced, before sources are gone through.

    Raises:
        FileExistsError: If something is there, and no draft that may have
            put it there.
    """
    if not draft.exists():
        for place in places:
            refuse_to_replace(place, overwrite)


def refuse_source_as_result(given: Sequence[str], source: RecordSource,
                            places: Sequence[Path]) -> None:
    """Refuse to write where something is read.

    Args:
        given (Sequence[str]): The sources as the user wrote them.
        source (RecordSource): All of them, open.
        places (Sequence[Path]): What is to be made.

    Raises:
        ValueError: If a place is a source, or lies in a folder of LMDBs that
            is one: when it is gone on with, the draft would be one of them.
    """
    read = [path for leaf in leaves(source)
            for path in (leaf.path, getattr(leaf, 'labels', None)) if path]
    folders = [path for path in given if osp.isdir(path) and path not in read]
    for place in map(osp.realpath, places):
        if place in map(osp.realpath, read):
            raise ValueError(
                f'{place} is read from, and cannot be written to at the same '
                'time. Give another path for the result')
        for folder in map(osp.realpath, folders):
            if osp.commonpath([place, folder]) == folder:
                raise ValueError(
                    f'{place} lies in {folder}, all LMDBs of which are read. '
                    'Give a path outside of it for the result')
