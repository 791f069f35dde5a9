"""`publish`: a recognizer for others, in one small file."""
import argparse
from pathlib import Path
from typing import Any, Dict, Tuple

from lmim.apis.publishing import fill_card, publish, read_record
from lmim.checkpoints import Checkpoint, open_checkpoint
from lmim.checkpoints.reading import SUFFIX
from lmim.utils.atomic import write_atomic
from lmim.utils.errors import UserError

from .convert import Maker, describe_file


class Publish(Maker):
    """Write a recognizer as one small file that is all others need.

    OUT, a file of safetensors, has the weights (their average, where training
    kept one), the config of model and preprocessing without any path, the
    characters, and a record of training. A head of glyphs that is for training
    alone is left out. Before it is written, it is checked that it can be read
    without the rest.

    --record names a JSON object with name, licence, data, seeds, commit and
    figures (for each set, numbers by their names), and what else it is to
    tell. --card is a page of Markdown in which it is told, between the lines
    `<!-- from the record -->` and `<!-- end of the record -->`.
    """

    name = 'publish'
    summary = 'write a recognizer as one small file for others'
    example = ('publish work_dirs/NAME/epoch_10.pth reader.safetensors '
               '--record record.json')

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the arguments."""
        super().add_arguments(parser)
        add = parser.add_argument
        add('--precision', choices=['fp16', 'fp32'], default='fp16',
            help='in which weights are stored (default: %(default)s; it is '
            'computed in fp32 with either)')
        add('--record', type=Path, metavar='JSON',
            help='of what was trained how, and how well it reads')
        add('--card', type=Path, metavar='PAGE',
            help='a page with the two lines, to tell the record in')
        add('--config', type=Path,
            help='its config, where the checkpoint carries none')

    def run(self, args: argparse.Namespace) -> Dict[str, Any]:
        """Write the file, and then the card."""
        if args.output.suffix != SUFFIX:
            raise UserError(f'{args.output}: what is published is a file of '
                            f'safetensors, *{SUFFIX}')
        if args.card is None:
            return super().run(args)
        if args.record is None:
            raise UserError('--card tells of a record: --record JSON')
        page = fill_card(args.card.read_text(encoding='utf-8'),
                         read_record(args.record), str(args.card))
        result = super().run(args)
        write_atomic(args.card, page.encode('utf-8'))
        return {**result, 'card': str(args.card)}

    def make(self, args: argparse.Namespace
             ) -> Tuple[Checkpoint, Dict[str, Any]]:
        """Make it of one file."""
        record = read_record(args.record) if args.record is not None else {}
        source = open_checkpoint(args.input)
        made = publish(source, record, args.config,
                       half=args.precision == 'fp16')
        dropped = source.by_module_names().keys() - made.weights.keys()
        return made, {'input': describe_file(source, args.input),
                      'record': record,
                      'dropped': {'head of glyphs, for training alone':
                                  sorted(dropped)} if dropped else {}}
