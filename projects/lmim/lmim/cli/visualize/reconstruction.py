"""`reconstruction`: what pre-training makes of hidden patches."""
import argparse
from pathlib import Path
from typing import Any, Dict

from lmim.cli import Command, at_least

from lmim.apis import load_pretrained
from lmim.visualization.guided_batch import guided_batch
from lmim.visualization.pictures import read_pictures
from lmim.visualization.reconstruction import reconstruct
from lmim.visualization.reconstruction_sheet import draw_reconstruction
from lmim.visualization.saving import save_figure
from lmim.visualization.view_sheet import LEVELS
from .arguments import (add_images, add_output, add_seed, check_output,
                        tell_picture)


class Reconstruction(Command):
    """Draw what a model of pre-training makes of patches that it cannot see.

    Targets of pixels are shown as pictures; visible patches are kept, and
    framed. Targets of features are shown in colours (their main components)
    and by the nearest patches. The sheet explains itself in words, and says
    how large the errors are.
    """

    name = 'reconstruction'
    summary = 'hidden patches as MAE and LMIM rebuild them'
    example = ('reconstruction words.lmdb --checkpoint '
               'work_dirs/my_lmim/epoch_10.pth')

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the arguments."""
        add_images(parser, 6)
        add = parser.add_argument
        add('--checkpoint', required=True, type=Path, metavar='FILE',
            help='of a run of pre-training (MAE or LMIM)')
        add('--config', type=Path, metavar='CONFIG',
            help='its config, where the checkpoint carries none')
        add('--target-checkpoint', type=Path, metavar='FILE',
            help='the encoder that makes the targets, where the checkpoint '
            'does not hold it (those of this project do)')
        add('--level', choices=LEVELS, default='medium',
            help='of the guidance view (default: %(default)s)')
        add('--compare', type=at_least(1), default=32, metavar='N',
            help='pictures over which colours, nearest patches and errors '
            'are computed (default: %(default)s)')
        add_seed(parser, 'masks and views')
        add_output(parser, 'reconstruction.png')

    def run(self, args: argparse.Namespace) -> Dict[str, Any]:
        """Draw the sheet."""
        check_output(args)
        model: Any = load_pretrained(args.checkpoint, args.config,
                                     args.target_checkpoint)
        pictures, skipped = read_pictures(args.images,
                                          max(args.compare, args.number))
        found = reconstruct(
            model, guided_batch(pictures, model.backbone.img_size, args.level,
                                args.seed), args.seed)
        # The first are not spread over the set, as those to compare are.
        step = max(1, len(pictures) // args.number)
        shown = list(range(0, len(pictures), step))[:args.number]
        names = [picture.name for picture in pictures]
        save_figure(draw_reconstruction(model, found, names, shown),
                    args.output)
        return {
            'output': str(args.output),
            'pictures': [names[number] for number in shown],
            'skipped': skipped,
            'compared': len(pictures),
            'error': float(found.errors().mean()),
            'error_of_mean': float(found.mean_errors().mean()),
            'error_of_own_mean': float(found.mean_errors(own=True).mean()),
        }

    def report(self, result: Dict[str, Any]) -> str:
        """Tell what was done in words."""
        return '\n'.join(tell_picture(result) + [
            'Mean squared error of hidden patches over {compared} pictures: '
            '{error:.4f}. Of predicting the mean of all targets it is '
            "{error_of_mean:.4f}, of the picture's own mean "
            '{error_of_own_mean:.4f}.'.format(**result)])
