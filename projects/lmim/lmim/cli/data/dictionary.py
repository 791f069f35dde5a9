"""`dictionary`: the characters of labels, as MMOCR's dictionary file."""
import argparse
import csv
import string
import unicodedata
from collections import Counter
from pathlib import Path
from typing import (Any, Dict, Iterable, Iterator, List, NamedTuple, Sequence,
                    Tuple, Union)

from lmim.checkpoints.dictionaries import (IMPOSSIBLE, in_order,
                                           read_dict_file, write_dict_file)
from lmim.cli import Command, at_least, track
from lmim.datasets.labels.reading import Label, iter_labels
from lmim.datasets.labels.report import LabelWarnings, warning_lines
from lmim.datasets.records import RecordSource
from lmim.utils.atomic import refuse_file, whole_file
from lmim.utils.characters import named_character, oddity
from lmim.utils.errors import UserError
from .inputs import SHOWN, add_input_arguments, open_input

#: Characters in fewer labels are called rare.
RARE = 10


class MakeDictionary(Command):
    """Make a dictionary file of the characters in labels.

    One character a line, as MMOCR's Dictionary reads it: digits, lower case,
    upper case and punctuation of ASCII first, then the rest by code point;
    with --base the characters of that file keep their places before all
    others. The blank is a line that holds one blank. What is rare, invisible
    or otherwise odd is pointed out. The order of arguments is: all SOURCEs,
    OUT.txt, options.
    """

    name = 'dictionary'
    summary = 'make a dictionary file of the characters in labels'
    example = 'dictionary train.lmdb more.txt dict.txt --base english_94.txt'

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the arguments."""
        add_input_arguments(parser)
        add = parser.add_argument
        add('out', type=Path, metavar='OUT.txt')
        add('--base', type=Path, metavar='FILE',
            help='a dictionary to extend; its lines come first, in their '
            'order')
        add('--min-count', type=at_least(1), default=1, metavar='N',
            help='leave out characters that are in fewer labels than N '
            '(default: %(default)s)')
        add('--letter-case', choices=('unchanged', 'lower', 'upper'),
            default='unchanged',
            help='the letter_case of the loss that is to be trained with '
            '(default: %(default)s)')
        add('--counts', type=Path, metavar='FILE.csv',
            help='write how often each character is there')
        add('--overwrite', action='store_true',
            help='replace OUT.txt and FILE.csv')

    def run(self, args: argparse.Namespace) -> Dict[str, Any]:
        """Count, then write."""
        base = read_dict_file(args.base) if args.base else []
        for path in filter(None, (args.out, args.counts)):
            refuse_file(path, args.overwrite)
        source = open_input(args)
        counts, warnings = Counts(Counter(), Counter(), {}), LabelWarnings()
        for label, text in _texts(source, args.letter_case, 'labels'):
            warnings.add(label)
            counts.occurrences.update(text)
            counts.labels.update(set(text))
            for char in set(text).difference(counts.first):
                counts.first[char] = label.number
        if not counts.labels:
            raise UserError(
                f'{source.path} ({source.layout}) has no labels to take '
                f'characters from: {len(source):,} records were looked at. '
                'Give a set with labels, or theirs with --labels')
        left_out = {
            char for char, n in counts.labels.items()
            if n < args.min_count and char not in base
        }
        impossible = IMPOSSIBLE.intersection(counts.labels)
        written = in_order(set(counts.labels) - left_out - impossible, base)
        write_dict_file(args.out, written, args.overwrite)
        table = [
            _describe(char, counts, source, char in set(written))
            for char in in_order(counts.labels, base)
        ]
        if args.counts:
            with whole_file(args.counts, args.overwrite) as draft:
                with open(draft, 'w', encoding='utf-8', newline='') as file:
                    writer = csv.DictWriter(file, list(table[0]))
                    writer.writeheader()
                    writer.writerows(table)
        return {
            'out': str(args.out),
            'counts': str(args.counts) if args.counts else None,
            'size': len(written),
            'base': len(base),
            'base_unused': sorted(set(base) - set(counts.labels)),
            'left_out': sorted(left_out | impossible),
            'min_count': args.min_count,
            'labels_with_left_out': 0 if not left_out else sum(
                not left_out.isdisjoint(text) for _, text in _texts(
                    source, args.letter_case, 'left out')),
            'labels_with_line_ends': sum(
                counts.labels[char] for char in impossible),
            'characters': table,
            **warnings.summary(),
        }

    def report(self, result: Dict[str, Any]) -> str:
        """Report in words."""
        extended = (f', the first {result["base"]:,} as in the base'
                    if result['base'] else '')
        lines = [
            f'{result["labels"]:,} labels; {result["size"]:,} characters are '
            f'in {result["out"]}{extended}'
        ]
        lines.append('  ' + ''.join(
            row['character'] for row in result['characters']
            if row['in_dictionary'] and not row['odd']))
        if result['base_unused']:
            lines.append(f'{len(result["base_unused"]):,} of the base are in '
                         'no label')
        table = result['characters']
        lines += _listed('odd', [
            f'{_line(row)}: {row["odd"]}' for row in table if row['odd']])
        lines += _listed(f'rare, in fewer than {RARE} labels', [
            f'{_line(row)}; {row["example"]}' for row in table
            if row['labels'] < RARE])
        if result['labels_with_left_out']:
            lines.append(
                f'--min-count {result["min_count"]} left characters out: '
                f'{result["labels_with_left_out"]:,} of {result["labels"]:,} '
                'labels hold characters that the dictionary now lacks '
                '(`check` lists them)')
        if result['labels_with_line_ends']:
            lines.append('Ends of lines are in labels, and cannot stand in a '
                         'dictionary: correct or drop these labels')
        return '\n'.join(lines + warning_lines(result))


class Counts(NamedTuple):
    """How often each character is there, in how many labels, and where.

    Attributes:
        occurrences (Counter): By character.
        labels (Counter): In how many labels each character is.
        first (Dict[str, int]): Number of the first record with it.
    """
    occurrences: Counter
    labels: Counter
    first: Dict[str, int]


def _texts(source: RecordSource, letter_case: str,
           title: str) -> Iterator[Tuple[Label, str]]:
    """All labels, and their text in a letter case."""
    for label in track(iter_labels(source), len(source), title):
        text = label.text or ''
        yield label, (text if letter_case == 'unchanged' else getattr(
            text, letter_case)())


def _describe(char: str, counts: Counts, source: RecordSource,
              written: bool) -> Dict[str, Any]:
    """A row of the table."""
    example = ''
    if 0 < counts.labels[char] < RARE:
        number = counts.first[char]
        example = f'{source.name(number)}: {source.label(number)!r}'
    return {
        'character': char,
        'code': f'U+{ord(char):04X}',
        'name': unicodedata.name(char, ''),
        'odd': oddity(char),
        'occurrences': counts.occurrences[char],
        'labels': counts.labels[char],
        'in_dictionary': written,
        'example': example,
    }


def _line(row: Dict[str, Any]) -> str:
    return (f'{named_character(row["character"])} in {row["labels"]:,} '
            'label(s)')


def _listed(title: str, lines: Sequence[str]) -> List[str]:
    """A title with a count, the first lines, and how many more."""
    if not lines:
        return []
    more = len(lines) - SHOWN
    return [
        f'{title}: {len(lines):,}', *(f'  {line}' for line in lines[:SHOWN]),
        *([f'  and {more:,} more (--json lists all)'] if more > 0 else [])
    ]
