"""`attention`: what encoders, and decoders of text, look at."""
import argparse
from pathlib import Path
from typing import Any, Dict, List, Optional, Tuple

import numpy as np

from lmim.apis import TextRecognizer, load_encoder
from lmim.apis.loading import reader_path
from lmim.utils.errors import UserError
from lmim.visualization.attention import (character_attention,
                                          draw_attention_sheet,
                                          draw_character_sheet)
from .pictures import PictureCommand


class Attention(PictureCommand):
    """Draw attention maps of the encoder, or of the decoder of a recognizer.

    Without more, the last block of the encoder: what [CLS] and some patches
    look at, as in Figure 3 of the paper. With several checkpoints their maps
    stand below one another. Checkpoints of any known format will do.

    With --characters, where a recognizer looks as it writes each character.
    """

    name = 'attention'
    summary = 'what [CLS], patches and characters look at'
    example = 'attention words.lmdb --checkpoint mae.pth lmim.pth'
    number = 4
    seeded = ''

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the arguments."""
        super().add_arguments(parser)
        add = parser.add_argument
        add('--checkpoint', nargs='+', type=Path, metavar='FILE',
            help='one, or several to compare (default: the reader that comes '
            'with lmim)')
        add('--config', nargs='+', type=Path, metavar='CONFIG',
            help='where checkpoints carry none: one for all, or one for each')
        add('--block', type=int, default=-1, metavar='N',
            help='of the encoder, from 0; -1 is the last (default)')
        add('--characters', action='store_true',
            help='where a recognizer with an LMIM decoder looks as it writes '
            'each character (one checkpoint)')

    def prepare(self, args: argparse.Namespace) -> Any:
        """Load the recognizer, or the encoders by the names to show."""
        args.checkpoint = args.checkpoint or [reader_path()]
        configs = configs_of(args)
        if not args.characters:
            return {name: load_encoder(path, config) for name, path, config
                    in zip(checkpoint_names(args.checkpoint),
                           args.checkpoint, configs)}
        if len(configs) > 1:
            raise UserError('--characters draws one checkpoint at a time')
        return TextRecognizer(args.checkpoint[0], configs[0], device='cpu')

    def draw(self, args: argparse.Namespace, prepared: Any, names: List[str],
             images: List[np.ndarray]) -> Tuple[np.ndarray, Dict[str, Any]]:
        """Draw the sheet, of another kind with --characters."""
        about = {'checkpoints': [str(path) for path in args.checkpoint]}
        if not args.characters:
            return draw_attention_sheet(images, prepared, names,
                                        args.block), about
        words: List[str] = []
        maps: List[np.ndarray] = []
        for image in images:  # which may become of several widths
            data = prepared.model.data_preprocessor(prepared.prepare([image]))
            maps += character_attention(prepared.model, data['inputs'],
                                        data['data_samples'])
            words += [sample.pred_text.item
                      for sample in data['data_samples']]
        return draw_character_sheet(images, words, maps), {
            **about, 'texts': words}

    def report(self, result: Dict[str, Any]) -> str:
        """Say what was done."""
        texts = zip(result['pictures'], result.get('texts', []))
        return '\n'.join([
            super().report(result),
            f'checkpoints: {", ".join(result["checkpoints"])}'] + [
            f'  {name}: {text}' for name, text in texts])


def configs_of(args: argparse.Namespace) -> List[Optional[Path]]:
    """The config of each of --checkpoint, by --config.

    Raises:
        UserError: If these are neither one nor as many.
    """
    configs = args.config or [None]
    if len(configs) == 1:
        configs = configs * len(args.checkpoint)
    if len(configs) != len(args.checkpoint):
        raise UserError(
            f'--config names {len(configs)} files for '
            f'{len(args.checkpoint)} checkpoints: name one, or one for each')
    return configs


def checkpoint_names(paths: List[Path]) -> List[str]:
    """What tells each checkpoint from the others."""
    names = [path.name for path in paths]
    return [path.name if names.count(path.name) == 1 else
            '/'.join(path.parts[-2:]) for path in paths]
