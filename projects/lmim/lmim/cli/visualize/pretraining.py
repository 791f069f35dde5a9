"""`views`, `mask` and `reconstruction`: what pre-training sees and learns."""
import argparse
from pathlib import Path
from typing import Any, Dict, List, Tuple

import numpy as np

from lmim.apis.loading import (encoder_shape, given_config,
                               load_pretrained)
from lmim.visualization.pretraining_sheets import (draw_reconstruction,
                                                   draw_view_sheet)
from lmim.visualization.reconstruction import reconstruct, view_batch
from .pictures import PictureCommand

#: Pictures over which colours, nearest patches and errors are computed.
COMPARED = 32
KINDS = {'random': 'RandomMasking', 'block': 'BlockMasking',
         'ink': 'InkMasking', 'span': 'CharacterSpanMasking'}


class Views(PictureCommand):
    """Draw what LMIM's two branches are shown of pictures.

    The picture, what masking leaves of it, and a guidance view at each of the
    three levels: weak, medium (the default of configs), strong.
    """

    name = 'views'
    summary = 'pictures, what is masked, guidance views at three levels'
    example = 'views words.lmdb -n 8 --output views.png'
    levels: Tuple[str, ...] = ('weak', 'medium', 'strong')
    masks: Tuple[str, ...] = ('random:0.8', )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the arguments."""
        super().add_arguments(parser)
        parser.add_argument(
            '--config', type=Path, metavar='CONFIG',
            help='a config of pre-training: its mask, image size and patches '
            '(default: 32x128, 4x4)')
        parser.add_argument(
            '--mask', nargs='+', type=mask_of, metavar='KIND:RATIO',
            default=[], help=f'masks to draw: {", ".join(KINDS)}, and the '
            f'share that is hidden (default: {" ".join(self.masks)}, or that '
            'of --config)')

    def prepare(self, args: argparse.Namespace) -> Dict[str, Any]:
        """Read sizes and masks."""
        if args.config is None:
            masks = args.mask or [mask_of(mask) for mask in self.masks]
            return dict(masks=masks)
        config = given_config(args.config)
        own = config.model['backbone'].get('mask')
        return dict(encoder_shape(config),
                    masks=[own, *args.mask] if own else args.mask)

    def draw(self, args: argparse.Namespace, prepared: Dict[str, Any],
             names: List[str], images: List[np.ndarray]
             ) -> Tuple[np.ndarray, Dict[str, Any]]:
        """Draw the sheet."""
        return draw_view_sheet(
            images, levels=self.levels, seed=args.seed, names=names,
            **prepared), {'masks': prepared['masks']}


class Mask(Views):
    """Draw which patches masks hide.

    With --config the mask of that config, else those of the paper: random
    ones of 80 %, and blocks of 60 %. --mask takes any others beside it.
    """

    name = 'mask'
    summary = 'what masks leave of pictures'
    example = 'mask words.lmdb --mask random:0.8 block:0.6 ink:0.8 span:0.8'
    number = 6
    seeded = 'masks'
    levels = ()
    masks = ('random:0.8', 'block:0.6')  # of the paper's ablation


class Reconstruction(PictureCommand):
    """Draw what a model of pre-training makes of pictures.

    Of a method that rebuilds hidden patches: targets of pixels are shown as
    pictures; visible patches are kept, and framed. Targets of features are
    shown in colours (their main components) and by the nearest patches. Of a
    method that contrasts, the instances in colours, and which of them find
    their partners. The sheet explains itself in words, with its numbers.
    """

    name = 'reconstruction'
    summary = 'what pre-training makes of views and hidden patches'
    example = ('reconstruction words.lmdb --checkpoint '
               'work_dirs/my_lmim/epoch_10.pth')
    number = 6

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the arguments."""
        super().add_arguments(parser)
        add = parser.add_argument
        add('--checkpoint', required=True, type=Path, metavar='FILE',
            help='of a run of pre-training')
        add('--config', type=Path, metavar='CONFIG',
            help='its config, where the checkpoint carries none')
        add('--target-checkpoint', type=Path, metavar='FILE',
            help='the encoder that makes the targets, where the checkpoint '
            'does not hold it (those of this project do)')

    def count(self, args: argparse.Namespace) -> int:
        """Also those to compare with."""
        return max(COMPARED, args.number)

    def prepare(self, args: argparse.Namespace) -> Any:
        """Load the model."""
        return load_pretrained(args.checkpoint, args.config,
                               args.target_checkpoint)

    def draw(self, args: argparse.Namespace, prepared: Any, names: List[str],
             images: List[np.ndarray]) -> Tuple[np.ndarray, Dict[str, Any]]:
        """Draw the sheet."""
        seen = reconstruct(
            prepared, view_batch(images, prepared.backbone.img_size,
                                 prepared.alone[0], args.seed,
                                 prepared.alone[1]), args.seed)
        # The first are not spread over the set, as those to compare are.
        step = max(1, len(images) // args.number)
        shown = list(range(0, len(images), step))[:args.number]
        about: Dict[str, Any] = {
            'pictures': [names[number] for number in shown],
            'compared': len(images)}
        if seen.found.pred is not None:
            about.update({name: float(value.mean())
                          for name, value in seen.errors().items()})
        if seen.instances:
            about['found'] = float(seen.matches().float().mean())
        return draw_reconstruction(prepared, seen, names, shown), about

    def report(self, result: Dict[str, Any]) -> str:
        """Say what was done."""
        lines = [super().report(result)]
        if 'error' in result:
            lines.append(
                'Mean squared error of hidden patches over {compared} '
                'pictures: {error:.4f}. Of predicting the mean of all targets '
                "it is {error_of_mean:.4f}, of the picture's own mean "
                '{error_of_own_mean:.4f}.'.format(**result))
        if 'found' in result:
            lines.append('Of the instances of {compared} pictures {found:.1%} '
                         'find their partners.'.format(**result))
        return '\n'.join(lines)


def mask_of(text: str) -> Dict[str, Any]:
    """The config of a mask generator, from words as ``block:0.6``."""
    kind, _, ratio = text.partition(':')
    try:
        share = float(ratio)
    except ValueError:
        share = 0.
    if kind not in KINDS or not 0 < share < 1:
        raise argparse.ArgumentTypeError(
            f'{text} is none: write one of {", ".join(KINDS)}, a colon and a '
            'ratio between 0 and 1, as block:0.6')
    return dict(type=KINDS[kind], ratio=share)
