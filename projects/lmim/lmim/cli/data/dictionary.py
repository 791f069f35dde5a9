"""`dictionary`: the characters of labels, as MMOCR's dictionary file."""
import argparse
import csv
import unicodedata
from pathlib import Path
from typing import Any, Dict, List

from lmim.utils.characters import named_character, oddity

from lmim.datasets.labels.character_counts import CharacterCounts
from lmim.checkpoints.dictionaries import (
    IMPOSSIBLE,
    in_order,
    read_dict_file,
    write_dict_file,
)
from lmim.datasets.labels.oddities import LabelOddities, odd_lines
from lmim.datasets.labels.reading import iter_labels
from lmim.datasets.records import RecordSource
from lmim.utils.atomic import refuse_file, whole_file
from lmim.cli import Command, at_least
from .inputs import add_input_arguments, open_input
from .listing import SHOWN, listed
from lmim.cli import track

#: Characters in fewer labels are called rare.
RARE = 10
GROUPS = ('digits', 'lower case', 'upper case', 'ASCII punctuation',
          'the blank', 'others')


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
        counts, odd = _count(source, args)
        if not counts.labels:
            raise ValueError(
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
            _write_counts(args.counts, table, args.overwrite)
        return {
            'out': str(args.out),
            'counts': str(args.counts) if args.counts else None,
            'size': len(written),
            'base': len(base),
            'base_unused': sorted(set(base) - set(counts.labels)),
            'left_out': sorted(left_out | impossible),
            'min_count': args.min_count,
            'labels_with_left_out': counts.num_holders(left_out),
            'labels_with_line_ends': sum(
                counts.labels[char] for char in impossible),
            'groups': _groups(written),
            'characters': table,
            **odd.summary(),
        }

    def report(self, result: Dict[str, Any]) -> str:
        """Tell what was found in words."""
        extended = (f', the first {result["base"]:,} as in the base'
                    if result['base'] else '')
        lines = [
            f'{result["labels"]:,} labels; {result["size"]:,} characters are '
            f'in {result["out"]}{extended}'
        ]
        lines += [f'  {name}: {len(chars):,}  {_shown(chars)}'
                  for name, chars in result['groups'].items() if chars]
        if result['base_unused']:
            lines.append(f'{len(result["base_unused"]):,} of the base are in '
                         'no label')
        table = result['characters']
        lines += listed('odd', [
            f'{_line(row)}: {row["odd"]}' for row in table if row['odd']])
        lines += listed(f'rare, in fewer than {RARE} labels', [
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
                         'dictionary: mend or drop these labels')
        return '\n'.join(lines + odd_lines(result))


def _count(source: RecordSource, args: argparse.Namespace
           ) -> 'tuple[CharacterCounts, LabelOddities]':
    """Look at each label once."""
    counts = CharacterCounts(max(args.min_count, RARE))
    odd = LabelOddities()
    convert = (None if args.letter_case == 'unchanged' else getattr(
        str, args.letter_case))
    for label in track(iter_labels(source), len(source), 'labels'):
        odd.add(label)
        if label.text:
            counts.add(label.number,
                       convert(label.text) if convert else label.text)
    return counts, odd


def _describe(char: str, counts: CharacterCounts, source: RecordSource,
              written: bool) -> Dict[str, Any]:
    """A row of the table."""
    labels = counts.labels[char]
    example = ''
    if 0 < labels < RARE:
        number = counts.holders(char)[0]
        example = f'{source.name(number)}: {source.label(number)!r}'
    return {
        'character': char,
        'code': f'U+{ord(char):04X}',
        'name': unicodedata.name(char, ''),
        'odd': oddity(char),
        'occurrences': counts.occurrences[char],
        'labels': labels,
        'in_dictionary': written,
        'example': example,
    }


def _groups(characters: List[str]) -> Dict[str, str]:
    """The characters by kind."""
    groups = dict.fromkeys(GROUPS, '')
    for char in characters:
        kind = (5 if not char.isascii() or not char.isprintable() else
                0 if char.isdigit() else 1 if char.islower() else
                2 if char.isupper() else 4 if char == ' ' else 3)
        groups[GROUPS[kind]] += char
    return groups


def _shown(characters: str) -> str:
    """The first of them; odd ones are listed by themselves."""
    plain = [char for char in characters if not oddity(char)]
    return ''.join(plain[:SHOWN]) + (' ...' if len(plain) > SHOWN else '')


def _line(row: Dict[str, Any]) -> str:
    return (f'{named_character(row["character"])} in {row["labels"]:,} '
            'label(s)')


def _write_counts(path: Path, table: List[Dict[str, Any]],
                  overwrite: bool) -> None:
    """Write the table as CSV."""
    with whole_file(path, overwrite) as draft:
        with open(draft, 'w', encoding='utf-8', newline='') as file:
            writer = csv.DictWriter(file, list(table[0]))
            writer.writeheader()
            writer.writerows(table)
