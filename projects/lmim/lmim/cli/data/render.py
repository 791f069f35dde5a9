"""`render`: a labelled set of word images, drawn with fonts."""
import argparse
import hashlib
import json
import platform
import shutil
import time
from dataclasses import asdict, fields
from itertools import chain
from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional, Tuple

import cv2
import lmdb
import numpy as np
import PIL
from mmengine.config import DictAction
from PIL import Image

from lmim.cli import Command, at_least
from lmim.datasets.records import RecordSource
from lmim.datasets.rendered_text_dataset import (RenderedRecords,
                                                 make_rendered_sets)
from lmim.datasets.lmdb_writer import LMDBWriter
from lmim.rendering import (LOWER_CASE, PARTS, STYLES, RenderedWord,
                            RenderedWords, StyleRanges)
from lmim.utils.atomic import write_atomic
from lmim.visualization.sheet import contact_sheet
from .parallel import add_workers_argument, map_records

SHEET, MANIFEST = 'samples.png', 'rendered.json'
# Raised when the same settings come to give other bytes.
FORMAT = 2
#: Pictures of each part on the sheet, and in a row.
SHOWN, COLUMNS = 48, 8
#: Pictures whose letters are shown, below the others and enlarged.
LETTERS, ENLARGED = 4, 2
CELL = (48, 192)

