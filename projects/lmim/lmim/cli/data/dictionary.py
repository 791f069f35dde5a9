"""`dictionary`: the characters of labels, as MMOCR's dictionary file."""
import argparse
import unicodedata
from collections import Counter
from pathlib import Path
from typing import Any, Dict, List, Sequence

from lmim.checkpoints.dictionaries import (IMPOSSIBLE, in_order,
                                           read_dict_file, write_dict_file)
from lmim.cli import Command, track
from lmim.datasets.labels.reading import iter_labels
from lmim.datasets.labels.report import LabelWarnings, warning_lines
from lmim.utils.atomic import refuse_file
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
        add('--letter-case', choices=('unchanged', 'lower', 'upper'),
            default='unchanged',
            help='the letter_case of the loss that is to be trained with '
            '(default: %(default)s)')
        add('--overwrite', action='store_true', help='replace OUT.txt')

    def run(self, args: argparse.Namespace) -> Dict[str, Any]:
        """Count, then write."""
        base = read_dict_file(args.base) if args.base else []
        refuse_file(args.out, args.overwrite)
        source = open_input(args)
        warnings = LabelWarnings()
        # Of each character: how often it is there, in how many labels, and
        # the number of the first.
        occurrences: Counter = Counter()
        labels: Counter = Counter()
        first: Dict[str, int] = {}
        for label in track(iter_labels(source), len(source), 'labels'):
            warnings.add(label)
            text = label.text or ''
            if args.letter_case != 'unchanged':
                text = getattr(text, args.letter_case)()
            occurrences.update(text)
            labels.update(set(text))
            for char in set(text):
                first.setdefault(char, label.number)
        if not labels:
            raise UserError(
                f'{source.path} ({source.layout}) has no labels to take '
                f'characters from: {len(source):,} records were looked at. '
                'Give a set with labels, or theirs with --labels')
        impossible = IMPOSSIBLE.intersection(labels)
        written = in_order(set(labels) - impossible, base)
        write_dict_file(args.out, written, args.overwrite)

        def describe(char: str) -> Dict[str, Any]:
            example = ''
            if 0 < labels[char] < RARE:
                number = first[char]
                example = f'{source.name(number)}: {source.label(number)!r}'
            return {
                'character': char,
                'code': f'U+{ord(char):04X}',
                'name': unicodedata.name(char, ''),
                'odd': oddity(char),
                'occurrences': occurrences[char],
                'labels': labels[char],
                'in_dictionary': char not in impossible,
                'example': example,
            }

        return {
            'out': str(args.out),
            'size': len(written),
            'base': len(base),
            'base_unused': sorted(set(base) - set(labels)),
            'left_out': sorted(impossible),
            'labels_with_line_ends': sum(labels[char] for char in impossible),
            'characters': [*map(describe, in_order(labels, base))],
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
        if result['labels_with_line_ends']:
            lines.append('Ends of lines are in labels, and cannot stand in a '
                         'dictionary: correct or drop these labels')
        return '\n'.join(lines + warning_lines(result))


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
