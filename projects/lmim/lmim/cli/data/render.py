"""`render`: a labelled set of word images, drawn with fonts."""
import argparse
import hashlib
import json
from dataclasses import asdict, fields
from itertools import islice
from pathlib import Path
from typing import Any, Dict, Iterator, List, Mapping, Tuple

import cv2
from PIL import Image

from lmim.cli import Command, at_least
from lmim.datasets.lmdb_writer import LMDBWriter
from lmim.datasets.records import RecordSource
from lmim.datasets.records.lmdb import LMDBStore
from lmim.datasets.rendered_text_dataset import (RenderedRecords,
                                                 make_rendered_sets)
from lmim.rendering import (LOWER_CASE, MANNERS, PARTS, STYLES, RenderedWord,
                            RenderedWords, StyleRanges)
from lmim.utils.atomic import refuse_existing, whole_folder, write_atomic
from lmim.utils.errors import UserError
from lmim.utils.options import SettingAction
from lmim.visualization.sheet import contact_sheet
from .inputs import read_record
from .parallel import add_workers_argument, map_records

SHEET, MANIFEST = 'samples.png', 'rendered.json'
# Raised when the same settings come to give other bytes.
FORMAT = 2
#: Pictures of each part on the sheet.
SHOWN = 48

#: Folders of pairs, as text editing and removal name them.
FOLDERS = ('i_s', 't_f', 't_b', 'mask_s', 'mask_t')

#: Options that are passed to `make_sets` as they are.
PASSED = ('seed', 'alphabet', 'words', 'manner', 'fonts', 'same_fonts',
          'style', 'difficulty', 'style_options')