#: Of options that are passed to `make_sets` as they are.
PASSED = ('seed', 'alphabet', 'alphabet_file', 'words', 'statistics', 'kind',
          'order', 'fonts', 'same_fonts', 'style', 'difficulty',
          'style_options')


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

        group = parser.add_argument_group('words')
        add = group.add_mutually_exclusive_group().add_argument
        add('--alphabet', help='characters that words are made of (default: '
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

        add = parser.add_argument_group('looks').add_argument
        add('--style', choices=sorted(STYLES), default='varied',
            help='anything that photographs show, or dark ink on light paper '
            '(default: %(default)s)')
        add('--difficulty', type=float,
            help='strength of curves, patterns, blur, noise and so on; 0 is '
            "clean text (default: 1, and 0.5 for 'print')")
        settings = ', '.join(field.name for field in fields(StyleRanges))
        add('--style-options', nargs='+', action=DictAction,
            metavar='NAME=VALUE',
            help='single settings of the style, such as bent=0.8 '
            f'height=32,32; of {settings}')
        add('--fonts', nargs='+', default=['matplotlib'], metavar='PLACE',
            help="'matplotlib' (the fonts it brings; the default), 'machine' "
            '(those that are installed), folders or font files')
        add('--same-fonts', action='store_true',
            help='let the test part use the fonts of training, where there '
            'are few')

    def run(self, args: argparse.Namespace) -> Dict[str, Any]:
        """Draw both parts, or find that they are there."""
        lengths: Tuple[int, int] = (3, 6)
        if args.words is not None or args.statistics is not None:
            lengths = (1, 25)
        made = make_rendered_sets(
            {'train': args.train, 'test': args.test},
            lengths=(args.min_length or lengths[0],
                     args.max_length or lengths[1]),
            **{name: getattr(args, name) for name in PASSED})
        sets = {part: made.parts[part] for part in PARTS}
        manifest = _describe(sets, args.masks, made.left_out)
        out_dir = args.out_dir
        skipped = _is_there(out_dir, manifest, args.overwrite)
        if not skipped:
            out_dir.mkdir(parents=True, exist_ok=True)
            # Before the set as not complete, and again after it: so a set
            # that was broken off is known as this command's own.
            _save_manifest(manifest, out_dir)
            for part in PARTS:  # a new set may have no masks
                masks = _lmdb_paths(out_dir, part, True)[1]
                if masks.exists():
                    shutil.rmtree(masks)
        parts: Dict[str, Dict[str, Any]] = {}
        for part, words in sets.items():
            paths = _lmdb_paths(out_dir, part, args.masks)
            parts[part] = dict(
                path=str(paths[0]), samples=len(words),
                fonts=[font.name for font in words.fonts.fonts])
            if args.masks:
                parts[part]['masks'] = str(paths[1])
            if not skipped:
                parts[part].update(_write(words, paths, args.workers))
        if not skipped:
            # Of 256 colours: photographs make large files.
            sheet = Image.fromarray(_draw_sheet(sets)[..., ::-1])
            sheet.quantize(256).save(out_dir / SHEET, optimize=True)
            _save_manifest({**manifest, 'complete': True}, out_dir)
        return dict(
            out_dir=str(out_dir), skipped=skipped, parts=parts,
            sheet=str(out_dir / SHEET), manifest=str(out_dir / MANIFEST),
            left_out=made.left_out)

    def report(self, result: Dict[str, Any]) -> str:
        """Report what was done, as text."""
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


def _describe(sets: Mapping[str, RenderedWords], masks: bool,
              left_out: List[str]) -> Dict[str, Any]:
    """The manifest of a set that is not made yet."""
    train = sets['train']
    manifest = {
        'complete': False,
        'settings': {
            'format': FORMAT,
            'seed': train.seed,
            'words': train.words.settings(),
            'style': asdict(train.renderer.ranges),
            'masks': masks,
            'samples': {part: len(sets[part]) for part in PARTS},
            # Names of faces, and a digest of each file.
            'fonts': {
                part: {font.name: hashlib.sha256(
                    Path(font.path).read_bytes()).hexdigest()[:16]
                    for font in sets[part].fonts.fonts} for part in PARTS
            },
        },
        # Told, not compared: a set is not made anew for a newer library.
        'left_out': left_out,
        'made_with': {
            'python': platform.python_version(),
            'numpy': np.__version__,
            'opencv': cv2.__version__,
            'pillow': PIL.__version__,
        },
    }
    # As it is read back: lists for tuples.
    return dict(json.loads(json.dumps(manifest)))


def _save_manifest(manifest: Dict[str, Any], out_dir: Path) -> None:
    text = json.dumps(manifest, indent=2, ensure_ascii=False) + '\n'
    write_atomic(out_dir / MANIFEST, text.encode())


def _is_there(out_dir: Path, manifest: Dict[str, Any],
              overwrite: bool) -> bool:
    """Whether a whole set of the same settings is there.

    Raises:
        FileExistsError: If another set is, and may not be replaced.
    """
    if out_dir.exists() and not out_dir.is_dir():
        raise FileExistsError(
            f'{out_dir} is a file; give the path of a folder')
    wanted = manifest['settings']
    try:
        found = json.loads((out_dir / MANIFEST).read_text(encoding='utf-8'))
        settings: Optional[Dict[str, Any]] = dict(found['settings'])
    except FileNotFoundError:
        found, settings = {}, None
    except (ValueError, KeyError, TypeError):
        found, settings = {}, {}
    if settings == wanted:
        return found.get('complete') is True and all(
            _count(path) == size for part, size in wanted['samples'].items()
            for path in _lmdb_paths(out_dir, part, wanted['masks']))
    if overwrite:
        return False
    if settings is not None:
        other = [key for key, value in wanted.items()
                 if settings.get(key) != value]
        raise FileExistsError(
            f'{out_dir} holds a set of other settings ({", ".join(other)}); '
            'see its rendered.json. Give another folder, or --overwrite')
    for path in chain(*(_lmdb_paths(out_dir, part, True) for part in PARTS)):
        if path.exists():
            raise FileExistsError(
                f'{path} is there and was not made by this command. '
                'Give another folder, or --overwrite')
    return False


def _lmdb_paths(out_dir: Path, part: str, masks: bool) -> List[Path]:
    """Where a part of the set lies, and its masks if there are any."""
    names = [part, f'{part}_masks'] if masks else [part]
    return [out_dir / f'{name}.lmdb' for name in names]


def _count(path: Path) -> int:
    """Records that an LMDB says it has; 0 if it cannot be read."""
    try:
        with lmdb.open(str(path), readonly=True, lock=False) as env:
            with env.begin() as txn:
                return int(txn.get(b'num-samples', b'0'))
    except (lmdb.Error, ValueError):
        return 0


def _write(words: RenderedWords, paths: List[Path],
           workers: int) -> Dict[str, float]:
    """Draw a part into its LMDBs, and measure how fast that is."""
    seconds = []
    for path, record in zip(paths, (_record, _mask_record)):
        start = time.perf_counter()
        with LMDBWriter(path, overwrite=True) as writer:
            for image, text in map_records(
                    record, RenderedRecords(words), range(len(words)),
                    workers, f'render {path.name}'):
                writer.add(image, text)
        seconds.append(time.perf_counter() - start)
    return {
        'seconds': round(sum(seconds), 2),
        'images_per_second': round(len(words) / seconds[0], 1),
    }


def _record(source: RecordSource, index: int) -> Tuple[bytes, Optional[str]]:
    """A picture, and what it says."""
    return source.read(index), source.label(index)


def _mask_record(source: RecordSource,
                 index: int) -> Tuple[bytes, Optional[str]]:
    """Where the letters are; text and boxes, as MMOCR's labels in JSON."""
    assert isinstance(source, RenderedRecords)
    word = source.words[index]
    boxes = word.boxes.reshape(-1, 8).round(1).tolist()
    return cv2.imencode('.png', word.mask)[1].tobytes(), json.dumps(
        dict(text=word.text, boxes=boxes), ensure_ascii=False)


def _draw_sheet(sets: Dict[str, RenderedWords]) -> np.ndarray:
    """The first samples of both parts, training first, and some letters.

    Below the words, larger: boxes of the characters, and masks of the
    letters, of some that are not straight.

    Returns:
        np.ndarray: BGR uint8 of shape (H, W, 3).
    """
    shown = [sets[part][index] for part in PARTS
             for index in range(min(SHOWN, len(sets[part])))]
    words = contact_sheet(
        ((word.image, f'{word.text} {word.font}') for word in shown), COLUMNS,
        CELL)
    bent_first = sorted(
        shown, key=lambda word: word.rendering.style.bend is None)[:LETTERS]
    letters = contact_sheet(
        [*map(_boxes, bent_first), *map(_mask, bent_first)], LETTERS,
        (CELL[0] * ENLARGED, CELL[1] * ENLARGED))
    width = max(words.shape[1], letters.shape[1])
    return np.concatenate([
        cv2.copyMakeBorder(sheet, 0, 0, 0, width - sheet.shape[1],
                           cv2.BORDER_CONSTANT, value=(255, 255, 255))
        for sheet in (words, letters)
    ])


def _boxes(word: RenderedWord) -> Tuple[np.ndarray, str]:
    image = _enlarge(word.image)
    # Pixels are counted from their centres.
    corners = (word.boxes + 0.5) * ENLARGED - 0.5
    cv2.polylines(image, list(corners.round().astype(np.int32)), True,
                  (0, 0, 255), 1, cv2.LINE_AA)
    return image, f'boxes of {word.text}'


def _mask(word: RenderedWord) -> Tuple[np.ndarray, str]:
    mask = cv2.cvtColor(word.mask, cv2.COLOR_GRAY2BGR)
    return _enlarge(mask), f'mask of {word.text}'


def _enlarge(image: np.ndarray) -> np.ndarray:
    return cv2.resize(image, None, fx=ENLARGED, fy=ENLARGED,
                      interpolation=cv2.INTER_CUBIC)
