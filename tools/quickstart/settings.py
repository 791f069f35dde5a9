"""What the quick start was asked for."""
import argparse
from pathlib import Path
from typing import Optional, Sequence

from lmim.cli import at_least
from lmim.datasets.records import open_sources
from lmim.engine.precision import PRECISIONS
from lmim.utils.errors import UserError


def parse(argv: Optional[Sequence[str]] = None) -> argparse.Namespace:
    """Read the command line.

    Returns:
        argparse.Namespace: The options; ``own``, the user's pictures as
        readers take them, or None; and whether they are ``labelled``.

    Raises:
        SystemExit: If it makes no sense.
        UserError: If there are no pictures where they should be.
    """
    parser = argparse.ArgumentParser(
        prog='quickstart.sh',
        description='From pictures of words to a table: trains an MAE '
        'teacher, LMIM, and a recognizer from LMIM and from scratch, and '
        'evaluates both. Run again, it resumes where it was interrupted.')
    add = parser.add_argument
    add('--data', metavar='PATH', type=_place,
        help='your own pictures: a folder, an LMDB, a list '
        '(`path<TAB>label`), JSON lines or JSON of MMOCR. Without labels they '
        'are pre-trained on; with labels trained on and evaluated as well. '
        'Default: words that are rendered')
    add('--image-root', metavar='DIR', type=_place,
        help="what the paths of a list are relative to (default: the list's "
        'folder)')
    add('--work-dir', type=_place, default='work_dirs/quickstart',
        help='where everything is written (default: %(default)s)')
    add('--seed', type=int, default=0, help='(default: %(default)s)')
    add('--minutes', type=float, default=8., metavar='N',
        help='what the run may take, set-up included; the numbers below are '
        'planned to fit it (default: %(default)g)')
    add('--precision', choices=PRECISIONS, default='auto',
        help='of training (default: what is fastest here)')
    add('--pretrain-iters', type=at_least(1), metavar='N',
        help='batches of MAE; LMIM makes twice as many, with --paper as '
        'many, of two views')
    add('--finetune-iters', type=at_least(1), metavar='N',
        help='batches of each recognizer')
    add('--samples', type=at_least(1), nargs=2, metavar=('TRAIN', 'TEST'),
        help='how many words to render')
    add('--labels', type=at_least(1), default=3000, metavar='N',
        help='how many of the rendered words have labels; the others are '
        'pre-trained on alone (default: %(default)s)')
    add('--paper', action='store_const', const='lmim', default='lmim-plus',
        dest='method',
        help="LMIM's loss as published: targets with a layer norm, and the "
        'alignment of [CLS]. At this size a recognizer learns less from it '
        'than from what is trained without this option '
        '(docs/proving_ground.md)')
    args = parser.parse_args(argv)
    args.own, args.labelled = args.data, False
    if args.data:
        if not Path(args.data).exists():
            raise UserError(f'--data {args.data} does not exist. Give a '
                            'folder of pictures, an LMDB, or a list with '
                            'labels')
        if args.image_root:
            args.own = dict(path=args.data, image_root=args.image_root)
        args.labelled = open_sources(args.own).labelled
    return args


def _place(path: str) -> str:
    """A path that holds in every folder."""
    return str(Path(path).expanduser().resolve())
