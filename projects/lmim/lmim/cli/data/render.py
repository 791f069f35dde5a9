"""`render`: a labelled set of word images, drawn with fonts."""
import argparse
import hashlib
import json
from dataclasses import asdict, fields
from itertools import islice
from pathlib import Path
from typing import Any, Dict, List, Mapping

from PIL import Image

from lmim.cli import Command, at_least
from lmim.datasets.lmdb_writer import LMDBWriter
from lmim.datasets.records.lmdb import LMDBStore
from lmim.datasets.rendered_text_dataset import (RenderedRecords,
                                                 make_rendered_sets)
from lmim.rendering import (LOWER_CASE, MANNERS, PARTS, STYLES, RenderedWords,
                            StyleRanges)
from lmim.utils.atomic import refuse_existing, write_atomic
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

#: Options that are passed to `make_sets` as they are.
PASSED = ('seed', 'alphabet', 'words', 'manner', 'fonts', 'same_fonts',
          'style', 'difficulty', 'style_options')


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
        manifest = _describe(sets, made.left_out)
        out_dir = args.out_dir
        skipped = _is_there(out_dir, manifest, args.overwrite)
        if not skipped:
            # Before the set as not complete, and again after it: so a set
            # that was broken off is known as this command's own.
            _save_manifest(manifest, out_dir)
            for part, words in sets.items():
                path = out_dir / f'{part}.lmdb'
                with LMDBWriter(path, overwrite=True) as writer:
                    for image, text in map_records(
                            read_record, RenderedRecords(words),
                            range(len(words)), args.workers,
                            f'render {path.name}'):
                        writer.add(image, text)
            sheet = contact_sheet(
                (word.image, f'{word.text} {word.font}')
                for words in sets.values() for word in islice(words, SHOWN))
            # Of 256 colours: photographs make large files.
            Image.fromarray(sheet[..., ::-1]).quantize(256).save(
                out_dir / SHEET, optimize=True)
            _save_manifest({**manifest, 'complete': True}, out_dir)
        return dict(
            out_dir=str(out_dir), skipped=skipped,
            parts={part: dict(path=str(out_dir / f'{part}.lmdb'),
                              samples=len(words),
                              fonts=[font.name for font in words.fonts.fonts])
                   for part, words in sets.items()},
            sheet=str(out_dir / SHEET), manifest=str(out_dir / MANIFEST),
            left_out=made.left_out)

    def report(self, result: Dict[str, Any]) -> str:
        """Report what was done, as text."""
        lines = list(result['left_out'])
        for part, about in result['parts'].items():
            lines.append(f'{part}: {about["samples"]} words in '
                         f'{len(about["fonts"])} fonts, {about["path"]}')
        lines.append(f'a look at them: {result["sheet"]}')
        if result['skipped']:
            lines.insert(0, 'Nothing to do: the same set is there already.')
        return '\n'.join(lines)


def _describe(sets: Mapping[str, RenderedWords],
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
    try:
        found = json.loads((out_dir / MANIFEST).read_text(encoding='utf-8'))
        settings = dict(found['settings'])
        # Sets are as they were where a setting has come since, at its default.
        settings['style'] = {**json.loads(json.dumps(asdict(StyleRanges()))),
                             **settings['style']}
    except FileNotFoundError:
        for path in (out_dir / f'{part}.lmdb' for part in PARTS):
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
        _count(out_dir / f'{part}.lmdb') == size
        for part, size in wanted['samples'].items())


def _count(path: Path) -> int:
    """Records that an LMDB says it has; 0 if it cannot be read."""
    try:
        return LMDBStore(str(path)).count()
    except (OSError, UserError):
        return 0
