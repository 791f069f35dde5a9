"""Checkpoints made of others: `average`, `convert`, `extract`."""
import argparse
from abc import abstractmethod
from pathlib import Path
from typing import Any, Dict, List, Tuple

from lmim.apis.loading import build_model
from lmim.checkpoints import (FORMATS, Checkpoint, CheckpointError, Conversion,
                              average, convert, extract_encoder,
                              open_checkpoint, write_checkpoint)
from lmim.checkpoints.contents import add_config, complete_dictionary
from lmim.checkpoints.loading import compare
from lmim.checkpoints.reading import SUFFIX
from lmim.cli import Command
from lmim.utils.atomic import refuse_file
from lmim.utils.errors import UserError, some

#: Not a format: the names stay.
SAME = 'same'
#: The arguments IN and --skip-code.
INPUT: Dict[str, Any] = dict(type=Path, metavar='IN', help='a checkpoint')
SKIP_CODE: Dict[str, Any] = dict(
    action='store_true', help='where a file holds what would be executed on '
    'loading, skip that and take the weights; nothing of it is run')
#: What reports call lists of names in results.
_TITLES = {
    'from_last': 'whole numbers that differ are those of the last',
    'not_taken_over': 'not taken over',
    'skipped': 'skipped, as it would have been executed',
}


class Maker(Command):
    """A command that makes a checkpoint of others."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare IN, OUT and --overwrite."""
        parser.add_argument('input', **INPUT)
        add_output(parser)

    @abstractmethod
    def make(self, args: argparse.Namespace
             ) -> Tuple[Checkpoint, Dict[str, Any]]:
        """Make the checkpoint; it, and what to report beside it."""

    def run(self, args: argparse.Namespace) -> Dict[str, Any]:
        """Make the checkpoint and write it."""
        refuse_file(args.output, args.overwrite)
        made, result = self.make(args)
        write_checkpoint(made, args.output, args.overwrite)
        return {**result, 'output': describe_file(made, args.output)}

    def report(self, result: Dict[str, Any]) -> str:
        """Tell what was done in words."""
        lines = written_lines(result)
        lines += [f'left out: {part} ({some(names)})'
                  for part, names in result.get('dropped', {}).items()]
        lines += [f'{title}: {", ".join(result[key])}'
                  for key, title in _TITLES.items() if result.get(key)]
        return '\n'.join(lines + result.get('notes', []))


class Average(Maker):
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

    def make(self, args: argparse.Namespace
             ) -> Tuple[Checkpoint, Dict[str, Any]]:
        """Average some files."""
        done = average(args.inputs)
        return done.checkpoint, {
            'inputs': [str(path) for path in args.inputs],
            'from_last': done.from_last}


