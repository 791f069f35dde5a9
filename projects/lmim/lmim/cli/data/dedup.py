"""`dedup`: pictures of a set that are in another too, or in it twice."""
import argparse
import json
import os.path as osp
from functools import partial
from pathlib import Path
from typing import Any, Dict, List, Tuple

import cv2
import numpy as np

from lmim.cli import Command
from lmim.datasets.copies import (FINGERPRINT, KINDS, LEAST_CORRELATION,
                                  MOST_DIFFERENCE, NEAR, Copies, compare,
                                  find_copies, fingerprint, grey)
from lmim.datasets.decoding import decode_image
from lmim.datasets.lmdb_writer import LMDBWriter
from lmim.datasets.records import (JoinedSource, RecordSource, leaves,
                                   open_sources, parts_of_source)
from lmim.utils.atomic import refuse_existing, refuse_file, write_atomic
from lmim.utils.errors import UserError
from lmim.visualization.sheet import contact_sheet
from .inputs import (Reasons, add_input_arguments, label_or_none, open_input,
                     read_record, reason_lines, refuse_source_as_result)
from .parallel import add_workers_argument, map_records

#: So many pairs are named in the result, and drawn on a sheet.
NAMED, DRAWN = 10, 48
#: What to do about copies: in the set itself, and in another.
ADVICE = (
    'Such pictures are seen more often in training, and may lie on both '
    'sides of a split: --write-clean OUT.lmdb writes the set without them',
    'Training on pictures of a benchmark makes its figures too good: '
    '--write-clean OUT.lmdb writes the set without them')


