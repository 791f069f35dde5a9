"""`views`: the guidance view at its three levels."""
import argparse
from pathlib import Path
from typing import Any, Dict

from lmim.cli import Command

from lmim.apis.loading import encoder_shape, given_config
from lmim.visualization.saving import save_figure
from lmim.visualization.view_sheet import draw_view_sheet
from .arguments import (add_images, add_output, add_seed, check_output,
                        read_images, tell_picture)


class Views(Command):
    """Draw what LMIM's two branches are shown of pictures.

    The picture, what masking leaves of it, and a guidance view at each of the
    three levels: weak, medium (the default of configs), strong.
    """

    name = 'views'
    summary = 'pictures, what is masked, guidance views at three levels'
    example = 'views words.lmdb -n 8 --output views.png'

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the arguments."""
        add_images(parser)
        parser.add_argument(
            '--config', type=Path, metavar='CONFIG',
            help='take image size, patches and mask of this config of '
            'pre-training (default: 32x128, 4x4, random masks of 80 %%)')
        add_seed(parser, 'masks and views')
        add_output(parser, 'views.png')

    def run(self, args: argparse.Namespace) -> Dict[str, Any]:
        """Draw the sheet."""
        check_output(args)
        options: Dict[str, Any] = {}
        if args.config is not None:
            config = given_config(args.config)
            options.update(encoder_shape(config))
            mask = config.model['backbone'].get('mask')
            if mask is not None:
                options['mask'] = mask
        pictures, result = read_images(args)
        save_figure(
            draw_view_sheet([picture.image for picture in pictures],
                            seed=args.seed,
                            names=[picture.name for picture in pictures],
                            **options), args.output)
        return result

    def report(self, result: Dict[str, Any]) -> str:
        """Tell what was done in words."""
        return '\n'.join(tell_picture(result))
