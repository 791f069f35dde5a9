"""`validate`: every record is decoded."""
import argparse
import json
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, List, NamedTuple, Optional, Tuple

from lmim.cli import Command, at_least
from lmim.datasets.decoding import decode_image
from lmim.datasets.records import (JoinedSource, RecordSource,
                                   UnreadableRecordError)
from lmim.utils.atomic import whole_file
from lmim.utils.characters import named_character, oddity
from .inputs import Reasons, add_input_arguments, open_input, reason_lines
from .parallel import add_workers_argument, map_records

#: Kinds of characters that are odd in a label, but not a fault: scripts need
#: them.
ORDINARY = ('combining mark', 'full-width or half-width form')


class Validate(Command):
    """Decode every record, and name those that are bad or odd.

    Bad ones are those that training would skip: no bytes, no picture that can
    be decoded, a label that is no text, or none where the others have one.
    If there is any, the exit status is 1.

    Odd ones are warnings: pictures that are tiny or very long, labels that
    are empty, begin or end with a blank, or hold characters that cannot be
    seen. `inspect` shows sizes and characters as a whole, and `check`
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
        with ExitStack() as stack:
            file = None
            if args.report is not None:
                draft = stack.enter_context(
                    whole_file(args.report, overwrite=True))
                file = stack.enter_context(open(draft, 'w', encoding='utf-8'))
            for found in map_records(examine, source, range(len(source)),
                                     args.workers, self.name):
                if found.fault is not None:
                    bad.add(found.name, found.fault)
                texts = [f'{kind}: {detail}' for kind, detail in found.odd]
                for reason, (kind, _) in zip(texts, found.odd):
                    odd.add(found.name, reason, kind)
                odd_records += bool(texts)
                if file is not None and found.name:
                    file.write(json.dumps({
                        'record': found.name, 'bad': found.fault, 'odd': texts
                    }) + '\n')
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
        """Report in words."""
        bad = result['bad']['total']
        lines = [f'{result["path"]}: {result["layout"]}',
                 f'{result["records"]:,} records, {bad:,} of them bad, '
                 f'{result["odd_records"]:,} odd']
        lines += reason_lines(result['bad'], 'bad')
        lines += reason_lines(result['odd'], 'odd')
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


class Finding(NamedTuple):
    """What was found out about a record.

    Attributes:
        name (str): Its name, empty if nothing was found.
        fault (str, optional): Why training would skip it.
        odd (Tuple[Tuple[str, str], ...]): What is odd about it otherwise:
            the kind, and what differs from record to record.
    """
    name: str = ''
    fault: Optional[str] = None
    odd: Tuple[Tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Examination:
    """Decodes the picture of a record and looks at its label.

    Args:
        labels (bool): Whether labels are looked at.
        min_side (int): A shorter side below so many pixels is odd.
        max_ratio (float): So is a longer side of more times the shorter one.
    """
    labels: bool = True
    min_side: int = 4
    max_ratio: float = 30

    def __call__(self, source: RecordSource, index: int) -> Finding:
        """Examine a record."""
        try:
            odd = self._picture(source.read(index))
            if self.labels:
                odd += _label(source, index)
        except UnreadableRecordError as error:
            return Finding(source.name(index), str(error))
        return (Finding(source.name(index), None, tuple(odd))
                if odd else Finding())

    def _picture(self, value: bytes) -> List[Tuple[str, str]]:
        height, width = decode_image(value).shape[:2]
        short, long = sorted((height, width))
        kinds = []
        if short < self.min_side:
            kinds.append(f'a side is below {self.min_side} pixels')
        if long > self.max_ratio * short:
            kinds.append(f'one side is over {self.max_ratio:g} times the '
                         'other')
        return [(kind, f'{width}x{height}') for kind in kinds]


def _label(source: RecordSource, index: int) -> List[Tuple[str, str]]:
    """What is odd about a label."""
    label = source.label(index)
    if label is None:
        while isinstance(source, JoinedSource):
            source, index = source.locate(index)
        if source.labelled:
            raise UnreadableRecordError('no label')
        return []
    if not label.strip():
        return [('the label is empty', repr(label))]
    odd = []
    if label != label.strip():
        odd.append(('the label begins or ends with a blank', repr(label)))
    for char in sorted(set(label)):
        kind = oddity(char)
        if kind is not None and kind not in ORDINARY:
            odd.append((f'{kind} in the label',
                        f'{named_character(char)} in {label!r}'))
    return odd
