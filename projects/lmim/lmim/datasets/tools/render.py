"""`render`: a labelled set of word images, drawn with fonts."""
import argparse
import time
from itertools import chain
from pathlib import Path
from typing import Any, Dict

import cv2
import numpy as np

from ..lmdb_writer import LMDBWriter
from ..rendering import (LOWER_CASE, PARTS, STYLES, RenderedWords,
                         WordRenderer, contact_sheet, find_fonts, split_fonts)
from .command import Command, at_least, register
from .progress import track
from .render_manifest import (MANIFEST, describe, is_there, lmdb_path,
                              save_manifest)

SHEET = 'samples.png'


@register
class Render(Command):
    """Draw a small labelled set of word images.

    OUT_DIR/train.lmdb, and OUT_DIR/test.lmdb with words and fonts that
    training has not. Beside them lie rendered.json (settings, fonts, counts)
    and samples.png (a contact sheet).

    The same settings give the same bytes. Where the set is there already,
    whole and with the same settings, nothing is done; one that was broken
    off is made anew.
    """

    name = 'render'
    summary = 'draw a labelled set of word images with fonts'

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the arguments."""
        add = parser.add_argument
        add('out_dir', type=Path, metavar='OUT_DIR')
        add('--train', type=at_least(1), default=4000, metavar='N',
            help='training samples (default: %(default)s)')
        add('--test', type=at_least(1), default=500, metavar='M',
            help='test samples (default: %(default)s)')
        add('--seed', type=at_least(0), default=0,
            help='(default: %(default)s)')
        add('--alphabet', default=LOWER_CASE,
            help='characters that words are made of (default: %(default)s)')
        add('--min-length', type=at_least(1), default=3,
            help='least characters of a word (default: %(default)s)')
        add('--max-length', type=at_least(1), default=6,
            help='most characters of a word (default: %(default)s)')
        add('--style', choices=sorted(STYLES), default='varied',
            help='any colours, or dark ink on light paper (default: '
            '%(default)s)')
        add('--difficulty', type=float,
            help='strength of rotation, blur, noise and so on; 0 is clean '
            "text (default: 1, and 0.5 for 'print')")
        add('--fonts', type=Path, metavar='DIR',
            help='a folder of fonts to use beside those matplotlib brings')
        add('--overwrite', action='store_true',
            help='replace a set of other settings')

    def run(self, args: argparse.Namespace) -> Dict[str, Any]:
        """Draw both parts, or find that they are there."""
        sizes = {'train': args.train, 'test': args.test}
        fonts = split_fonts(find_fonts(args.alphabet, args.fonts))
        settings = dict(STYLES[args.style])
        if args.difficulty is not None:
            settings['difficulty'] = args.difficulty
        renderer = WordRenderer(**settings)
        sets = {
            part: RenderedWords(sizes[part], part, args.seed, args.alphabet,
                                (args.min_length, args.max_length),
                                fonts[part], renderer)
            for part in PARTS
        }
        manifest = describe(sets, settings)
        result: Dict[str, Any] = {
            'out_dir': str(args.out_dir),
            'skipped': is_there(args.out_dir, manifest, args.overwrite),
            'sheet': str(args.out_dir / SHEET),
            'manifest': str(args.out_dir / MANIFEST),
            'parts': {
                part: {
                    'path': str(lmdb_path(args.out_dir, part)),
                    'samples': sizes[part],
                    'fonts': [font.name for font in fonts[part]]
                }
                for part in PARTS
            },
        }
        if not result['skipped']:
            args.out_dir.mkdir(parents=True, exist_ok=True)
            save_manifest(manifest, args.out_dir)
            for part in PARTS:
                result['parts'][part].update(
                    _write(sets[part], lmdb_path(args.out_dir, part)))
            _save_sheet(sets, args.out_dir / SHEET)
            save_manifest({**manifest, 'complete': True}, args.out_dir)
        return result

    def report(self, result: Dict[str, Any]) -> str:
        """Tell what was done in words."""
        lines = []
        for part, about in result['parts'].items():
            speed = ('' if result['skipped'] else
                     f', {about["images_per_second"]:.0f} images/s')
            lines.append(f'{part}: {about["samples"]} words in '
                         f'{len(about["fonts"])} fonts, {about["path"]}'
                         f'{speed}')
        lines.append(f'a look at them: {result["sheet"]}')
        if result['skipped']:
            lines.insert(0, 'Nothing to do: the same set is there already.')
        return '\n'.join(lines)


def _write(words: RenderedWords, path: Path) -> Dict[str, float]:
    """Draw a part into its LMDB; tells how fast."""
    start = time.perf_counter()
    with LMDBWriter(path, overwrite=True) as writer:
        for sample in track(words, len(words), f'render {path.name}'):
            writer.add(_encode('.jpg', sample.image), sample.text)
    seconds = time.perf_counter() - start
    return {
        'seconds': round(seconds, 2),
        'images_per_second': round(len(words) / seconds, 1),
    }


def _encode(suffix: str, image: np.ndarray) -> bytes:
    # OpenCV's JPEG quality is 95 unless told.
    return cv2.imencode(suffix, image)[1].tobytes()


def _save_sheet(sets: Dict[str, RenderedWords], path: Path) -> None:
    """A look at the first samples of both parts, training first."""
    shown = chain.from_iterable(
        (sets[part][index] for index in range(min(48, len(sets[part]))))
        for part in PARTS)
    sheet = contact_sheet(
        (word.image, f'{word.text} {word.font}') for word in shown)
    path.write_bytes(_encode('.png', sheet))
