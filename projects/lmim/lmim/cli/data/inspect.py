"""`inspect`: what is in a set."""
import argparse
import io
import random
import warnings
from array import array
from collections import Counter
from pathlib import Path
from typing import Any, Dict, Iterator, List, Sequence, Tuple, Union

import cv2
import numpy as np
from fontTools import unicodedata
from PIL import Image

from lmim.cli import Command, at_least, track
from lmim.datasets.decoding import decode_image
from lmim.datasets.labels.reading import iter_labels
from lmim.datasets.labels.report import LabelWarnings, warning_lines
from lmim.datasets.records import (RecordSource, UnreadableRecordError,
                                   leaves)
from lmim.utils.atomic import write_atomic
from lmim.utils.errors import UserError
from lmim.visualization.sheet import contact_sheet
from .inputs import (Reasons, add_input_arguments, describe, open_input,
                     reason_lines, source_lines, table)
from .parallel import add_workers_argument, map_records

#: Pictures whose headers are read unless asked for more, pictures on the
#: sheet, and the seed of these draws.
PICTURES, SHOWN, SEED = 1000, 96, 0
#: So many of the rarest characters, and of the labels that come most often.
RAREST, REPEATED = 40, 10
#: What numbers are summed up by, and the quantiles that these are.
QUANTILES = {'min': 0, '5%': 0.05, 'median': 0.5, '95%': 0.95, 'max': 1}


