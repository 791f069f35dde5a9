"""`inspect`: what is in a set."""
import argparse
import random
import unicodedata
from array import array
from collections import Counter
from functools import lru_cache
from pathlib import Path
from typing import Any, Dict, Iterator, List, Sequence, Tuple, Union

import cv2
import numpy as np

from lmim.cli import Command, at_least, track
from lmim.datasets.decoding import decode_image, read_header
from lmim.datasets.labels.reading import iter_labels
from lmim.datasets.labels.report import LabelWarnings, warning_lines
from lmim.datasets.records import (RecordSource, UnreadableRecordError,
                                   leaves)
from lmim.utils.atomic import write_atomic
from lmim.utils.errors import UserError
from lmim.visualization.sheet import contact_sheet
from .inputs import (Reasons, add_input_arguments, describe, open_input,
                     reason_lines, table)
from .parallel import add_workers_argument, map_records

#: Pictures whose headers are read unless asked for more, pictures on the
#: sheet, and the seed of these draws.
PICTURES, SHOWN, SEED = 1000, 96, 0
#: So many of the rarest characters, and of the labels that come most often.
RAREST, REPEATED = 40, 10
#: What numbers are summed up by, and the quantiles that these are.
QUANTILES = {'min': 0, '5%': 0.05, 'median': 0.5, '95%': 0.95, 'max': 1}
#: Kinds of characters that are no letters, by the first of Unicode's category.
KINDS = {
    'N': 'digits and numbers',
    'P': 'punctuation',
    'S': 'symbols',
    'Z': 'blanks',
    'M': 'combining marks',
    'C': 'control and invisible characters',
}


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
        lines = [
            f'{one["path"]}: {one["layout"]}, {one["records"]:,} records'
            for one in result['sources']
        ]
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
    """Format, bytes, width and height of a picture, or what is wrong."""
    try:
        value = source.read(index)
        kind, height, width = read_header(value)
    except UnreadableRecordError as error:
        return str(error)
    return kind, len(value), width, height


def _labels(source: RecordSource, indices: Sequence[int]) -> Dict[str, Any]:
    """Lengths, characters and repetitions of labels."""
    warnings = LabelWarnings()
    characters: Counter = Counter()
    # Numbers only: of ten million labels these are 160 MB.
    hashes, records = array('q'), array('q')
    for label in track(iter_labels(source, indices), len(indices), 'labels'):
        warnings.add(label)
        if label.text is not None:
            characters.update(label.text)
            hashes.append(hash(label.text))
            records.append(label.number)
    kinds: Counter = Counter()
    for char, count in characters.items():
        kinds[kind_of(char)] += count
    _, first, counts = np.unique(np.array(hashes, np.int64),
                                 return_index=True, return_counts=True)
    often = np.argsort(-counts, kind='stable')[:REPEATED]
    return {
        'looked_at': len(indices),
        'labels': len(records),
        'different': len(counts),
        'repeated': [[source.label(records[first[at]]), int(counts[at])]
                     for at in often if counts[at] > 1],
        'length': _spread(np.repeat([*warnings.lengths],
                                    [*warnings.lengths.values()])),
        'kinds': dict(kinds.most_common()),
        'characters': dict(characters.most_common()),
        'warnings': warnings.summary(),
    }


@lru_cache(maxsize=None)
def kind_of(char: str) -> str:
    """The script of a letter, or the kind of another character.

    Python's tables know no scripts, but the names of letters begin with
    theirs.
    """
    kind = KINDS.get(unicodedata.category(char)[0])
    if kind is None:
        script = unicodedata.name(char, 'unnamed').split()[0]
        kind = f'{"Chinese" if script == "CJK" else script.title()} letters'
    return kind if char.isascii() or char.isalpha() else (
        f'{kind} beyond ASCII')


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
        _counts('kinds', found['kinds']),
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