class Convert(Maker):
    """Write a checkpoint in another format; weights stay the same to the bit.

    What the other format has no place for is named, and nothing is written;
    --drop leaves such parts out. What it needs and the file lacks cannot be
    helped. Optimizer and other states of training are not taken over.
    """

    name = 'convert'
    summary = 'write a checkpoint in another format, or as safetensors'
    example = 'convert checkpoint-9.pth lmim_pretrained.pth --to ours'

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the arguments."""
        super().add_arguments(parser)
        formats = [kind for kind in FORMATS.values() if kind.written]
        add = parser.add_argument
        add('--to', choices=[SAME, *(kind.key for kind in formats)],
            default=SAME, metavar='FORMAT',
            help=f'{SAME} (default): the names stay, for another kind of '
            'file; or ' + ', '.join(f'{kind.key} ({kind.name})'
                                    for kind in formats))
        add('--drop', action='store_true',
            help='leave parts out that the format has no place for')
        add('--config', type=Path,
            help='a config that the weights fit, to be carried in OUT with '
            'its dictionary')
        add('--skip-code', **SKIP_CODE)

    def make(self, args: argparse.Namespace
             ) -> Tuple[Checkpoint, Dict[str, Any]]:
        """Convert one file."""
        source = open_checkpoint(args.input, args.skip_code)
        done = Conversion(source._replace(meta=dict(source.meta)), {})
        if args.to != SAME:
            done = convert(source, FORMATS[args.to], args.drop)
        notes = _carry(done.checkpoint, args)
        if (done.checkpoint.meta.get('cfg')
                and not _holds_meta(done.checkpoint, args.output)):
            notes.append('files of this format hold weights alone: the '
                         'config is not in it')
        return done.checkpoint, {
            'input': describe_file(source, args.input),
            'dropped': done.dropped,
            'not_taken_over': source.others,
            'skipped': source.skipped,
            'notes': notes}


class Extract(Maker):
    """Take the encoder out of a checkpoint of any format, for fine-tuning.

    OUT has its weights by this project's names, and the config of the run
    that it is from, where IN has one. A recognizer starts from it with
    model.backbone.init_cfg.checkpoint=OUT.
    """

    name = 'extract'
    summary = 'take the encoder out of a checkpoint, for fine-tuning'
    example = 'extract work_dirs/NAME/epoch_10.pth encoder.pth'

    def make(self, args: argparse.Namespace
             ) -> Tuple[Checkpoint, Dict[str, Any]]:
        """Extract from one file."""
        source = open_checkpoint(args.input)
        done = extract_encoder(source)
        done.checkpoint.meta['extracted_from'] = args.input.name
        return done.checkpoint, {'input': describe_file(source, args.input),
                                 'dropped': done.dropped}


def add_output(parser: argparse.ArgumentParser) -> None:
    """Declare OUT and --overwrite."""
    parser.add_argument(
        'output', type=Path, metavar='OUT',
        help='the file to write: .safetensors, or any other name for a file '
        'of torch.save')
    parser.add_argument(
        '--overwrite', action='store_true', help='replace OUT if it is there')


def describe_file(checkpoint: Checkpoint, path: Path) -> Dict[str, Any]:
    """A checkpoint in a result: format, size, and what it carries."""
    kind = checkpoint.kind
    holds = _holds_meta(checkpoint, path)
    return {
        'path': str(path),
        'format': kind.key if kind else None,
        'format_name': kind.name if kind else 'no format that is known',
        'bytes': path.stat().st_size,
        'tensors': len(checkpoint.weights),
        'values': sum(v.numel() for v in checkpoint.weights.values()),
        'config': holds and isinstance(checkpoint.meta.get('cfg'), str),
        'dictionary': len(checkpoint.characters() or []) if holds else 0,
    }


def file_lines(about: Dict[str, Any]) -> Tuple[str, str]:
    """The same in words: what the file is, and what it carries."""
    config = 'its config' if about['config'] else 'no config'
    characters = (f'a dictionary of {about["dictionary"]} characters'
                  if about['dictionary'] else 'no dictionary')
    return ('{path}: {format_name}, {tensors} tensors of {values:,} values, '
            '{bytes:,} bytes'.format(**about),
            f'it carries {config} and {characters}')


def written_lines(result: Dict[str, Any]) -> List[str]:
    """What was read and written, in words."""
    read = (file_lines(result['input'])[0] if 'input' in result else
            ', '.join(result['inputs']))
    written, carried = file_lines(result['output'])
    return [f'read     {read}', f'written  {written}', carried]


def _holds_meta(checkpoint: Checkpoint, path: Path) -> bool:
    """Whether a file of this format has more than weights."""
    return bool(checkpoint.wraps) or path.suffix == SUFFIX


def _carry(checkpoint: Checkpoint, args: argparse.Namespace) -> List[str]:
    """See to the config and the dictionary; what there is to say of them."""
    if args.config is None:
        try:
            complete_dictionary(checkpoint.meta, checkpoint.model_config())
        except UserError as error:
            return [f'no dictionary was looked for: {error}']
        return []
    model = add_config(checkpoint.meta, args.config).model.to_dict()
    report = compare(build_model(model), checkpoint.by_module_names(),
                     str(args.input))
    if not report.is_full:
        raise CheckpointError(
            f'{args.config} is not the config of {report}.{report.details()}'
            '\n`inspect` tells which configs fit')
    return []
