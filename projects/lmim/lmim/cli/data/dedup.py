"""`dedup`: pictures of a set that are in another too, or in it twice."""
import argparse
import os.path as osp
from pathlib import Path
from typing import Any, Dict, List, Optional

import numpy as np

from lmim.datasets.duplicates.fingerprints import (Unreadable, fingerprint,
                                                   gather)
from lmim.datasets.records import RecordSource, open_sources, parts_of_source
from lmim.datasets.duplicates.twins import KINDS, find_twins
from lmim.utils.atomic import refuse_file
from lmim.cli import Command
from .dedup_output import (different_labels, pair_of, write_clean,
                           write_report, write_sheet)
from .dedup_verify import Verifier
from .inputs import add_input_arguments, leaves, open_input
from .parallel import add_workers_argument, map_records
from lmim.cli import track
from .reasons import Reasons, tell_reasons
from .transfer import refuse_source_as_result

#: So many pairs are named in the result.
NAMED_AT_MOST = 10

#: What to do about twins: in the set itself, and in another.
ADVICE = (
    'Such pictures are seen more often in training, and may lie on both '
    'sides of a split: --write-clean OUT.lmdb writes the set without them',
    'Training on pictures of a benchmark makes its figures too good: '
    '--write-clean OUT.lmdb writes the set without them')


class Dedup(Command):
    """Find pictures of SOURCE that are in other sets too, or in it twice.

    Three kinds are told apart: the same file (bytes), the same pixels in
    another file (pixels), and pictures that look the same (near): one was
    compressed again, or its size was changed. Their hashes are similar, and
    their pixels, looked at again, too. Crops of different outlines, other
    colours and turned pictures are not found, and pictures without contrast
    only if their pixels are equal.

    The exit status is 1 if there are twins, unless --write-clean was given.
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
            help='the sets in which twins are looked for (default: SOURCE '
            'itself, where the first of twins stays)')
        add('--exact', action='store_true',
            help='look for the same files and the same pixels only')
        add('--report', type=Path, metavar='FILE.jsonl',
            help='write one line of JSON for each record with a twin')
        add('--sheet', type=Path, metavar='FILE.png',
            help='draw pairs to look at, the least alike first')
        add('--write-clean', type=Path, metavar='OUT.lmdb',
            help='write SOURCE without the records that have a twin')
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
                               if args.against else (None, []))
        twins = find_twins(
            prints, others,
            None if args.exact else Verifier(left, right, args.workers),
            lambda steps, total: track(steps, total, 'searching'))
        records = np.flatnonzero(twins.kind)
        result: Dict[str, Any] = {
            'ok': not len(records) or bool(args.write_clean),
            'source': left.path,
            'against': args.against,
            'records': len(left),
            'with_twin': len(records),
            'kinds': {kind: int((twins.kind == number).sum())
                      for number, kind in enumerate(KINDS) if number},
            'parts': _count_parts(left, twins.kind > 0),
            'found_in': (_count_parts(right, twins.found)
                         if args.against else []),
            'different_labels': different_labels(twins, left, right),
            'unreadable': _reasons(lost, left),
            'unreadable_others': _reasons(lost_others, right),
            'first': [pair_of(twins, record, left, right)
                      for record in records[:NAMED_AT_MOST].tolist()],
            'report': str(args.report) if args.report else None,
            'sheet': None,
            'clean': None,
        }
        if args.report:
            write_report(args.report, args.overwrite, twins, left, right)
        if args.sheet and len(records):
            write_sheet(args.sheet, args.overwrite, twins, left, right)
            result['sheet'] = str(args.sheet)
        if args.write_clean:
            keep = np.flatnonzero((twins.kind == 0) & (prints['aspect'] > 0))
            write_clean(args.write_clean, args.overwrite, keep, left,
                        args.workers)
            result['clean'] = {'path': str(args.write_clean),
                               'records': len(keep)}
        return result

    def report(self, result: Dict[str, Any]) -> str:
        """Tell what was found in words."""
        where = ', '.join(result['against']) or 'the set itself'
        kinds = ', '.join(f'{kind} {count:,}'
                          for kind, count in result['kinds'].items())
        lines = [
            f'{result["with_twin"]:,} of {result["records"]:,} pictures of '
            f'{result["source"]} have a twin in {where} ({kinds}); '
            f'{result["different_labels"]:,} of the pairs have different '
            'labels'
        ]
        for title, parts in (('of', result['parts']),
                             ('are twins, of', result['found_in'])):
            lines += [f'  {part["count"]:,} {title} the {part["records"]:,} '
                      f'in {part["path"]}' for part in parts]
        lines += [f'  {pair["record"]}: {pair["kind"]}, {pair["twin"]}'
                  for pair in result['first']]
        more = result['with_twin'] - len(result['first'])
        if more > 0:
            lines.append(f'  and {more:,} more (--report writes all)')
        for key in ('unreadable', 'unreadable_others'):
            lines += tell_reasons(result[key], 'cannot be read')
        if not result['ok']:
            lines.append(ADVICE[bool(result['against'])])
        if result['sheet']:
            lines.append(f'pairs to look at: {result["sheet"]}')
        if result['clean']:
            lines.append(f'{result["clean"]["records"]:,} records without '
                         f'twins are in {result["clean"]["path"]}')
        return '\n'.join(lines)


def _refuse(args: argparse.Namespace, left: RecordSource,
            right: RecordSource) -> None:
    """Say before long work what cannot be done."""
    out: Optional[Path] = args.write_clean
    if out is not None:
        for given, source in ((args.sources, left), (args.against, right)):
            refuse_source_as_result(given, source, [out])
        if out.exists() and not args.overwrite:
            raise FileExistsError(f'{out} exists; give another path, or '
                                  '--overwrite')
    if args.against:
        both = {osp.realpath(leaf.path) for leaf in leaves(left)
                } & {osp.realpath(leaf.path) for leaf in leaves(right)}
        if both:
            raise ValueError(
                f'{", ".join(sorted(both))} is SOURCE and OTHER: each of its '
                'pictures is its own twin. Leave --against out to look '
                'inside one set')


def _look(source: RecordSource, workers: int, title: str
          ) -> 'tuple[np.ndarray, List[Unreadable]]':
    """Fingerprints of all pictures of a source."""
    return gather(
        map_records(fingerprint, source, range(len(source)), workers, title),
        len(source))


def _count_parts(source: RecordSource,
                 chosen: np.ndarray) -> List[Dict[str, Any]]:
    """How many records were chosen (bool of shape (N, )) in each part."""
    return [{'path': part.name, 'records': part.size,
             'count': int(chosen[part.begin:part.end].sum())}
            for part in parts_of_source(source)]


def _reasons(lost: List[Unreadable], source: RecordSource) -> Dict[str, Any]:
    """Records that cannot be read."""
    reasons = Reasons()
    for record in lost:
        reasons.add(source.name(record.number), record.reason)
    return reasons.result()
