"""`convert`: the same weights by the names of another format."""
import argparse
from pathlib import Path
from typing import Any, Dict, List

from lmim.cli import Command

from lmim.checkpoints.building import build_model, compare_with_model
from lmim.checkpoints.contents import (Checkpoint, add_config,
                                       complete_dictionary, open_checkpoint,
                                       refuse_existing, write_checkpoint)
from lmim.checkpoints.conversion import Conversion, convert
from lmim.utils.errors import CheckpointError
from lmim.checkpoints.formats import BY_KEY, FORMATS
from .arguments import (add_output, add_skip_code, carried_line,
                        describe_file, dropped_lines, file_line)

SAME = 'same'
#: What can be written: a classifier's head is nothing that there is here.
TARGETS = [SAME] + [
    kind.key for kind in FORMATS if kind.key != 'mmpretrain-classifier'
]


class Convert(Command):
    """Write a checkpoint in another format; weights stay the same to the bit.

    formats:
      same           the names stay; for another kind of file
      ours           this project's, of pre-training and of recognizers
      mae            pre-training of MAE and MAERec
      lmim-pretrain  pre-training of LMIM's published code
      lmim-finetune  recognizer of LMIM's published code
      maerec         recognizer of MAERec (MMOCR's dev branch)
      timm           ViT of timm
      mmpretrain     ViT of mmpretrain

    What the other format has no place for is named, and nothing is written;
    --drop leaves such parts out. What it needs and the file lacks cannot be
    helped. Optimizer and other states of training are not taken over.
    """

    name = 'convert'
    summary = 'write a checkpoint in another format, or as safetensors'
    example = 'convert checkpoint-9.pth lmim_pretrained.pth --to ours'

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the arguments."""
        parser.add_argument(
            'input', type=Path, metavar='IN', help='a checkpoint')
        add_output(parser)
        parser.add_argument(
            '--to', choices=TARGETS, default=SAME, metavar='FORMAT',
            help='one of the formats above (default: %(default)s)')
        parser.add_argument(
            '--drop', action='store_true',
            help='leave parts out that the format has no place for')
        parser.add_argument(
            '--config', type=Path,
            help='a config that the weights fit, to be carried in OUT with '
            'its dictionary')
        add_skip_code(parser)

    def run(self, args: argparse.Namespace) -> Dict[str, Any]:
        """Convert one file."""
        refuse_existing(args.output, args.overwrite)
        source = open_checkpoint(args.input, args.skip_code)
        done = Conversion(source._replace(meta=dict(source.meta)), {})
        if args.to != SAME:
            done = convert(source, BY_KEY[args.to], args.drop)
        notes = _carry(done.checkpoint, args)
        result = done.checkpoint
        write_checkpoint(result, args.output, args.overwrite)
        written = describe_file(result, args.output)
        if not _holds_meta(result, args.output):
            written.update(config=False, dictionary=0)
            if result.meta.get('cfg'):
                notes.append('files of this format hold weights alone: the '
                             'config is not in it')
        return {
            'input': describe_file(source, args.input),
            'output': written,
            'dropped': done.dropped,
            'not_taken_over': source.others,
            'skipped': source.skipped,
            'notes': notes,
        }

    def report(self, result: Dict[str, Any]) -> str:
        """Tell what was done in words."""
        lines = [f'read     {file_line(result["input"])}',
                 f'written  {file_line(result["output"])}',
                 f'it {carried_line(result["output"])}',
                 *dropped_lines(result['dropped'])]
        if result['not_taken_over']:
            lines.append('not taken over: ' +
                         ', '.join(result['not_taken_over']))
        if result['skipped']:
            lines.append('skipped, as it would have been executed: ' +
                         ', '.join(result['skipped']))
        return '\n'.join([*lines, *result['notes']])


def _holds_meta(checkpoint: Checkpoint, path: Path) -> bool:
    return bool(checkpoint.wraps) or path.suffix == '.safetensors'


def _carry(checkpoint: Checkpoint, args: argparse.Namespace) -> List[str]:
    """See to the config and the dictionary; what there is to say of them."""
    if args.config is None:
        try:
            complete_dictionary(checkpoint.meta, checkpoint.model_config())
        except CheckpointError as error:
            return [f'no dictionary was looked for: {error}']
        return []
    model = add_config(checkpoint.meta, args.config).model.to_dict()
    report = compare_with_model(
        build_model(model), checkpoint.by_module_names(), str(args.input))
    if not report.is_full:
        raise CheckpointError(
            f'{args.config} is not the config of {report}.{report.details()}'
            '\n`inspect` tells which configs fit')
    return []
