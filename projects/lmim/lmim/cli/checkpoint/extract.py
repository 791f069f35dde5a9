"""`extract`: the encoder alone."""
import argparse
from pathlib import Path
from typing import Any, Dict

from lmim.cli import Command

from lmim.checkpoints.contents import (open_checkpoint, refuse_existing,
                                       write_checkpoint)
from lmim.checkpoints.conversion import extract_encoder
from lmim.checkpoints.formats import BY_KEY
from .arguments import (add_output, carried_line, describe_file,
                        dropped_lines, file_line)


class Extract(Command):
    """Take the encoder out of a checkpoint of any format, for fine-tuning.

    OUT has its weights by this project's names, and the config of the run
    that it is from, where IN has one. A recognizer starts from it with
    model.backbone.init_cfg.checkpoint=OUT.
    """

    name = 'extract'
    summary = 'take the encoder out of a checkpoint, for fine-tuning'
    example = 'extract work_dirs/NAME/epoch_10.pth encoder.pth'

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the arguments."""
        parser.add_argument(
            'input', type=Path, metavar='IN', help='a checkpoint')
        add_output(parser)

    def run(self, args: argparse.Namespace) -> Dict[str, Any]:
        """Extract from one file."""
        refuse_existing(args.output, args.overwrite)
        source = open_checkpoint(args.input)
        done = extract_encoder(source, BY_KEY['ours'])
        done.checkpoint.meta['extracted_from'] = args.input.name
        write_checkpoint(done.checkpoint, args.output, args.overwrite)
        return {
            'input': describe_file(source, args.input),
            'output': describe_file(done.checkpoint, args.output),
            'dropped': done.dropped,
        }

    def report(self, result: Dict[str, Any]) -> str:
        """Tell what was done in words."""
        return '\n'.join([
            f'read     {file_line(result["input"])}',
            f'written  {file_line(result["output"])}',
            f'it {carried_line(result["output"])}',
            *dropped_lines(result['dropped'])
        ])
