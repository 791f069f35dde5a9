"""What commands read, and how they report on its records."""
import argparse
import os.path as osp
import re
from collections import Counter
from pathlib import Path
from typing import Any, Dict, List, Optional, Sequence, Tuple

from lmim.datasets.records import (RecordSource, UnreadableRecordError,
                                   is_lmdb, leaves, open_sources)
from lmim.utils.errors import UserError

#: So many records are named in a result, and so much of a list in a report.
NAMED, SHOWN = 20, 40
#: More kinds of reasons than this are not distinguished.
KINDS_AT_MOST = 100
#: What differs between reasons of one kind: quoted
#: bytes and names, and numbers.
_DETAIL = re.compile(r"""
    b?'(?:\\.|[^'\\])*' | b?"(?:\\.|[^"\\])*" | \d[\d,.]*\d | \d
    """, re.VERBOSE)


def add_input_arguments(parser: argparse.ArgumentParser,
                        nargs: str = '+') -> None:
    """Declare what a command reads: ``SOURCE``, and what belongs to it."""
    add = parser.add_argument
    add('sources', nargs=nargs, metavar='SOURCE',
        help='an LMDB, a folder of images or of LMDBs, a list '
        '(path<TAB>label), JSON lines or MMOCR JSON')
    add('--labels', metavar='LMDB',
        help='an LMDB that holds the labels of SOURCE, an LMDB of images')
    add('--image-root', metavar='DIR',
        help='the folder from which the paths in a list or JSON start '
        '(default: the one that the file lies in)')


def open_input(args: argparse.Namespace) -> RecordSource:
    """Open what :func:`add_input_arguments` was given.

    Returns:
        RecordSource: All records, in the order of the sources.

    Raises:
        UserError: If ``--labels`` or ``--image-root`` has nothing to belong
            to.
        UserError, OSError: As of
            :func:`~lmim.datasets.records.open_sources`.
    """
    lists = [path for path in args.sources
             if not osp.isdir(path) and not is_lmdb(path)]
    if args.labels is not None and len(args.sources) != 1:
        raise UserError(
            f'--labels {args.labels} belongs to one LMDB of images, and '
            f'there are {len(args.sources)} sources. Make each of them an '
            'LMDB with labels by `create` first')
    if args.image_root is not None and not lists:
        raise UserError(
            f'--image-root {args.image_root} is for paths in a list or JSON, '
            'and no SOURCE is such a file. Leave it out')
    specs: List[Dict[str, Any]] = [
        dict(path=path, labels=args.labels,
             image_root=args.image_root if path in lists else None)
        for path in args.sources]
    return open_sources(specs)


def label_or_none(source: RecordSource, index: int) -> Optional[str]:
    """The label of a record, None also where it cannot be read."""
    try:
        return source.label(index)
    except UnreadableRecordError:
        return None


def read_record(source: RecordSource,
                index: int) -> Tuple[bytes, Optional[str]]:
    """The encoded picture of a record, and its label."""
    return source.read(index), label_or_none(source, index)


def describe(source: RecordSource) -> List[Dict[str, Any]]:
    """Path, layout, number of records and labels of each source."""
    return [{
        'path': leaf.path, 'layout': leaf.layout, 'records': len(leaf),
        'labelled': leaf.labelled
    } for leaf in leaves(source)]


def source_lines(sources: List[Dict[str, Any]]) -> List[str]:
    """Lines of a report on what :func:`describe` gives."""
    return [f'{one["path"]}: {one["layout"]}, {one["records"]:,} records'
            for one in sources]


def refuse_source_as_result(source: RecordSource,
                            places: Sequence[Path]) -> None:
    """Raise a UserError where something would be written that is read."""
    read = {osp.realpath(path) for leaf in leaves(source)
            for path in (leaf.path, getattr(leaf, 'labels', None)) if path}
    for place in map(osp.realpath, places):
        if place in read:
            raise UserError(
                f'{place} is read from, and cannot be written to at the same '
                'time. Give another path for the result')


class Reasons:
    """Why records were left out, or are suspicious, counted by kind.

    Its memory does not grow with the number of records.
    """

    def __init__(self) -> None:
        self.counts: Counter = Counter()
        self.first: List[Dict[str, str]] = []

    def add(self, name: str, reason: str, kind: Optional[str] = None) -> None:
        """Count a record in, by its name, with a reason.

        The kind is by default the reason without numbers and quotations.
        """
        kind = kind or _DETAIL.sub('...', reason)
        if kind not in self.counts and len(self.counts) >= KINDS_AT_MOST:
            kind = 'other reasons'
        self.counts[kind] += 1
        if len(self.first) < NAMED:
            self.first.append({'record': name, 'reason': reason})

    @property
    def total(self) -> int:
        """int: How many reasons there were."""
        return sum(self.counts.values())

    def result(self) -> Dict[str, Any]:
        """The counts, most frequent first, and the first records."""
        return {
            'total': self.total,
            'counts': dict(self.counts.most_common()),
            'first': self.first
        }


def reason_lines(result: Dict[str, Any], title: str) -> List[str]:
    """What :meth:`Reasons.result` gives, under a title, as lines."""
    lines = [f'{title}, {kind}: {count:,}'
             for kind, count in result['counts'].items()]
    lines += [f'  {item["record"]}: {item["reason"]}'
              for item in result['first']]
    more = result['total'] - len(result['first'])
    return lines + ([f'  and {more:,} more'] if more > 0 else [])


def table(rows: Sequence[Tuple[str, ...]]) -> List[str]:
    """Rows of text as lines with aligned columns."""
    widths = [max(map(len, column)) for column in zip(*rows)]
    return ['  '.join(map(str.ljust, row, widths)).rstrip() for row in rows]
