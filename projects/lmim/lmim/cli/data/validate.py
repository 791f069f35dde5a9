"""`validate`: every record is decoded."""
import argparse
import json
import time
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Dict, Iterator, Optional

from lmim.utils.atomic import whole_file
from lmim.cli import Command, at_least
from .examination import Examination, Finding
from .inputs import add_input_arguments, open_input
from .parallel import add_workers_argument, map_records
from .reasons import Reasons, tell_reasons


class Validate(Command):
    """Decode every record, and tell which are bad and which are odd.

    Bad ones are those that training would skip: no bytes, no picture that can
    be decoded, a label that is no text, or none where the others have one.
    If there is any, the exit status is 1.

    Odd ones are warnings: pictures that are tiny or very long, labels that
    are empty, begin or end with a blank, or hold characters that cannot be
    seen. `inspect` tells of sizes and characters as a whole, and `check`
    whether a recognizer can learn the labels.
    """

    name = 'validate'
    summary = 'decode every record and name the bad ones'
    example = 'validate words.lmdb --report bad.jsonl'

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the arguments."""
        add_input_arguments(parser)
        add = parser.add_argument
        add('--unlabelled', action='store_true',
            help='do not look at labels')
        add('--min-side', type=at_least(1), default=Examination.min_side,
            metavar='PIXELS',
            help='warn of a shorter side below this (default: %(default)s)')
        add('--max-ratio', type=at_least(1), default=Examination.max_ratio,
            metavar='TIMES',
            help='warn of a longer side of more times the shorter one '
            '(default: %(default)s)')
        add('--report', type=Path, metavar='FILE.jsonl',
            help='write the names of all bad and odd records, with reasons, '
            'a JSON object a line')
        add_workers_argument(parser)

    def run(self, args: argparse.Namespace) -> Dict[str, Any]:
        """Examine all records."""
        source = open_input(args)
        examine = Examination(not args.unlabelled, args.min_side,
                              args.max_ratio)
        bad, odd, odd_records = Reasons(), Reasons(), 0
        start = time.perf_counter()
        with _report_file(args.report) as file:
            for found in map_records(examine, source, range(len(source)),
                                     args.workers, self.name):
                if found.fault is not None:
                    bad.add(found.name, found.fault)
                for suspicion in found.suspicions:
                    odd.add(found.name, str(suspicion), suspicion.kind)
                odd_records += bool(found.suspicions)
                if file is not None and found.name:
                    file.write(_line(found))
        seconds = time.perf_counter() - start
        return {
            'ok': not bad.total,
            'path': source.path,
            'layout': source.layout,
            'records': len(source),
            'bad': bad.result(),
            'odd_records': odd_records,
            'odd': odd.result(),
            'report': None if args.report is None else str(args.report),
            'seconds': round(seconds, 2),
            'records_per_second': round(len(source) / max(seconds, 1e-9), 1)
        }

    def report(self, result: Dict[str, Any]) -> str:
        """Tell what was found in words."""
        bad = result['bad']['total']
        lines = [f'{result["path"]}: {result["layout"]}',
                 f'{result["records"]:,} records, {bad:,} of them bad, '
                 f'{result["odd_records"]:,} odd']
        lines += tell_reasons(result['bad'], 'bad')
        lines += tell_reasons(result['odd'], 'odd')
        if result['report']:
            lines.append(f'all of them: {result["report"]}')
        elif bad > len(result['bad']['first']):
            lines.append('--report FILE.jsonl names all of them')
        if bad:
            lines.append('Training skips bad records; `create` makes an LMDB '
                         'without them')
        lines.append(f'{result["seconds"]:.1f} s, '
                     f'{result["records_per_second"]:,.0f} records/s')
        return '\n'.join(lines)


def _line(found: Finding) -> str:
    """What the file says of a record."""
    about = {
        'record': found.name,
        'bad': found.fault,
        'odd': [str(suspicion) for suspicion in found.suspicions]
    }
    return json.dumps(about) + '\n'


@contextmanager
def _report_file(path: Optional[Path]) -> Iterator[Optional[IO[str]]]:
    """A file that is there whole or not at all, or none."""
    if path is None:
        yield None
        return
    with whole_file(path, overwrite=True) as draft:
        with open(draft, 'w', encoding='utf-8') as file:
            yield file
