"""`render`: a labelled set of word images, drawn with fonts."""
import argparse
import json
import time
from pathlib import Path
from typing import Any, Dict, List, Optional, Tuple

import cv2
import numpy as np

from lmim.datasets.lmdb_writer import LMDBWriter
from lmim.rendering import PARTS, RenderedWords, make_sets
from lmim.datasets.records import RecordSource
from lmim.cli import Command, at_least
from .parallel import add_workers_argument, map_records
from .render_arguments import add_looks, add_words, lengths
from .render_manifest import (MANIFEST, describe, is_there, lmdb_paths,
                              remove_masks, save_manifest)
from .render_sheet import save_sheet

SHEET = 'samples.png'
Record = Tuple[bytes, Optional[str]]


class Render(Command):
    """Draw a labelled set of word images.

    OUT_DIR/train.lmdb, and OUT_DIR/test.lmdb with words and fonts that
    training has not. Beside them lie rendered.json (settings, fonts, counts)
    and samples.png (a contact sheet).

    The same settings give the same bytes. Where the set is there already,
    whole and with the same settings, nothing is done; one that was broken
    off is made anew.
    """

    name = 'render'
    summary = 'draw a labelled set of word images with fonts'
    example = 'render data/rendered --train 20000 --fonts my_fonts'

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
        add('--masks', action='store_true',
            help='also write PART_masks.lmdb: where letters are, as pictures '
            'under the same numbers, and a box for each character')
        add('--overwrite', action='store_true',
            help='replace a set of other settings')
        add_workers_argument(parser)
        add_words(parser)
        add_looks(parser)

    def run(self, args: argparse.Namespace) -> Dict[str, Any]:
        """Draw both parts, or find that they are there."""
        sizes: Dict[Optional[str], int] = {
            'train': args.train, 'test': args.test}
        made = make_sets(
            sizes, args.seed, alphabet=args.alphabet,
            alphabet_file=args.alphabet_file, words=args.words,
            statistics=args.statistics, lengths=lengths(args),
            kind=args.kind, order=args.order, fonts=args.fonts,
            same_fonts=args.same_fonts, style=args.style,
            difficulty=args.difficulty, style_options=args.style_options)
        sets = {part: made.parts[part] for part in PARTS}
        manifest = describe(sets, args.masks, made.left_out)
        result: Dict[str, Any] = {
            'out_dir': str(args.out_dir),
            'skipped': is_there(args.out_dir, manifest, args.overwrite),
            'sheet': str(args.out_dir / SHEET),
            'manifest': str(args.out_dir / MANIFEST),
            'left_out': made.left_out,
            'parts': {},
        }
        if not result['skipped']:
            args.out_dir.mkdir(parents=True, exist_ok=True)
            save_manifest(manifest, args.out_dir)
            remove_masks(args.out_dir)
        for part, words in sets.items():
            paths = lmdb_paths(args.out_dir, part, args.masks)
            about = result['parts'][part] = {
                'path': str(paths[0]),
                'samples': len(words),
                'fonts': [font.name for font in words.fonts.fonts],
            }
            if args.masks:
                about['masks'] = str(paths[1])
            if not result['skipped']:
                about.update(_write(words, paths, args.workers))
        if not result['skipped']:
            save_sheet(sets, args.out_dir / SHEET)
            save_manifest({**manifest, 'complete': True}, args.out_dir)
        return result

    def report(self, result: Dict[str, Any]) -> str:
        """Tell what was done in words."""
        lines = list(result['left_out'])
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


def _write(words: RenderedWords, paths: List[Path],
           workers: int) -> Dict[str, float]:
    """Draw a part into its LMDBs; tells how fast the pictures were drawn."""
    seconds = []
    for path, record in zip(paths, (_record, _mask_record)):
        start = time.perf_counter()
        with LMDBWriter(path, overwrite=True) as writer:
            for image, text in map_records(record, words, range(len(words)),
                                           workers, f'render {path.name}'):
                writer.add(image, text)
        seconds.append(time.perf_counter() - start)
    return {
        'seconds': round(sum(seconds), 2),
        'images_per_second': round(len(words) / seconds[0], 1),
    }


def _record(words: RecordSource, index: int) -> Record:
    """A picture, and what it says."""
    return words.read(index), words.label(index)


def _mask_record(words: RecordSource, index: int) -> Record:
    """Where the letters are; text and boxes, as MMOCR's labels in JSON."""
    assert isinstance(words, RenderedWords)
    word = words[index]
    boxes = word.boxes.reshape(-1, 8).round(1).tolist()
    return _png(word.mask), json.dumps(
        dict(text=word.text, boxes=boxes), ensure_ascii=False)


def _png(image: np.ndarray) -> bytes:
    return cv2.imencode('.png', image)[1].tobytes()