class Inspect(Command):
    """Show what is in a set: layout, counts, sizes, labels.

    Pictures are a random sample of 1,000 by default, by their headers
    (`validate` decodes each one); labels are all read. --sample N takes N
    records for both, --sample 0 takes all.
    """

    name = 'inspect'
    summary = 'show layout, counts, sizes and characters; contact sheet'
    example = 'inspect words.lmdb --sheet words.png'

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the arguments."""
        add_input_arguments(parser)
        add = parser.add_argument
        add('--sample', type=at_least(0), metavar='N',
            help='look at N records drawn at random, 0 for all (default: '
            f'{PICTURES} pictures, all labels)')
        add('--sheet', type=Path, metavar='FILE.png',
            help=f'draw {SHOWN} random pictures with their labels')
        add_workers_argument(parser)

    def run(self, args: argparse.Namespace) -> Dict[str, Any]:
        """Look at records."""
        if args.sheet is not None and args.sheet.suffix.lower() != '.png':
            raise UserError(f'--sheet {args.sheet} is to end in .png')
        source = open_input(args)
        total = len(source)
        drawn = _draw(total, PICTURES if args.sample is None else args.sample)
        result: Dict[str, Any] = {
            'records': total,
            'sources': describe(source),
            'pictures': _pictures(source, drawn, args.workers),
        }
        if any(leaf.labelled for leaf in leaves(source)):
            result['labels'] = _labels(
                source, range(total) if args.sample is None else drawn)
        if args.sheet is not None:
            sheet = contact_sheet(_samples(source, _draw(total, SHOWN)))
            write_atomic(args.sheet, cv2.imencode('.png', sheet)[1].tobytes())
            result['sheet'] = str(args.sheet)
        return result

    def report(self, result: Dict[str, Any]) -> str:
        """Report in words and tables."""
        total, pictures = result['records'], result['pictures']
        lines = source_lines(result['sources'])
        if len(lines) > 1:
            lines.append(f'{total:,} records in all')
        lines += ['', _looked_at('pictures', pictures['looked_at'], total),
                  _counts('formats', pictures['formats'])]
        lines += reason_lines(pictures['unreadable'], 'unreadable')
        if pictures['formats']:
            lines += _quantile_lines(pictures['sizes'])
        if 'labels' in result:
            labels = result['labels']
            lines += ['', _looked_at('labels', labels['looked_at'], total),
                      *_label_lines(labels)]
        if 'sheet' in result:
            lines += ['', f'some of them: {result["sheet"]}']
        return '\n'.join(lines)


def _draw(total: int, count: int) -> Sequence[int]:
    """Some of the numbers of records, in order; all for a count of 0."""
    if not 0 < count < total:
        return range(total)
    return sorted(random.Random(SEED).sample(range(total), count))


def _pictures(source: RecordSource, indices: Sequence[int],
              workers: int) -> Dict[str, Any]:
    """Formats and sizes of pictures, from their headers."""
    formats: Counter = Counter()
    faults, sizes = Reasons(), array('q')
    for number, found in zip(indices, map_records(
            _read_header, source, indices, workers, 'pictures')):
        if isinstance(found, str):
            faults.add(source.name(number), found)
        else:
            formats[found[0]] += 1
            sizes.extend(found[1:])
    count, width, height = np.array(sizes, np.int64).reshape(-1, 3).T
    columns = {'bytes': count, 'width': width, 'height': height,
               'width / height': width / height}
    return {
        'looked_at': len(indices),
        'formats': dict(formats.most_common()),
        'unreadable': faults.result(),
        'sizes': {name: _spread(values) for name, values in columns.items()},
    }


def _read_header(source: RecordSource,
                 index: int) -> Union[Tuple[str, int, int, int], str]:
    """Format, bytes, width and height by the header, or what is wrong.

    The orientation that EXIF may hold is not looked at.
    """
    try:
        value = source.read(index)
    except UnreadableRecordError as error:
        return str(error)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter('ignore', Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(value)) as image:
                if not image.height or not image.width:
                    raise ValueError('no pixels')
                return (image.format or 'other', len(value), image.width,
                        image.height)
    # Parsers of broken headers raise all sorts of errors.
    except Exception as error:
        return (f'its {len(value):,} bytes are no image whose header can be '
                f'read ({type(error).__name__}); they begin with '
                f'{value[:8]!r}')


def _labels(source: RecordSource, indices: Sequence[int]) -> Dict[str, Any]:
    """Lengths, characters and repetitions of labels."""
    warnings = LabelWarnings()
    texts: Counter = Counter()
    characters: Counter = Counter()
    scripts: Counter = Counter()
    for label in track(iter_labels(source, indices), len(indices), 'labels'):
        warnings.add(label)
        if label.text is not None:
            texts[label.text] += 1
            characters.update(label.text)
    for char, count in characters.items():
        scripts[unicodedata.script_name(unicodedata.script(char))] += count
    return {
        'looked_at': len(indices),
        'labels': sum(texts.values()),
        'different': len(texts),
        'repeated': [[text, count] for text, count
                     in texts.most_common(REPEATED) if count > 1],
        'length': _spread(np.repeat([*warnings.lengths],
                                    [*warnings.lengths.values()])),
        'scripts': dict(scripts.most_common()),
        'characters': dict(characters.most_common()),
        'warnings': warnings.summary(),
    }


def _spread(values: np.ndarray) -> Dict[str, float]:
    """Quantiles of numbers of shape (N, ), N perhaps 0."""
    if not len(values):
        return {}
    found = np.quantile(values, [*QUANTILES.values()]).round(2).tolist()
    return dict(zip(QUANTILES, found))


def _samples(source: RecordSource, indices: Sequence[int]
             ) -> Iterator[Tuple[np.ndarray, str]]:
    """Pictures and captions; a cross for what cannot be read."""
    for index in indices:
        try:
            image = decode_image(source.read(index))
            yield image, source.label(index) or ''
        except UnreadableRecordError as error:
            cross: np.ndarray = np.full((32, 64, 3), 230, np.uint8)
            for ends in (((0, 0), (63, 31)), ((0, 31), (63, 0))):
                cv2.line(cross, *ends, (0, 0, 200), 2)
            yield cross, str(error)


def _label_lines(found: Dict[str, Any]) -> List[str]:
    """Lines of a report on labels."""
    if not found['labels']:
        return ['no labels']
    characters = found['characters']
    rarest = [*characters.items()][::-1][:RAREST]
    return [
        f'{found["labels"]:,} labels, {found["different"]:,} different ones',
        *([_counts('most frequent', dict(found['repeated']), repr)]
          if found['repeated'] else []),
        *_quantile_lines({'length': found['length']}),
        _counts('of each length', found['warnings']['lengths']),
        f'characters: {len(characters):,} different ones, '
        f'{sum(characters.values()):,} in all',
        _counts('scripts', found['scripts']),
        _counts('rarest', dict(rarest), repr),
        *warning_lines(found['warnings'])
    ]


def _looked_at(title: str, count: int, total: int) -> str:
    return (f'{title}, all {total:,}:' if count == total else
            f'{title}, {count:,} of {total:,} drawn at random:')


def _counts(title: str, counts: Dict[Any, int], name: Any = str) -> str:
    return f'{title}: ' + ('; '.join(f'{name(key)} {count:,}x'
                                     for key, count in counts.items())
                           or 'none')


def _quantile_lines(found: Dict[str, Dict[str, float]]) -> List[str]:
    return table([('', *QUANTILES), *(
        (name, *(f'{value:,.6g}' for value in values.values()))
        for name, values in found.items())])
