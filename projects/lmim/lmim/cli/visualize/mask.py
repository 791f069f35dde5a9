"""`mask`: what is hidden of pictures."""
import argparse
from pathlib import Path
from typing import Any, Dict, List

from lmim.cli import Command

from lmim.apis.loading import encoder_shape, given_config
from lmim.visualization.mask_sheet import draw_mask_sheet
from lmim.visualization.saving import save_figure
from .arguments import (add_images, add_output, add_seed, check_output,
                        read_images, tell_picture)

#: Of the paper's ablation.
PAPER = ('random:0.8', 'block:0.6')
KINDS = {'random': 'RandomMasking', 'block': 'BlockMasking'}


class Mask(Command):
    """Draw which patches masks hide.

    With --config the mask of that config, else those of the paper: random
    ones of 80 %, and blocks of 60 %. --mask takes any others beside it.
    """

    name = 'mask'
    summary = 'what random and block masks leave of pictures'
    example = 'mask words.lmdb --mask random:0.6 random:0.9 block:0.8'

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the arguments."""
        add_images(parser, 6)
        parser.add_argument(
            '--config', type=Path, metavar='CONFIG',
            help='a config of pre-training: its mask, image size and patches')
        parser.add_argument(
            '--mask', nargs='+', type=mask_of, metavar='KIND:RATIO',
            help='masks to draw: random or block, and the share that is '
            f'hidden (default: {" ".join(PAPER)}, or that of --config)')
        add_seed(parser, 'masks')
        add_output(parser, 'mask.png')

    def run(self, args: argparse.Namespace) -> Dict[str, Any]:
        """Draw the sheet."""
        check_output(args)
        options: Dict[str, Any] = {}
        masks: List[dict] = []
        if args.config is not None:
            config = given_config(args.config)
            options.update(encoder_shape(config))
            own = config.model['backbone'].get('mask')
            masks += [own] if own is not None else []
        masks += args.mask or ([] if masks else [mask_of(m) for m in PAPER])
        pictures, result = read_images(args)
        save_figure(
            draw_mask_sheet([picture.image for picture in pictures], masks,
                            seed=args.seed,
                            names=[picture.name for picture in pictures],
                            **options), args.output)
        return dict(result, masks=masks)

    def report(self, result: Dict[str, Any]) -> str:
        """Tell what was done in words."""
        return '\n'.join(tell_picture(result))


def mask_of(text: str) -> Dict[str, Any]:
    """The config of a mask generator, from words as ``block:0.6``.

    Raises:
        argparse.ArgumentTypeError: If they are others.
    """
    kind, _, ratio = text.partition(':')
    try:
        share = float(ratio)
    except ValueError:
        share = 0.
    if kind not in KINDS or not 0 < share < 1:
        raise argparse.ArgumentTypeError(
            f'{text} is none: write random:RATIO or block:RATIO, with a '
            'ratio between 0 and 1, as block:0.6')
    return dict(type=KINDS[kind], ratio=share)
