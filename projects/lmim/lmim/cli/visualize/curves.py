"""`curves`: what was logged."""
import argparse
from pathlib import Path
from typing import Any, Dict

from lmim.cli import Command

from lmim.utils.errors import UserError
from lmim.visualization.curves import (default_scalars, draw_scalars,
                                       read_scalars)
from lmim.visualization.saving import save_figure
from .arguments import add_output, check_output


class Curves(Command):
    """Draw losses, learning rate, gradient norms and accuracies of runs.

    Read from what MMEngine logged in their work dirs; a run that was resumed
    is one curve. Several runs are drawn in the same panels.
    """

    name = 'curves'
    summary = 'losses, learning rate, gradient norms from logs'
    example = 'curves work_dirs/lmim work_dirs/lmim_weak --log'

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the arguments."""
        add = parser.add_argument
        add('work_dirs', nargs='+', type=Path, metavar='WORK_DIR',
            help='the work dir of a run')
        add('--scalars', nargs='+', metavar='NAME',
            help='what to draw (default: losses, lr, grad_norm, and what was '
            'evaluated)')
        add('--log', action='store_true',
            help='logarithmic axes for losses and gradient norms')
        add_output(parser, 'curves.png')

    def run(self, args: argparse.Namespace) -> Dict[str, Any]:
        """Draw the curves."""
        check_output(args)
        runs = {}
        for path, name in zip(args.work_dirs, _names(args.work_dirs)):
            if not path.is_dir():
                raise FileNotFoundError(f'work dir {path} does not exist')
            runs[name] = read_scalars(path)
            if not runs[name]:
                raise UserError(
                    f'{path} has no */vis_data/scalars.json with numbers: '
                    'give the work dir of a training run with the '
                    'LocalVisBackend')
        save_figure(draw_scalars(runs, args.scalars, args.log), args.output)
        found = list(dict.fromkeys(name for run in runs.values()
                                   for name in run))
        return {
            'output': str(args.output),
            'drawn': args.scalars or default_scalars(found),
            'logged': found,
            'last': {run: {name: values[-1]
                           for name, (_, values) in scalars.items()}
                     for run, scalars in runs.items()},
        }

    def report(self, result: Dict[str, Any]) -> str:
        """Tell what was done in words."""
        rest = [name for name in result['logged']
                if name not in result['drawn']]
        lines = [f'{", ".join(result["drawn"])} of {len(result["last"])} '
                 f'run(s) drawn in {result["output"]}']
        if rest:
            lines.append(f'logged as well (--scalars): {", ".join(rest)}')
        return '\n'.join(lines)


def _names(paths: list) -> list:
    """The ends of paths, as long as is needed to tell them apart."""
    for length in range(1, 1 + max(len(path.parts) for path in paths)):
        names = ['/'.join(path.parts[-length:]) for path in paths]
        if len(set(names)) == len(names):
            break
    return names