class Render(Command):
    """Draw a labelled set of word images.

    OUT_DIR/train.lmdb, and OUT_DIR/test.lmdb with words and fonts that
    training has not. Beside them lie rendered.json (settings, fonts, counts)
    and samples.png (a contact sheet).

    With --pairs, pairs of words in one style, for text editing and removal:
    OUT_DIR/train and OUT_DIR/test with PNG files of one name in i_s (the
    source), t_f (the target: the other word in its place), t_b (neither),
    mask_s and mask_t (255 where their letters are, else 0), and with the
    words, a line `NAME WORD` each, in i_s.txt and i_t.txt.

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
        add('--pairs', action='store_true',
            help='draw pairs of words in one style on one canvas, and the '
            'canvas without them, as folders of PNG files')
        add('--overwrite', action='store_true',
            help='replace a set of other settings')
        add_workers_argument(parser)

        group = parser.add_argument_group('words')
        add = group.add_mutually_exclusive_group().add_argument
        add('--alphabet', help='characters that words are made of (default: '
            f'{LOWER_CASE})')
        add('--words', metavar='PATH',
            help='words to draw: a text file with one a line (word, or '
            'word<TAB>count), or any labelled set, whose labels are taken')
        add = group.add_argument
        add('--manner', choices=MANNERS, default='listed',
            help="with --words: as they are listed, or as on signs ('scene'): "
            'in capitals and lower case, among numbers, punctuation and '
            "made-up words; without: half of the words with 'runs' of a "
            "character, as '1111' (default: %(default)s)")
        add('--min-length', type=at_least(1),
            help='least characters of a word (default: 3, and 1 with '
            '--words)')
        add('--max-length', type=at_least(1),
            help='most characters of a word (default: 6, and 25 with '
            '--words)')

        add = parser.add_argument_group('looks').add_argument
        add('--style', choices=sorted(STYLES), default='varied',
            help='anything that photographs show; dark ink on light paper; or '
            'words as detectors cut them out of photographs (default: '
            '%(default)s)')
        add('--difficulty', type=float,
            help='strength of curves, patterns, blur, noise and so on; 0 is '
            "clean text (default: 1, and 0.5 for 'print')")
        settings = ', '.join(field.name for field in fields(StyleRanges))
        add('--style-options', nargs='+', action=SettingAction,
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
        least, most = (3, 6) if args.words is None else (1, 25)
        made = make_rendered_sets(
            {'train': args.train, 'test': args.test},
            lengths=(args.min_length or least, args.max_length or most),
            **{name: getattr(args, name) for name in PASSED})
        sets = {part: made.parts[part] for part in PARTS}
        manifest = _describe(sets, made.left_out, args.pairs)
        out_dir = args.out_dir
        paths = {part: _part(out_dir, part, args.pairs) for part in PARTS}
        skipped = _is_there(out_dir, manifest, args.overwrite)
        if not skipped:
            # Before the set as not complete, and again after it: so a set
            # that was broken off is known as this command's own.
            _save_manifest(manifest, out_dir)
            for part, words in sets.items():
                write = _write_pairs if args.pairs else _write_words
                write(words, paths[part], args.workers)
            sheet = contact_sheet(
                (word.image, f'{word.text} {word.font}')
                for words in sets.values()
                for word in islice(_shown(words, args.pairs), SHOWN))
            # Of 256 colours: photographs make large files.
            Image.fromarray(sheet[..., ::-1]).quantize(256).save(
                out_dir / SHEET, optimize=True)
            _save_manifest({**manifest, 'complete': True}, out_dir)
        return dict(
            out_dir=str(out_dir), skipped=skipped,
            kind='pairs' if args.pairs else 'words',
            parts={part: dict(path=str(paths[part]),
                              samples=len(words),
                              fonts=[font.name for font in words.fonts.fonts])
                   for part, words in sets.items()},
            sheet=str(out_dir / SHEET), manifest=str(out_dir / MANIFEST),
            left_out=made.left_out)

    def report(self, result: Dict[str, Any]) -> str:
        """Report what was done, as text."""
        lines = list(result['left_out'])
        for part, about in result['parts'].items():
            lines.append(f'{part}: {about["samples"]} {result["kind"]} in '
                         f'{len(about["fonts"])} fonts, {about["path"]}')
        lines.append(f'a look at them: {result["sheet"]}')
        if result['skipped']:
            lines.insert(0, 'Nothing to do: the same set is there already.')
        return '\n'.join(lines)


def _part(out_dir: Path, part: str, pairs: bool) -> Path:
    """Where a part of a set lies."""
    return out_dir / (part if pairs else f'{part}.lmdb')


def _write_words(words: RenderedWords, path: Path, workers: int) -> None:
    with LMDBWriter(path, overwrite=True) as writer:
        for image, text in map_records(
                read_record, RenderedRecords(words), range(len(words)),
                workers, f'render {path.name}'):
            writer.add(image, text)


def _write_pairs(words: RenderedWords, path: Path, workers: int) -> None:
    with whole_folder(path, overwrite=True) as draft:
        for folder in FOLDERS:
            (draft / folder).mkdir()
        lines: List[Tuple[str, str]] = []
        for index, (files, texts) in enumerate(map_records(
                read_pair, RenderedRecords(words), range(len(words)),
                workers, f'render {path.name}')):
            name = f'{index:08d}.png'
            for folder, data in zip(FOLDERS, files):
                (draft / folder / name).write_bytes(data)
            first, second = (f'{name} {text}\n' for text in texts)
            lines.append((first, second))
        for file, column in zip(('i_s.txt', 'i_t.txt'), zip(*lines)):
            (draft / file).write_text(''.join(column), encoding='utf-8')


def read_pair(source: RecordSource,
              index: int) -> Tuple[List[bytes], Tuple[str, str]]:
    """The files of a pair, in the order of :data:`FOLDERS`, and its texts."""
    assert isinstance(source, RenderedRecords)
    one, other, erased = source.words.same_style(index)
    files = [cv2.imencode('.png', picture)[1].tobytes() for picture in (
        one.image, other.image, erased, one.mask, other.mask)]
    return files, (one.text, other.text)


def _shown(words: RenderedWords, pairs: bool) -> Iterator[RenderedWord]:
    """What is shown on the sheet: words, or those of pairs in turn."""
    if not pairs:
        return iter(words)
    return (word for index in range(len(words))
            for word in words.same_style(index)[:2])


def _describe(sets: Mapping[str, RenderedWords], left_out: List[str],
              pairs: bool) -> Dict[str, Any]:
    """The manifest of a set that is not made yet."""
    train = sets['train']
    manifest = {
        'complete': False,
        'settings': {
            'format': FORMAT,
            'seed': train.seed,
            'pairs': pairs,
            'words': train.words.settings(),
            'style': asdict(train.renderer.ranges),
            'samples': {part: len(sets[part]) for part in PARTS},
            # Names of faces, and a digest of each file.
            'fonts': {
                part: {font.name: hashlib.sha256(
                    Path(font.path).read_bytes()).hexdigest()[:16]
                    for font in sets[part].fonts.fonts} for part in PARTS
            },
        },
        # Reported, not compared.
        'left_out': left_out,
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
    refuse_existing(out_dir, overwrite=True)
    wanted = manifest['settings']
    pairs = wanted['pairs']
    try:
        found = json.loads((out_dir / MANIFEST).read_text(encoding='utf-8'))
        settings = {'pairs': False, **found['settings']}
        # Sets are as they were where a setting has come since, at its default.
        settings['style'] = {**json.loads(json.dumps(asdict(StyleRanges()))),
                             **settings['style']}
    except FileNotFoundError:
        for path in (_part(out_dir, part, pairs) for part in PARTS):
            if path.exists() and not overwrite:
                raise FileExistsError(
                    f'{path} is there and was not made by this command. '
                    'Give another folder, or --overwrite') from None
        return False
    except (ValueError, KeyError, TypeError):
        settings = {}
    other = [key for key, value in wanted.items()
             if settings.get(key) != value]
    if other and not overwrite:
        raise FileExistsError(
            f'{out_dir} holds a set of other settings ({", ".join(other)}); '
            'see its rendered.json. Give another folder, or --overwrite')
    return not other and found.get('complete') is True and all(
        _count(_part(out_dir, part, pairs)) == size
        for part, size in wanted['samples'].items())


def _count(path: Path) -> int:
    """Records that an LMDB or folder of pairs has; 0 if it cannot be read."""
    try:
        if path.suffix == '.lmdb':
            return LMDBStore(str(path)).count()
        return min(
            *(len(list((path / folder).iterdir())) for folder in FOLDERS),
            *((path / f'{name}.txt').read_text(encoding='utf-8').count('\n')
              for name in ('i_s', 'i_t')))
    except (OSError, UserError):
        return 0
