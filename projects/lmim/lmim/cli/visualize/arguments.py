"""Arguments and words that several sub-commands share."""
import argparse
from pathlib import Path
from typing import Any, Dict, List, Tuple

from lmim.cli import at_least
from lmim.utils.atomic import refuse_file

from lmim.utils.errors import UserError
from lmim.visualization.pictures import Picture, read_pictures
from lmim.visualization.saving import SUFFIXES


def add_images(parser: argparse.ArgumentParser, number: int = 8) -> None:
    """Declare IMAGES and -n."""
    parser.add_argument(
        'images', nargs='+', metavar='IMAGES',
        help='image files, LMDBs, folders of images, or lists')
    parser.add_argument(
        '-n', '--number', type=at_least(1), default=number, metavar='N',
        help='the most pictures, evenly spread over all that there are '
        '(default: %(default)s)')


def add_seed(parser: argparse.ArgumentParser, of_what: str) -> None:
    """Declare --seed."""
    parser.add_argument(
        '--seed', type=at_least(0), default=0,
        help=f'of {of_what} (default: %(default)s)')


def add_output(parser: argparse.ArgumentParser, default: str) -> None:
    """Declare --output and --overwrite."""
    parser.add_argument(
        '-o', '--output', type=Path, default=Path(default), metavar='FILE',
        help='the picture to write, its kind by its name: '
        f'{", ".join(SUFFIXES)} (default: %(default)s)')
    parser.add_argument(
        '--overwrite', action='store_true',
        help='replace the picture if it is there')


def check_output(args: argparse.Namespace,
                 suffixes: Tuple[str, ...] = SUFFIXES) -> None:
    """Refuse before the work what could not be written after it.

    Raises:
        UserError: If the name has another ending.
        FileExistsError: If the file is there and may not be replaced.
    """
    if args.output.suffix.lower() not in suffixes:
        raise UserError(f'--output {args.output} is to end in '
                        f'{" or ".join(suffixes)}')
    refuse_file(args.output, args.overwrite)


def read_images(
        args: argparse.Namespace) -> Tuple[List[Picture], Dict[str, Any]]:
    """Read what :func:`add_images` was given.

    Returns:
        Tuple[List[Picture], Dict[str, Any]]: The pictures, and what the
        result of the command says of them.
    """
    pictures, skipped = read_pictures(args.images, args.number)
    return pictures, {
        'output': str(args.output),
        'pictures': [picture.name for picture in pictures],
        'skipped': skipped,
    }


def tell_picture(result: Dict[str, Any]) -> List[str]:
    """Lines on the pictures and where they are drawn."""
    lines = [f'{len(result["pictures"])} pictures drawn in '
             f'{result["output"]}']
    if result['skipped']:
        lines.append(f'{len(result["skipped"])} could not be read, and were '
                     'left out:')
        lines += [f'  {line}' for line in result['skipped'][:10]]
    return lines
