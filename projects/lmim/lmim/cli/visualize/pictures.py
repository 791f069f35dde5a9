"""What the commands that draw pictures of IMAGES share."""
import argparse
from abc import abstractmethod
from pathlib import Path
from typing import Any, Dict, List, Tuple

import numpy as np

from lmim.cli import Command, at_least
from lmim.datasets.pictures import read_some
from lmim.utils.atomic import refuse_file
from lmim.utils.errors import UserError
from lmim.visualization import save_picture


class PictureCommand(Command):
    """A command that draws a sheet of pictures."""

    #: The most pictures, if not told otherwise.
    number = 8
    #: What --seed is of; '' where nothing is drawn at random.
    seeded = 'masks and views'

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the arguments."""
        add = parser.add_argument
        add('images', nargs='+', metavar='IMAGES',
            help='image files, LMDBs, folders of images, or lists')
        add('-n', '--number', type=at_least(1), default=self.number,
            metavar='N', help='the most pictures, evenly spread over all that '
            'there are (default: %(default)s)')
        if self.seeded:
            add('--seed', type=at_least(0), default=0,
                help=f'of {self.seeded} (default: %(default)s)')
        add('-o', '--output', type=Path, default=Path(f'{self.name}.png'),
            metavar='FILE', help='the PNG to write (default: %(default)s)')
        add('--overwrite', action='store_true',
            help='replace the picture if it exists')

    def run(self, args: argparse.Namespace) -> Dict[str, Any]:
        """Draw the sheet."""
        if args.output.suffix.lower() != '.png':
            raise UserError(f'--output {args.output} is to end in .png')
        refuse_file(args.output, args.overwrite)
        prepared = self.prepare(args)
        found, skipped = read_some(args.images, self.count(args))
        sheet, about = self.draw(args, prepared, list(found),
                                 list(found.values()))
        save_picture(sheet, args.output)
        return {'output': str(args.output), 'pictures': list(found),
                'skipped': skipped, **about}

    def count(self, args: argparse.Namespace) -> int:
        """How many pictures are read."""
        return args.number

    @abstractmethod
    def prepare(self, args: argparse.Namespace) -> Any:
        """Read configs and checkpoints, before any picture is read."""

    @abstractmethod
    def draw(self, args: argparse.Namespace, prepared: Any, names: List[str],
             images: List[np.ndarray]) -> Tuple[np.ndarray, Dict[str, Any]]:
        """Draw the sheet; also what the result of the command says."""

    def report(self, result: Dict[str, Any]) -> str:
        """Say what was done."""
        lines = [f'{len(result["pictures"])} pictures drawn in '
                 f'{result["output"]}']
        if result['skipped']:
            lines.append(f'{len(result["skipped"])} could not be read, and '
                         'were left out:')
            lines += [f'  {line}' for line in result['skipped'][:10]]
        return '\n'.join(lines)
