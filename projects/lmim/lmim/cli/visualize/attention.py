"""`attention`: what encoders, and decoders of text, look at."""
import argparse
from pathlib import Path
from typing import Any, Dict, List, Tuple

import cv2

from lmim.cli import Command
from lmim.apis import TextRecognizer, load_encoder
from lmim.utils.atomic import write_atomic

from lmim.utils.errors import UserError
from lmim.visualization.attention import character_attention
from lmim.visualization.attention_sheet import (draw_attention_sheet,
                                                draw_character_sheet)
from lmim.visualization.saving import SUFFIXES, save_figure
from .arguments import (add_images, add_output, check_output, read_images,
                        tell_picture)


class Attention(Command):
    """Draw attention maps of the encoder, or of the decoder of a recognizer.

    Without more, the last block of the encoder: what [CLS] and some patches
    look at, as in Figure 3 of the paper. With several checkpoints their maps
    stand below one another. Checkpoints of any known format will do.

    With --characters, where a recognizer looks as it writes each character.
    """

    name = 'attention'
    summary = 'what [CLS], patches and characters look at'
    example = 'attention words.lmdb --checkpoint mae.pth lmim.pth'

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the arguments."""
        add_images(parser, 4)
        add = parser.add_argument
        add('--checkpoint', required=True, nargs='+', type=Path,
            metavar='FILE', help='one, or several to compare')
        add('--config', nargs='+', type=Path, metavar='CONFIG',
            help='where checkpoints carry none: one for all, or one for each')
        add('--query', nargs='+', type=patch, metavar='ROW,COLUMN',
            help='patches that ask, counted from 0 (default: four of the '
            'middle row)')
        add('--block', type=int, default=-1, metavar='N',
            help='of the encoder, from 0; -1 is the last (default)')
        add('--head', type=int, metavar='N',
            help='of the block, from 0 (default: the mean of all)')
        add('--characters', action='store_true',
            help='where a recognizer with an LMIM decoder looks as it writes '
            'each character (one checkpoint; a .png)')
        add_output(parser, 'attention.png')

    def run(self, args: argparse.Namespace) -> Dict[str, Any]:
        """Draw the sheet."""
        check_output(args, ('.png', ) if args.characters else SUFFIXES)
        configs = args.config or [None]
        if len(configs) == 1:
            configs = configs * len(args.checkpoint)
        if len(configs) != len(args.checkpoint):
            raise UserError(
                f'--config names {len(configs)} files for '
                f'{len(args.checkpoint)} checkpoints: name one, or one for '
                'each')
        pairs = list(zip(args.checkpoint, configs))
        if args.characters:
            return self._characters(args, pairs)
        encoders = {_name(path, args.checkpoint): load_encoder(path, config)
                    for path, config in pairs}
        pictures, result = read_images(args)
        save_figure(
            draw_attention_sheet(pictures, encoders, args.query, args.block,
                                 args.head), args.output)
        return result

    @staticmethod
    def _characters(args: argparse.Namespace,
                    pairs: List[Tuple[Path, Any]]) -> Dict[str, Any]:
        """Draw where a recognizer looks."""
        if len(pairs) > 1:
            raise UserError('--characters draws one checkpoint at a time')
        reader = TextRecognizer(*pairs[0], device='cpu')
        pictures, result = read_images(args)
        model: Any = reader.model
        data = model.data_preprocessor(
            reader.prepare([picture.image for picture in pictures]))
        maps = character_attention(model, data['inputs'],
                                   data['data_samples'])
        words = [sample.pred_text.item for sample in data['data_samples']]
        sheet = draw_character_sheet(pictures, words, maps)
        write_atomic(args.output, cv2.imencode('.png', sheet)[1].tobytes())
        return dict(result, texts=words)

    def report(self, result: Dict[str, Any]) -> str:
        """Tell what was done in words."""
        lines = tell_picture(result)
        for name, text in zip(result['pictures'], result.get('texts', [])):
            lines.append(f'  {name}: {text}')
        return '\n'.join(lines)


def patch(text: str) -> Tuple[int, int]:
    """Row and column of a patch, from ``2,14``.

    Raises:
        argparse.ArgumentTypeError: If it is no such pair.
    """
    try:
        row, column = (int(part) for part in text.split(','))
    except ValueError:
        raise argparse.ArgumentTypeError(
            f'{text} is no patch: write ROW,COLUMN, as 2,14') from None
    return row, column


def _name(path: Path, paths: List[Path]) -> str:
    """What tells a checkpoint from the others."""
    alone = [other.name for other in paths].count(path.name) == 1
    return path.name if alone else '/'.join(path.parts[-2:])

