"""Brings the records of a source into LMDBs."""
import json
import os.path as osp
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Dict, Mapping, Sequence

import lmdb

from lmim.datasets.lmdb_writer import LMDBWriter
from lmim.datasets.records import RecordSource
from lmim.utils.atomic import whole_file
from .conversion import Conversion
from .inputs import leaves
from .parallel import map_records
from .reasons import Reasons


def transfer(source: RecordSource, places: Mapping[str, Path],
             skipped: Path, conversion: Conversion, workers: int,
             title: str, overwrite: bool) -> Dict[str, Any]:
    """Copy all records into LMDBs, which appear whole or not at all.

    Args:
        source (RecordSource): The records.
        places (Mapping[str, Path]): Name and place of each LMDB.
        skipped (Path): Where the list of what was left out comes to lie, as
            JSON lines; there is none if nothing was.
        conversion (Conversion): What becomes of each.
        workers (int): How many processes; 0 means this one.
        title (str): What is being done, for the progress.
        overwrite (bool): Whether LMDBs that are there give way.

    Returns:
        Dict[str, Any]: ``records``, ``seconds``, ``records_per_second``,
        ``skipped`` (see :meth:`Reasons.result`) and ``skipped_file``.

    Raises:
        ValueError: If an LMDB would have no record.
    """
    start = time.perf_counter()
    reasons = Reasons()
    with ExitStack() as stack:
        writers = {name: stack.enter_context(LMDBWriter(place, overwrite))
                   for name, place in places.items()}
        lines = []
        for record in map_records(conversion, source, range(len(source)),
                                  workers, title):
            if record.reason is None:
                writers[record.part].add(record.image, record.label)
            else:
                reasons.add(record.name, record.reason)
                lines.append(json.dumps(
                    {'record': record.name, 'reason': record.reason}))
        empty = [str(writer.path) for writer in writers.values()
                 if not writer.count]
        if empty:
            why = 'None was left out: there are too few'
            if lines:
                first = json.loads(lines[0])
                why = (f'{len(lines):,} were left out; the first: '
                       f'{first["record"]}: {first["reason"]}')
            raise ValueError(
                f'{", ".join(empty)} would have no record, so nothing was '
                f'made of {len(source):,} records. {why}')
    if lines:
        with whole_file(skipped, overwrite=True) as file:
            file.write_text('\n'.join(lines) + '\n', encoding='utf-8')
    else:
        skipped.unlink(missing_ok=True)
    seconds = time.perf_counter() - start
    return {
        'records': len(source),
        'seconds': round(seconds, 2),
        'records_per_second': round(len(source) / max(seconds, 1e-9), 1),
        'skipped': reasons.result(),
        'skipped_file': str(skipped) if lines else None,
    }


def count_records(path: Path) -> Dict[str, int]:
    """How many records an LMDB of ours has, and how many labels."""
    with lmdb.open(str(path), readonly=True, lock=False) as env:
        with env.begin() as transaction:
            count = int(transaction.get(b'num-samples', b'0'))
        return {
            'records': count,
            'labelled': env.stat()['entries'] - count - 1
        }


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
