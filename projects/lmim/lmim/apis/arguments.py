"""The arguments of `tools/infer.py`."""
import argparse
from pathlib import Path

from lmim.cli import at_least
from lmim.cli.main import EXIT_CODES

from .devices import PRECISIONS
from .outputs import FORMATS

DESCRIPTION = """Read the words in pictures.

IMAGES are pictures of one word each: image files, folders, patterns such as
"words/*.png", LMDBs, lists of images. With --det, or --polygons, they are
whole photographs, in which words are found first.

  python tools/infer.py word.png --checkpoint epoch_10.pth
  python tools/infer.py words/ --checkpoint epoch_10.pth --output words.csv
  python tools/infer.py photo.jpg --checkpoint epoch_10.pth --det dbnet.py
      --det-weights dbnet.pth

A checkpoint of this project carries its config and its dictionary. Unreadable
pictures are told on standard error, and skipped; the exit status is 1 then."""
TEXT = """formats:
  text   a line for each picture: source, text, probability of the word and,
         in a photograph, the polygon, with tabs between them
  jsonl  a JSON object for each picture, with the probability of each character
  csv    the same with a header, for spreadsheets
"""


def make_parser() -> argparse.ArgumentParser:
    """The parser of the command line."""
    parser = argparse.ArgumentParser(
        prog='infer.py', description=DESCRIPTION,
        epilog=f'{TEXT}\n{EXIT_CODES}',
        formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add('images', nargs='+', metavar='IMAGES', help='what to read')
    add('--checkpoint', type=Path, required=True,
        help='of a recognizer; nothing in it is executed')
    add('--config', type=Path,
        help='the config, for a checkpoint that carries none')
    add('--device', help='cpu, cuda:0 ... (default: a GPU if there is one)')
    add('--batch-size', type=at_least(1), default=64, metavar='N',
        help='pictures read at once (default: %(default)s)')
    add('--precision', choices=list(PRECISIONS), default='fp32',
        help='bf16 is quicker where the machine computes in it '
        '(default: %(default)s)')
    add('--output', type=Path, metavar='FILE',
        help='where to write the words: .txt, .tsv, .jsonl or .csv '
        '(default: standard output)')
    add('--format', choices=FORMATS, help='(default: by the suffix of FILE)')
    add('--sheet', type=Path, metavar='PNG',
        help='a sheet of the pictures with what was read below them')
    add('--sheet-limit', type=at_least(1), default=120, metavar='N',
        help='the most pictures on the sheet (default: %(default)s)')
    add('--det', metavar='CONFIG',
        help="one of MMOCR's text detectors, for whole photographs")
    add('--det-weights', type=Path, metavar='PTH', help='its checkpoint')
    add('--det-score', type=float, default=0.3, metavar='S',
        help='words that it is less sure of are left out '
        '(default: %(default)s)')
    add('--polygons', type=Path, metavar='FILE',
        help="where the words are: MMOCR's text detection JSON, or ICDAR's "
        'text files; IMAGES is the folder of the photographs')
    add('--overwrite', action='store_true',
        help='replace files that are there')
    add('--json', action='store_true',
        help='print the result as one JSON object on standard output')
    add('--debug', action='store_true',
        help='show where an error was raised')
    return parser
