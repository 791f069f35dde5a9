"""`inspect`: what is in a set."""
import argparse
import random
from pathlib import Path
from typing import Any, Dict, Iterator, Sequence, Tuple

import cv2
import numpy as np

from lmim.datasets.decoding import decode_image
from lmim.visualization.sheet import contact_sheet
from lmim.datasets.records import RecordSource, UnreadableRecordError
from lmim.utils.atomic import whole_file
from lmim.cli import Command, at_least
from .inputs import add_input_arguments, leaves, open_input
from .inspect_labels import inspect_labels, tell_labels
from .inspect_pictures import inspect_pictures, tell_pictures
from .parallel import add_workers_argument

#: Pictures whose headers are read unless told.
PICTURES = 1000
COLUMNS = 8


class Inspect(Command):
    """Tell what is in a set: layout, counts, sizes, labels.

    Pictures are a random sample of 1,000 unless told, by their headers
    (`validate` decodes each one); labels are all read. --sample N takes N
    records for both, --sample 0 takes all.
    """

    name = 'inspect'
    summary = 'tell layout, counts, sizes and characters; contact sheet'
    example = 'inspect words.lmdb --sheet words.png'

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the arguments."""
        add_input_arguments(parser)
        add = parser.add_argument
        add('--sample', type=at_least(0), metavar='N',
            help='look at N records drawn at random, 0 for all (default: '
            f'{PICTURES} pictures, all labels)')
        add('--seed', type=at_least(0), default=0,
            help='of the draw (default: %(default)s)')
        add('--sheet', type=Path, metavar='FILE.png',
            help='draw some of the pictures with their labels')
        add('--pictures', type=at_least(1), default=96, metavar='N',
            help='pictures on the sheet, drawn at random (default: '
            '%(default)s)')
        add_workers_argument(parser)

    def run(self, args: argparse.Namespace) -> Dict[str, Any]:
        """Look at records."""
        if args.sheet is not None and args.sheet.suffix.lower() != '.png':
            raise ValueError(f'--sheet {args.sheet} is to end in .png')
        source = open_input(args)
        total = len(source)
        number = PICTURES if args.sample is None else args.sample
        drawn = _draw(total, number, args.seed)
        result: Dict[str, Any] = {
            'records': total,
            'sources': [{
                'path': leaf.path, 'layout': leaf.layout,
                'records': len(leaf), 'labelled': leaf.labelled
            } for leaf in leaves(source)],
            'pictures': inspect_pictures(source, drawn, args.workers),
        }
        if any(leaf.labelled for leaf in leaves(source)):
            result['labels'] = inspect_labels(
                source, range(total) if args.sample is None else drawn)
        if args.sheet is not None:
            shown = _draw(total, args.pictures, args.seed)
            _save_sheet(source, shown, args.sheet)
            result['sheet'] = str(args.sheet)
        return result

    def report(self, result: Dict[str, Any]) -> str:
        """Tell what there is in words."""
        total = result['records']
        lines = [
            f'{one["path"]}: {one["layout"]}, {one["records"]:,} records'
            for one in result['sources']
        ]
        if len(result['sources']) > 1:
            lines.append(f'{total:,} records in all')
        pictures = result['pictures']
        lines += ['', _looked_at('pictures', pictures['looked_at'], total),
                  *tell_pictures(pictures)]
        labels = result.get('labels')
        if labels is not None:
            lines += ['', _looked_at('labels', labels['looked_at'], total),
                      *tell_labels(labels)]
        if 'sheet' in result:
            lines += ['', f'a look at them: {result["sheet"]}']
        return '\n'.join(lines)


def _looked_at(title: str, count: int, total: int) -> str:
    return (f'{title}, all {total:,}:' if count == total else
            f'{title}, {count:,} of {total:,} drawn at random:')


def _draw(total: int, count: int, seed: int) -> Sequence[int]:
    """Some of the numbers of records, in order; all for a count of 0."""
    if not 0 < count < total:
        return range(total)
    return sorted(random.Random(seed).sample(range(total), count))


def _save_sheet(source: RecordSource, indices: Sequence[int],
                path: Path) -> None:
    sheet = contact_sheet(_samples(source, indices), COLUMNS)
    with whole_file(path, overwrite=True) as draft:
        draft.write_bytes(cv2.imencode('.png', sheet)[1].tobytes())


def _samples(source: RecordSource, indices: Sequence[int]
             ) -> Iterator[Tuple[np.ndarray, str]]:
    """Pictures and captions; a cross for what cannot be read."""
    for index in indices:
        try:
            image = decode_image(source.read(index))
            yield image, source.label(index) or ''
        except UnreadableRecordError as error:
            yield _cross(), str(error)


def _cross() -> np.ndarray:
    image = np.full((32, 64, 3), 230, np.uint8)
    cv2.line(image, (0, 0), (63, 31), (0, 0, 200), 2)
    cv2.line(image, (0, 31), (63, 0), (0, 0, 200), 2)
    return image
