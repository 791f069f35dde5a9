"""Refuses a set that is of no use, before training begins."""
from typing import Any, Callable, List

from .parts import Part
from .records import JoinedSource, RecordSource, UnreadableRecordError

#: So many records of a part, evenly spread, are looked at for one that is
#: readable before the part is refused.
MAX_PROBES = 1000


def check_labelled(source: RecordSource) -> None:
    """Refuse sources without labels where labels are wanted.

    Args:
        source (RecordSource): Of a data set.

    Raises:
        ValueError: If any has none; all of them are listed.
    """
    listing = ''.join(f'\n  {one.path} ({one.layout})'
                      for one in _unlabelled(source))
    if listing:
        raise ValueError(
            f'Labels are needed (with_text=True), and there are none in:'
            f'{listing}\nGive sets with labels; of an LMDB whose labels are '
            "in another one, paths=[dict(path='IMAGES', labels='LABELS')]. "
            'To pre-train on pictures alone, leave out with_text.')


def _unlabelled(source: RecordSource) -> List[RecordSource]:
    if isinstance(source, JoinedSource):
        return [one for part in source.sources for one in _unlabelled(part)]
    return [] if source.labelled else [source]


def check_readable(part: Part, load: Callable[[int], Any],
                   name: Callable[[int], str]) -> None:
    """Refuse a part of a set in which no record can be read.

    Args:
        part (Part): The part.
        load (Callable[[int], Any]): Reads a record of the set.
        name (Callable[[int], str]): Names one.

    Raises:
        ValueError: If all of the records looked at are unreadable.
    """
    probes = range(part.begin, part.end, -(-part.size // MAX_PROBES))
    first = ''
    for index in probes:
        try:
            load(index)
            return
        except UnreadableRecordError as error:
            first = first or f'{name(index)}: {error}'
    raise ValueError(
        f'{part.name}: no readable record among {len(probes):,} looked at, '
        f'of {part.size:,}. The first: {first}. Check that these are images, '
        'and copy or make the set again.')
