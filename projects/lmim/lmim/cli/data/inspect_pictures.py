"""Sizes and formats of pictures, from their headers."""
from array import array
from collections import Counter
from typing import Any, Dict, List, NamedTuple, Optional, Sequence

import numpy as np

from lmim.datasets.decoding import image_size
from lmim.datasets.records import RecordSource, UnreadableRecordError
from .histograms import spread, tell_spread
from .parallel import map_records
from .reasons import Reasons, tell_reasons

#: How the files of each format begin.
FORMATS = {
    b'\xff\xd8\xff': 'JPEG',
    b'\x89PNG': 'PNG',
    b'BM': 'BMP',
    b'II': 'TIFF',
    b'MM': 'TIFF',
    b'RIFF': 'WebP',
    b'GIF8': 'GIF',
}
#: Where the bins of each histogram begin.
EDGES: Dict[str, Sequence[float]] = {
    'bytes': (0, 512, *(1024 * 2**n for n in range(13))),
    'width': (0, 8, 16, 32, 64, 96, 128, 192, 256, 384, 512, 1024, 2048),
    'height': (0, 8, 16, 24, 32, 48, 64, 96, 128, 256, 512, 1024, 2048),
    'aspect ratio': (0, 0.25, 0.5, 1, 1.5, 2, 3, 4, 6, 8, 12, 16, 32),
}


class Picture(NamedTuple):
    """What the header of a picture says.

    Attributes:
        bytes (int): How many its file has.
        height (int): In pixels.
        width (int): In pixels.
        format (str): Of the file.
        fault (str, optional): Why nothing is known.
        name (str): Of the record, then.
    """
    bytes: int = 0
    height: int = 0
    width: int = 0
    format: str = ''
    fault: Optional[str] = None
    name: str = ''


def read_header(source: RecordSource, index: int) -> Picture:
    """Read the header of a record's picture."""
    try:
        value = source.read(index)
        height, width = image_size(value)
        if not height or not width:
            raise UnreadableRecordError('its header says that it is empty')
    except UnreadableRecordError as error:
        return Picture(fault=str(error), name=source.name(index))
    known = (name for begin, name in FORMATS.items()
             if value.startswith(begin))
    return Picture(len(value), height, width, next(known, 'other'))


def inspect_pictures(source: RecordSource, indices: Sequence[int],
                     workers: int) -> Dict[str, Any]:
    """Sizes of pictures.

    Args:
        source (RecordSource): The records.
        indices (Sequence[int]): Which to look at.
        workers (int): How many processes; 0 means this one.

    Returns:
        Dict[str, Any]: ``looked_at``, ``formats``, ``unreadable`` (see
        :meth:`Reasons.result`), and for each of :data:`EDGES` what
        :func:`spread` gives, if any picture can be read.
    """
    columns = {name: array('d') for name in EDGES}
    formats: Counter = Counter()
    faults = Reasons()
    for found in map_records(read_header, source, indices, workers,
                             'pictures'):
        if found.fault is not None:
            faults.add(found.name, found.fault)
            continue
        formats[found.format] += 1
        columns['bytes'].append(found.bytes)
        columns['width'].append(found.width)
        columns['height'].append(found.height)
        columns['aspect ratio'].append(found.width / found.height)
    result: Dict[str, Any] = {
        'looked_at': len(indices),
        'formats': dict(formats.most_common()),
        'unreadable': faults.result()
    }
    if formats:
        result.update({name: spread(np.array(values), EDGES[name])
                       for name, values in columns.items()})
    return result


def tell_pictures(found: Dict[str, Any]) -> List[str]:
    """Lines of a report on what :func:`inspect_pictures` gave."""
    formats = ', '.join(f'{count:,} {name}'
                        for name, count in found['formats'].items())
    lines = [f'formats: {formats or "none could be told"}']
    lines += tell_reasons(found['unreadable'], 'unreadable')
    for name in EDGES:
        if name in found:
            lines += tell_spread(f'{name} (width / height)'
                                 if name == 'aspect ratio' else name,
                                 found[name])
    return lines
