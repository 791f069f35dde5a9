"""`split`: a part for training and one for validation."""
import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, Optional

from lmim.datasets.lmdb_writer import refuse_to_replace
from lmim.datasets.records import UnreadableRecordError, is_lmdb
from lmim.datasets.splitting import part_of, word_key
from lmim.cli import Command
from .conversion import Conversion, Converted
from .create import add_copy_arguments, tell_transfer
from .inputs import add_input_arguments, open_input
from .transfer import count_records, refuse_source_as_result, transfer

PARTS = ('train', 'val')


@dataclass(frozen=True)
class SplitConversion(Conversion):
    """Takes records as they are, each into its part.

    Args:
        share (float): The part to hold out.
        by (str): 'image' or 'label': what decides.
        salt (str): Another one gives another split.
    """
    share: float = 0.1
    by: str = 'image'
    salt: str = ''

    def convert(self, image: bytes, label: Optional[str]) -> Converted:
        """Find the part of a record."""
        made = super().convert(image, label)
        key = image
        if self.by == 'label':
            if label is None:
                raise UnreadableRecordError('no label')
            key = word_key(label)
        held_out = part_of(key, self.share, self.salt)
        return made._replace(part=PARTS[held_out])


class Split(Command):
    """Part records into OUT_DIR/train.lmdb and OUT_DIR/val.lmdb.

    A record's part hangs on its own content alone: not on its place, nor on
    other records. So a set that grows is split again without any record
    changing sides, and copies of a picture are always on the same side.

    By default the bytes of the picture decide. Both parts are then alike,
    which is what most want to measure. With --by label equal words (of any
    case) stay together: the validation tells how words are read that
    training never saw. Choose it where pictures of a word are nearly alike
    (frames of a video, copies encoded anew, few words rendered often); a
    frequent word then moves the sizes of both parts.

    As `create`, it leaves out what cannot be read and names it (in
    OUT_DIR/skipped.jsonl), and writes each part whole or not at all.
    """

    name = 'split'
    summary = 'part a set into training and validation, stably'
    example = 'split words.lmdb data/words --val 0.05 --by label'

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the arguments."""
        add_input_arguments(parser)
        add = parser.add_argument
        add('out_dir', type=Path, metavar='OUT_DIR')
        add('--val', type=_share, default=0.1, metavar='SHARE',
            help='about so much of it is held out, between 0 and 1 (default: '
            '%(default)s)')
        add('--by', choices=('image', 'label'), default='image',
            help='what decides about the part (default: %(default)s)')
        add('--salt', default='', metavar='TEXT',
            help='any text; another one gives another split')
        add_copy_arguments(parser)

    def run(self, args: argparse.Namespace) -> Dict[str, Any]:
        """Copy all records, each into its part."""
        if args.by == 'label' and args.unlabelled:
            raise ValueError('--by label needs the labels that --unlabelled '
                             'leaves behind. Give one of them')
        if is_lmdb(str(args.out_dir)):
            raise ValueError(f'{args.out_dir} is an LMDB; OUT_DIR is the '
                             'folder for train.lmdb and val.lmdb')
        places = {part: args.out_dir / f'{part}.lmdb' for part in PARTS}
        for place in places.values():
            refuse_to_replace(place, args.overwrite)
        source = open_input(args)
        if args.by == 'label' and not source.labelled:
            raise ValueError(f'{source.path} has no labels ({source.layout}), '
                             'and --by label needs them. Give --labels, or '
                             'split --by image')
        refuse_source_as_result(args.sources, source, [*places.values()])
        conversion = SplitConversion(
            check=not args.no_check,
            labels=not args.unlabelled,
            share=args.val,
            by=args.by,
            salt=args.salt)
        done = transfer(source, places, args.out_dir / 'skipped.jsonl',
                        conversion, args.workers, self.name, args.overwrite)
        return {
            'out_dir': str(args.out_dir),
            'val': args.val,
            'by': args.by,
            'salt': args.salt,
            'parts': {
                part: {'path': str(place), **count_records(place)}
                for part, place in places.items()
            },
            **done
        }

    def report(self, result: Dict[str, Any]) -> str:
        """Tell what was done in words."""
        parts = result['parts'].values()
        total = sum(part['records'] for part in parts)
        lines = [f'{part["path"]}: {part["records"]:,} records '
                 f'({part["records"] / total:.1%}), {part["labelled"]:,} of '
                 'them with a label' for part in parts]
        return '\n'.join(lines + tell_transfer(result))


def _share(text: str) -> float:
    value = float(text)
    if not 0 < value < 1:
        raise argparse.ArgumentTypeError(f'{text} is not between 0 and 1')
    return value
