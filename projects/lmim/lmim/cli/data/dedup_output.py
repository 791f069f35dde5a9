"""What `dedup` leaves behind: a report, pictures of pairs, a clean set."""
import json
from pathlib import Path
from typing import Any, Dict, Iterator, List, Optional, Tuple

import cv2
import numpy as np

from lmim.datasets.decoding import decode_image
from lmim.datasets.lmdb_writer import LMDBWriter
from lmim.visualization.sheet import contact_sheet
from lmim.datasets.records import RecordSource, UnreadableRecordError
from lmim.datasets.duplicates.twins import KINDS, NEAR, Twins
from lmim.utils.atomic import whole_file
from .parallel import map_records

#: Pairs on a sheet.
PAIRS = 48


def pair_of(twins: Twins, record: int, left: RecordSource,
            right: RecordSource) -> Dict[str, Any]:
    """What is told of a record and its twin."""
    twin = int(twins.twin[record])
    return {
        'record': left.name(record),
        'index': record,
        'label': _label(left, record),
        'twin': right.name(twin),
        'twin_index': twin,
        'twin_label': _label(right, twin),
        'kind': KINDS[twins.kind[record]],
        'bits': int(twins.bits[record]),
        'correlation': round(float(twins.correlation[record]), 4),
    }


def _label(source: RecordSource, number: int) -> Optional[str]:
    try:
        return source.label(number)
    except UnreadableRecordError:
        return None


def different_labels(twins: Twins, left: RecordSource,
                      right: RecordSource) -> int:
    """Pairs in which both have a label, and not the same."""
    count = 0
    for record in np.flatnonzero(twins.kind).tolist():
        pair = pair_of(twins, record, left, right)
        labels = {pair['label'], pair['twin_label']} - {None}
        count += len(labels) == 2
    return count


def write_report(path: Path, overwrite: bool, twins: Twins,
                 left: RecordSource, right: RecordSource) -> None:
    """Write one line of JSON for each record that has a twin."""
    with whole_file(path, overwrite) as draft:
        with open(draft, 'w', encoding='utf-8') as file:
            for record in np.flatnonzero(twins.kind).tolist():
                pair = pair_of(twins, record, left, right)
                file.write(json.dumps(pair, ensure_ascii=False) + '\n')


def write_sheet(path: Path, overwrite: bool, twins: Twins, left: RecordSource,
                right: RecordSource) -> int:
    """Draw pairs side by side, the least alike first.

    Returns:
        int: How many there are on it.
    """
    records = np.flatnonzero(twins.kind)
    order = np.lexsort((twins.correlation[records],
                        twins.kind[records] != NEAR))
    shown = records[order][:PAIRS].tolist()
    tiles: List[Tuple[np.ndarray, str]] = []
    for record in shown:
        twin = int(twins.twin[record])
        kind = KINDS[twins.kind[record]]
        alike = (f' {twins.correlation[record]:.3f}'
                 if twins.kind[record] == NEAR else '')
        tiles += [
            (decode_image(left.read(record)), f'{record}: {kind}{alike}'),
            (decode_image(right.read(twin)), f'   twin {twin}'),
        ]
    with whole_file(path, overwrite) as draft:
        draft.write_bytes(
            cv2.imencode('.png', contact_sheet(tiles))[1].tobytes())
    return len(shown)


def write_clean(path: Path, overwrite: bool, keep: np.ndarray,
                source: RecordSource, workers: int) -> None:
    """Write an LMDB of some of a source's records.

    Args:
        path (Path): Where.
        overwrite (bool): Whether one that is there gives way.
        keep (np.ndarray): Numbers of the records, shape (K, ).
        source (RecordSource): Where they are read.
        workers (int): How many processes; 0 means this one.
    """
    with LMDBWriter(path, overwrite) as writer:
        for image, label in _records(keep, source, workers):
            writer.add(image, label)


def _records(keep: np.ndarray, source: RecordSource,
             workers: int) -> Iterator[Tuple[bytes, Optional[str]]]:
    return map_records(_read, source, keep.tolist(), workers, 'writing')


def _read(source: RecordSource, index: int) -> Tuple[bytes, Optional[str]]:
    return source.read(index), _label(source, index)