class Dedup(Command):
    """Find pictures of SOURCE that are in other sets too, or in it twice.

    Three kinds are distinguished: the same file (bytes), the same pixels in
    another file (pixels), and pictures that look the same (near): one was
    compressed again, or its size was changed. Their hashes are similar, and
    their pixels, looked at again, too. Crops of different outlines, other
    colours and turned pictures are not found, and pictures without contrast
    only if their pixels are equal.

    The exit status is 1 if there are copies, unless --write-clean was given.
    """

    name = 'dedup'
    summary = 'find pictures that are in two sets, or twice in one'
    example = ('dedup train.lmdb --against benchmark/ --sheet pairs.png '
               '--write-clean train-clean.lmdb')

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the arguments."""
        add_input_arguments(parser)
        add = parser.add_argument
        add('--against', nargs='+', metavar='OTHER', default=[],
            help='the sets in which copies are looked for (default: SOURCE '
            'itself, where the first of several stays)')
        add('--report', type=Path, metavar='FILE.jsonl',
            help='write one line of JSON for each record that is a copy')
        add('--sheet', type=Path, metavar='FILE.png',
            help='draw pairs to look at, the least alike first')
        add('--write-clean', type=Path, metavar='OUT.lmdb',
            help='write SOURCE without the records that are copies')
        add('--overwrite', action='store_true', help='replace these files')
        add_workers_argument(parser)

    def run(self, args: argparse.Namespace) -> Dict[str, Any]:
        """Look at all pictures, then at pairs."""
        for path in filter(None, (args.report, args.sheet)):
            refuse_file(path, args.overwrite)
        left = open_input(args)
        right = open_sources(args.against) if args.against else left
        _refuse(args, left, right)
        prints, lost = _look(left, args.workers, 'SOURCE')
        others, lost_others = (_look(right, args.workers, 'OTHER')
                               if args.against else (None, Reasons()))
        copies = find_copies(
            prints, others, lambda ours, theirs: _correlations(
                JoinedSource([left, right]), args.workers, ours,
                theirs + len(left)))
        records = np.flatnonzero(copies.kind)
        pairs = [_pair(copies, record, left, right)
                 for record in records.tolist()]
        clean = None
        if args.report:
            lines = (json.dumps(pair, ensure_ascii=False) + '\n'
                     for pair in pairs)
            write_atomic(args.report, ''.join(lines).encode())
        if args.sheet and pairs:
            sheet = _draw_pairs(copies, left, right)
            write_atomic(args.sheet, cv2.imencode('.png', sheet)[1].tobytes())
        if args.write_clean:
            keep = np.flatnonzero((copies.kind == 0) & (prints['aspect'] > 0))
            with LMDBWriter(args.write_clean, args.overwrite) as writer:
                for image, label in map_records(
                        read_record, left, keep.tolist(), args.workers,
                        'writing'):
                    writer.add(image, label)
            clean = {'path': str(args.write_clean), 'records': len(keep)}
        return {
            'ok': not pairs or bool(args.write_clean),
            'source': left.path,
            'against': args.against,
            'records': len(left),
            'copies': len(pairs),
            'kinds': {kind: int((copies.kind == number).sum())
                      for number, kind in enumerate(KINDS) if number},
            'parts': _count_parts(left, copies.kind > 0),
            'found_in': (_count_parts(right, copies.found)
                         if args.against else []),
            'different_labels': sum(
                len({pair['label'], pair['of_label']} - {None}) == 2
                for pair in pairs),
            'unreadable': lost.result(),
            'unreadable_others': lost_others.result(),
            'first': pairs[:NAMED],
            'report': args.report and str(args.report),
            'sheet': str(args.sheet) if args.sheet and pairs else None,
            'clean': clean,
        }

    def report(self, result: Dict[str, Any]) -> str:
        """Report in words."""
        where = ', '.join(result['against']) or 'the set itself'
        kinds = ', '.join(f'{kind} {count:,}'
                          for kind, count in result['kinds'].items())
        lines = [
            f'{result["copies"]:,} of {result["records"]:,} pictures of '
            f'{result["source"]} are copies of pictures in {where} ({kinds});'
            f' {result["different_labels"]:,} of the pairs have different '
            'labels'
        ]
        for title, parts in (('of', result['parts']),
                             ('have copies, of', result['found_in'])):
            lines += [f'  {part["count"]:,} {title} the {part["records"]:,} '
                      f'in {part["path"]}' for part in parts]
        lines += [f'  {pair["record"]}: {pair["kind"]}, {pair["of"]}'
                  for pair in result['first']]
        more = result['copies'] - len(result['first'])
        if more > 0:
            lines.append(f'  and {more:,} more (--report writes all)')
        for key in ('unreadable', 'unreadable_others'):
            lines += reason_lines(result[key], 'cannot be read')
        if not result['ok']:
            lines.append(ADVICE[bool(result['against'])])
        if result['sheet']:
            lines.append(f'pairs to look at: {result["sheet"]}')
        if result['clean']:
            lines.append(f'{result["clean"]["records"]:,} records that are '
                         f'no copies are in {result["clean"]["path"]}')
        return '\n'.join(lines)


def _refuse(args: argparse.Namespace, left: RecordSource,
            right: RecordSource) -> None:
    """Say before long work what cannot be done."""
    out = args.write_clean
    if out is not None:
        for source in (left, right):
            refuse_source_as_result(source, [out])
        refuse_existing(out, args.overwrite)
    if args.against:
        both = {osp.realpath(leaf.path) for leaf in leaves(left)
                } & {osp.realpath(leaf.path) for leaf in leaves(right)}
        if both:
            raise UserError(
                f'{", ".join(sorted(both))} is SOURCE and OTHER: each of its '
                'pictures is its own copy. Leave --against out to look '
                'inside one set')


def _look(source: RecordSource, workers: int,
          title: str) -> Tuple[np.ndarray, Reasons]:
    """Fingerprints of all pictures, and what cannot be read."""
    prints: np.ndarray = np.zeros(len(source), FINGERPRINT)
    lost = Reasons()
    found = map_records(fingerprint, source, range(len(source)), workers,
                        title)
    for number, (row, reason) in enumerate(found):
        prints[number] = np.frombuffer(row, FINGERPRINT)[0]
        if reason is not None:
            lost.add(source.name(number), reason)
    return prints, lost


def _correlations(source: RecordSource, workers: int, left: np.ndarray,
                  right: np.ndarray) -> np.ndarray:
    """Read both pictures of each pair again and compare their pixels."""
    records, starts = np.unique(left, return_index=True)
    others = dict(zip(records.tolist(), np.split(right, starts[1:])))
    found = map_records(partial(_compare, others=others), source,
                        records.tolist(), workers, 'looking at pairs')
    return np.array([value for part in found for value in part], float)


def _compare(source: RecordSource, index: int,
             others: Dict[int, np.ndarray]) -> List[float]:
    """Correlations of a record with others, NaN with those unlike it."""
    picture = grey(decode_image(source.read(index)))
    alike = []
    for other in others[index].tolist():
        correlation, difference = compare(
            picture, grey(decode_image(source.read(other))))
        same = (correlation >= LEAST_CORRELATION
                and difference <= MOST_DIFFERENCE)
        alike.append(correlation if same else np.nan)
    return alike


def _count_parts(source: RecordSource,
                 chosen: np.ndarray) -> List[Dict[str, Any]]:
    """How many records were chosen (bool of shape (N, )) in each part."""
    return [{'path': part.name, 'records': part.size,
             'count': int(chosen[part.begin:part.end].sum())}
            for part in parts_of_source(source)]


def _pair(copies: Copies, record: int, left: RecordSource,
          right: RecordSource) -> Dict[str, Any]:
    """What is reported of a record and what it is a copy of."""
    of = int(copies.of[record])
    return {
        'record': left.name(record),
        'index': record,
        'label': label_or_none(left, record),
        'of': right.name(of),
        'of_index': of,
        'of_label': label_or_none(right, of),
        'kind': KINDS[copies.kind[record]],
        'correlation': round(float(copies.correlation[record]), 4),
    }


def _draw_pairs(copies: Copies, left: RecordSource,
                right: RecordSource) -> np.ndarray:
    """Pairs side by side, the least alike first."""
    records = np.flatnonzero(copies.kind)
    order = np.lexsort((copies.correlation[records],
                        copies.kind[records] != NEAR))
    tiles = []
    for record in records[order][:DRAWN].tolist():
        of, kind = int(copies.of[record]), KINDS[copies.kind[record]]
        tiles += [
            (decode_image(left.read(record)),
             f'{record}: {kind} {copies.correlation[record]:.3f}'),
            (decode_image(right.read(of)), f'   of {of}'),
        ]
    return contact_sheet(tiles)
