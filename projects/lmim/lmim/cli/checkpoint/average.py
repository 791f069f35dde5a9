"""`average`: the mean of several checkpoints."""
import argparse
from pathlib import Path
from typing import Any, Dict

from lmim.cli import Command

from lmim.checkpoints.averaging import average
from lmim.checkpoints.contents import refuse_existing, write_checkpoint
from .arguments import add_output, carried_line, describe_file, file_line


class Average(Command):
    """Average the weights of checkpoints of one model.

    All must have the same names, shapes and types. Sums are of double
    precision. Counters, which are whole numbers, are the last checkpoint's.
    """

    name = 'average'
    summary = 'average the weights of several checkpoints'
    example = ('average work_dirs/NAME/epoch_8.pth work_dirs/NAME/epoch_9.pth '
               'work_dirs/NAME/epoch_10.pth average.pth')

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the arguments."""
        parser.add_argument(
            'inputs', type=Path, nargs='+', metavar='IN',
            help='checkpoints, two or more')
        add_output(parser)

    def run(self, args: argparse.Namespace) -> Dict[str, Any]:
        """Average some files."""
        refuse_existing(args.output, args.overwrite)
        done = average(args.inputs)
        write_checkpoint(done.checkpoint, args.output, args.overwrite)
        return {
            'inputs': [str(path) for path in args.inputs],
            'output': describe_file(done.checkpoint, args.output),
            'from_last': done.from_last,
        }

    def report(self, result: Dict[str, Any]) -> str:
        """Tell what was done in words."""
        lines = [f'average of {len(result["inputs"])} checkpoints',
                 f'written  {file_line(result["output"])}',
                 f'it {carried_line(result["output"])}']
        if result['from_last']:
            lines.append('whole numbers that differ are those of '
                         f'{result["inputs"][-1]}: ' +
                         ', '.join(result['from_last']))
        return '\n'.join(lines)
