"""Arguments of `render` that say what is written, and how it looks."""
import argparse
from dataclasses import fields
from typing import Optional, Tuple

from mmengine.config import DictAction

from lmim.rendering import LOWER_CASE, STYLES, StyleRanges
from lmim.cli import at_least

SETTINGS = [field.name for field in fields(StyleRanges)]


def add_words(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments that say what is written."""
    group = parser.add_argument_group('words')
    add = group.add_mutually_exclusive_group().add_argument
    add('--alphabet',
        help='characters that words are made of (default: '
        f'{LOWER_CASE})')
    add('--alphabet-file', metavar='FILE',
        help='a text file that holds them, such as a dictionary')
    add('--words', metavar='PATH',
        help='words to draw: a text file with one a line (word, or '
        'word<TAB>count), or any labelled set, whose labels are taken')
    add('--statistics', metavar='PATH',
        help='the same, for words made up after its statistics')
    add = group.add_argument
    add('--order', type=at_least(1), default=2,
        help='characters that the statistics look back at (default: '
        '%(default)s)')
    add('--kind', choices=('syllables', 'random'), default='syllables',
        help='whether words of an alphabet can be pronounced (default: '
        '%(default)s)')
    add('--min-length', type=at_least(1),
        help='least characters of a word (default: 3, and 1 with --words '
        'or --statistics)')
    add('--max-length', type=at_least(1),
        help='most characters of a word (default: 6, and 25 with --words '
        'or --statistics)')


def add_looks(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments that say how it is written."""
    add = parser.add_argument_group('looks').add_argument
    add('--style', choices=sorted(STYLES), default='varied',
        help='anything that photographs show, or dark ink on light paper '
        '(default: %(default)s)')
    add('--difficulty', type=float,
        help='strength of curves, patterns, blur, noise and so on; 0 is '
        "clean text (default: 1, and 0.5 for 'print')")
    add('--style-options', nargs='+', action=DictAction,
        metavar='NAME=VALUE',
        help='single settings of the style, such as bent=0.8 '
        f'height=32,32; of {", ".join(SETTINGS)}')
    add('--fonts', nargs='+', default=['matplotlib'], metavar='PLACE',
        help="'matplotlib' (the fonts it brings; the default), 'machine' "
        '(those that are installed), folders or font files')
    add('--same-fonts', action='store_true',
        help='let the test part use the fonts of training, where there '
        'are few')


def lengths(args: argparse.Namespace) -> Optional[Tuple[int, int]]:
    """Least and greatest length, None for the defaults."""
    if args.min_length is None and args.max_length is None:
        return None
    listed = args.words is not None or args.statistics is not None
    least, most = (1, 25) if listed else (3, 6)
    return (least if args.min_length is None else args.min_length,
            most if args.max_length is None else args.max_length)
