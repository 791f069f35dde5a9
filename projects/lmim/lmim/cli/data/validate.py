"""`validate`: every record is decoded."""
import argparse
import functools
import json
from pathlib import Path
from typing import Any, Dict, List, NamedTuple, Optional, Tuple

from lmim.cli import Command
from lmim.datasets.decoding import decode_image
from lmim.datasets.labels.report import oddities
from lmim.datasets.records import (JoinedSource, RecordSource,
                                   UnreadableRecordError)
from lmim.utils.atomic import write_atomic
from .inputs import Reasons, add_input_arguments, open_input, reason_lines
from .parallel import add_workers_argument, map_records

#: A picture is odd whose shorter side has fewer pixels, or whose longer side
#: is more times the shorter one.
MIN_SIDE, MAX_RATIO = 4, 30
#: What is odd about a label, but not a fault: scripts need it.
ORDINARY = ('combining mark in it', 'full-width or half-width form in it')


class Validate(Command):
    """Decode every record, and name those that are bad or odd.

    Bad ones are those that training would skip: no bytes, no picture that can
    be decoded, a label that is no text, or none where the others have one.
    If there is any, the exit status is 1.

    Odd ones are warnings: pictures that are tiny, very long, or of one
    colour, labels that are empty, begin or end with a blank, or hold
    characters that cannot be seen. `inspect` shows sizes and characters as a
    whole, and `check` whether a recognizer can learn the labels.
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
        add('--report', type=Path, metavar='FILE.jsonl',
            help='write the names of all bad and odd records, with reasons, '
            'a JSON object a line')
        add_workers_argument(parser)

    def run(self, args: argparse.Namespace) -> Dict[str, Any]:
        """Examine all records."""
        source = open_input(args)
        examine = functools.partial(_examine, labels=not args.unlabelled)
        bad, odd, odd_records = Reasons(), Reasons(), 0
        lines: List[str] = []
        for found in map_records(examine, source, range(len(source)),
                                 args.workers, self.name):
            if found is None:
                continue
            if found.fault is not None:
                bad.add(found.name, found.fault)
            texts = [f'{kind}: {detail}' for kind, detail in found.odd]
            for reason, (kind, _) in zip(texts, found.odd):
                odd.add(found.name, reason, kind)
            odd_records += bool(texts)
            lines.append(json.dumps({
                'record': found.name, 'bad': found.fault, 'odd': texts
            }) + '\n')
        if args.report is not None:
            write_atomic(args.report, ''.join(lines).encode())
        return {
            'ok': not bad.total,
            'path': source.path,
            'layout': source.layout,
            'records': len(source),
            'bad': bad.result(),
            'odd_records': odd_records,
            'odd': odd.result(),
            'report': args.report and str(args.report),
        }

    def report(self, result: Dict[str, Any]) -> str:
        """Report in words."""
        bad = result['bad']['total']
        lines = [f'{result["path"]}: {result["layout"]}',
                 f'{result["records"]:,} records, {bad:,} of them bad, '
                 f'{result["odd_records"]:,} odd',
                 *reason_lines(result['bad'], 'bad'),
                 *reason_lines(result['odd'], 'odd')]
        if result['report']:
            lines.append(f'all of them: {result["report"]}')
        elif bad > len(result['bad']['first']):
            lines.append('--report FILE.jsonl names all of them')
        if bad:
            lines.append('Training skips bad records; `create` makes an LMDB '
                         'without them')
        return '\n'.join(lines)


class Finding(NamedTuple):
    """Why training would skip a record, or what is odd about it.

    Of each oddity ``odd`` has the kind, and what differs between records.
    """
    name: str
    fault: Optional[str]
    odd: List[Tuple[str, str]]


def _examine(source: RecordSource, index: int,
             labels: bool) -> Optional[Finding]:
    """Decode a picture and look at its label; None if nothing is found."""
    try:
        image = decode_image(source.read(index))
        odd = _odd_label(source, index) if labels else []
    except UnreadableRecordError as error:
        return Finding(source.name(index), str(error), [])
    height, width = image.shape[:2]
    if (image == image[0, 0]).all():
        odd.insert(0, ('a picture of one colour, without anything to read',
                       'BGR {} {} {}'.format(*image[0, 0])))
    short, long = sorted((height, width))
    size = f'{width}x{height}'
    if long > MAX_RATIO * short:
        odd.insert(0, (f'one side is over {MAX_RATIO} times the other', size))
    if short < MIN_SIDE:
        odd.insert(0, (f'a side is below {MIN_SIDE} pixels', size))
    return Finding(source.name(index), None, odd) if odd else None


def _odd_label(source: RecordSource, index: int) -> List[Tuple[str, str]]:
    """What is odd about a label."""
    label = source.label(index)
    if label is None:
        while isinstance(source, JoinedSource):
            source, index = source.locate(index)
        if source.labelled:
            raise UnreadableRecordError('no label')
        return []
    return [(f'label: {kind}', repr(label)) for kind in oddities(label)
            if kind not in ORDINARY]
