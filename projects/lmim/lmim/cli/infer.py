"""`lmim infer`: read the words in pictures."""
import argparse
import contextlib
import csv
import io
import os
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, Optional, TextIO

from lmim.apis.photographs import PhotographReader, read_annotated
from lmim.apis.recognition import Recognition, draw_sheet
from lmim.apis.recognizer import ORIENTATIONS, TextRecognizer
from lmim.datasets.pictures import Pictures
from lmim.datasets.scenes import read_scenes
from lmim.engine.precision import PRECISIONS
from lmim.utils.atomic import refuse_file, whole_file
from lmim.utils.errors import UserError
from lmim.utils.json_text import to_json
from lmim.visualization import save_picture

from . import Command, add_size_arguments, at_least, track

#: The format that each suffix of a file means.
SUFFIXES = {'.txt': 'text', '.tsv': 'text', '.jsonl': 'jsonl', '.csv': 'csv'}
#: What would end a field or a line of text.
_ESCAPED = str.maketrans({'\t': '\\t', '\n': '\\n', '\r': '\\r'})
_HEADER = 'source,text,score,char_scores,polygon,error,rotation\n'


class Infer(Command):
    """Read the words in pictures.

    IMAGES are pictures of one word each: image files, folders, patterns such
    as "words/*.png", LMDBs, lists of images. With --det, or --polygons, they
    are whole photographs, in which words are found first.

      lmim infer word.png
      lmim infer words/ --checkpoint epoch_10.pth --output words.csv
      lmim infer photo.jpg --checkpoint epoch_10.pth --det dbnet.py
          --det-weights dbnet.pth

    Without --checkpoint it is the reader that comes with lmim. A checkpoint
    of this project carries its config and its dictionary. Unreadable pictures
    are reported on standard error and skipped; the exit status is 1 then.

    formats:
      text   a line for each picture: source, text, probability of the word
             and, in a photograph, the polygon, with tabs between them (a
             tab in a name is written as a backslash and t)
      jsonl  a JSON object for each picture, with the probability of each
             character and its box (--char-boxes)
      csv    the same with a header, without boxes, for spreadsheets
    """

    name = 'infer'
    writes = True

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the arguments."""
        add = parser.add_argument
        add('images', nargs='+', metavar='IMAGES', help='what to read')
        add('--checkpoint', type=Path,
            help='of a recognizer; nothing in it is executed (default: the '
            'reader that comes with lmim)')
        add('--config', type=Path,
            help='the config, for a checkpoint that carries none')
        add('--device',
            help='cpu, cuda:0 ... (default: a GPU if there is one)')
        add('--batch-size', type=at_least(1), default=64, metavar='N',
            help='pictures read at once (default: %(default)s)')
        add('--precision', choices=PRECISIONS, default='fp32',
            help='auto is the fastest here; bf16 is quicker where the '
            'machine computes in it (default: %(default)s)')
        add('--orientation', choices=ORIENTATIONS, default='upright',
            help='auto reads pictures turned by 180 degrees too, and by 90 '
            'where they are taller than wide, and keeps the surest reading '
            '(default: %(default)s)')
        add('--language', metavar='NAME',
            help="for CTC recognizers, whose letters make a word likely: "
            "english, a file of `lmim data language`, or none (default: as "
            "the config says; the reader's says english)")
        add_size_arguments(parser)
        add('--pool', type=Path, metavar='FILE',
            help='labelled pictures that an in-context recognizer looks at '
            'as it reads, of `lmim pool make`')
        add('--char-boxes', action='store_true',
            help='find where each character is: JSON has the boxes')
        add('--alpha-color', type=color, metavar='R,G,B',
            help='what transparent pictures are laid on (default: white, and '
            'black where all that is to be seen is light)')
        add('--output', type=Path, metavar='FILE',
            help='where to write the words: .txt, .tsv, .jsonl or .csv '
            '(default: standard output)')
        add('--format', choices=sorted(set(SUFFIXES.values())),
            help='(default: by the suffix of FILE)')
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
            help="where the words are: MMOCR's text detection JSON; IMAGES is "
            'the folder of the photographs')
        add('--overwrite', action='store_true',
            help='replace files that are there')

    def run(self, args: argparse.Namespace) -> Optional[Dict[str, Any]]:
        """Read pictures as the command line says."""
        try:
            return _run(args, self.out)
        except BrokenPipeError:
            # Whoever reads the words has seen enough, as `head` has. Nothing
            # is left to be written when Python ends.
            os.dup2(os.open(os.devnull, os.O_WRONLY), self.out.fileno())
            return None

    def report(self, result: Dict[str, Any]) -> str:
        """What was done, in words."""
        rate = result['pictures'] / max(result['seconds'], 1e-3)
        text = (f'pictures: {result["pictures"]:,}, '
                f'words: {result["words"]:,}, '
                f'unreadable: {result["unreadable"]:,}; '
                f'{result["seconds"]:.1f} s, {rate:,.0f} pictures/s in '
                f'{result["precision"]}\nread with {result["checkpoint"]}')
        for key in ('output', 'sheet'):
            if result.get(key):
                text += f'\n{key}: {result[key]}'
        read = result['words'] + result['unreadable']
        if 0 < result.get('on_sheet', 0) < read:
            text += f' (the first {result["on_sheet"]:,})'
        return text

main = Infer().main


def line(word: Recognition, kind: str) -> str:
    """A word in one of the formats, with the end of the line.

    Text leaves unreadable ones out: they are reported on standard error.
    """
    held = word.to_dict()
    if kind == 'jsonl':
        return to_json(held, ensure_ascii=False) + '\n'
    polygon = ','.join(f'{number:g}' for number in held.get('polygon', []))
    if kind == 'csv':
        text = io.StringIO()
        csv.writer(text, lineterminator='\n').writerow([
            word.source, word.text, held['score'],
            ' '.join(map(str, held['char_scores'])), polygon, word.error,
            word.rotation])
        return text.getvalue()
    if word.error is not None:
        return ''
    fields = [one.translate(_ESCAPED) for one in (word.source, word.text)]
    fields.append(f'{word.score:.4f}')
    return '\t'.join(fields + ([polygon] if polygon else [])) + '\n'


def _run(args: argparse.Namespace, stdout: TextIO) -> Dict[str, Any]:
    """Read all pictures; what was done."""
    kind = _format(args)
    if args.det_weights is not None and args.det is None:
        raise UserError('--det-weights belong to a detector: --det CONFIG')
    for path in (args.output, args.sheet):
        if path is not None:
            refuse_file(path, args.overwrite)
    items = _items(args)
    recognizer = TextRecognizer(args.checkpoint, args.config, args.device,
                                args.batch_size, args.precision,
                                args.orientation, args.char_boxes,
                                args.language, args.alpha_color,
                                args.width, args.max_length, args.pool)
    read: Callable[[Any], Iterator[Recognition]] = recognizer.read
    if args.polygons is not None:
        read = partial(read_annotated, recognizer)
    elif args.det is not None:
        read = PhotographReader(recognizer, args.det, args.det_weights,
                                args.det_score).read
    total = len(items)
    shown: List[Recognition] = []
    held: List[Dict[str, Any]] = []
    counts = {'words': 0, 'unreadable': 0}
    start = time.monotonic()
    # Of a list on a terminal the lines themselves are the progress.
    lines_only = args.output is None and not args.json and stdout.isatty()
    if total > args.batch_size and not lines_only:
        items = track(items, total, 'reading')
    with _output(args, stdout) as out:
        out.write(_HEADER if kind == 'csv' else '')
        for word in read(items):
            counts['words' if word.error is None else 'unreadable'] += 1
            if word.error is not None:
                print(f'unreadable: {word.source}: {word.error}',
                      file=sys.stderr)
            if args.sheet is not None and len(shown) < args.sheet_limit:
                shown.append(word)
            if args.json and args.output is None:
                held.append(word.to_dict())
            else:
                out.write(line(word, kind))
    seconds = time.monotonic() - start
    result: Dict[str, Any] = dict(
        ok=not counts['unreadable'], pictures=total, **counts,
        seconds=round(seconds, 3), checkpoint=str(recognizer.checkpoint),
        precision=recognizer.precision.name,
        precision_reason=recognizer.precision.reason)
    if args.output is not None:
        result['output'] = str(args.output)
    elif args.json:
        result['results'] = held
    if args.sheet is not None:
        if shown:
            save_picture(draw_sheet(shown), args.sheet)
        result.update(sheet=str(args.sheet) if shown else None,
                      on_sheet=len(shown))
    return result


def color(text: str) -> List[int]:
    """Red, green and blue, 0 to 255, with commas between them."""
    values = [int(value) if value.strip().isdigit() else -1
              for value in text.split(',')]
    if len(values) != 3 or not all(0 <= value < 256 for value in values):
        raise argparse.ArgumentTypeError(
            f'{text!r} is not red, green and blue, such as 255,255,255')
    return values


def _format(args: argparse.Namespace) -> str:
    """The format of the output, as asked for or by the file's suffix."""
    if args.format is not None or args.output is None:
        return args.format or 'text'
    if args.output.suffix.lower() not in SUFFIXES:
        raise UserError(f'{args.output}: the suffix tells the format, '
                        f'{", ".join(SUFFIXES)}; or name it with --format')
    return SUFFIXES[args.output.suffix.lower()]


def _items(args: argparse.Namespace) -> Any:
    """What is to be read; paths are looked for before a model is built."""
    if args.polygons is None:
        return Pictures(args.images, alpha_color=args.alpha_color)
    if args.det is not None:
        raise UserError('--det finds the words, --polygons tells where they '
                        'are: give one of the two')
    if len(args.images) != 1:
        raise UserError('with --polygons, IMAGES is the one folder in which '
                        'the photographs lie')
    return read_scenes(args.polygons, Path(args.images[0]))


@contextlib.contextmanager
def _output(args: argparse.Namespace, stdout: TextIO) -> Iterator[TextIO]:
    """Where the words go: a file that is there once it is whole, or out."""
    if args.output is None:
        yield stdout if not args.json else io.StringIO()
        return
    with whole_file(args.output, overwrite=True) as partial:
        # Excel knows UTF-8 by its byte order mark alone.
        encoding = 'utf-8-sig' if _format(args) == 'csv' else 'utf-8'
        with open(partial, 'w', encoding=encoding, newline='') as file:
            yield file
