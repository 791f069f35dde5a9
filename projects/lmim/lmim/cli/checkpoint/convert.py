"""Checkpoints made of others: `average`, `convert`, `extract`."""
import argparse
from pathlib import Path
from typing import Any, Dict, List

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
#: What reports call lists of names in results.
_TITLES = {
    'from_last': 'whole numbers that differ are those of the last',
    'not_taken_over': 'not taken over',
    'skipped': 'skipped, as it would have been executed',
}


class _Maker(Command):
    """A command that makes a checkpoint of others."""

    def report(self, result: Dict[str, Any]) -> str:
        """Tell what was done in words."""
        lines = written_lines(result)
        lines += [f'left out: {part} ({some(names)})'
                  for part, names in result.get('dropped', {}).items()]
        lines += [f'{title}: {", ".join(result[key])}'
                  for key, title in _TITLES.items() if result.get(key)]
        return '\n'.join(lines + result.get('notes', []))


class Average(_Maker):
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
        refuse_file(args.output, args.overwrite)
        done = average(args.inputs)
        write_checkpoint(done.checkpoint, args.output, args.overwrite)
        return {
            'inputs': [str(path) for path in args.inputs],
            'output': describe_file(done.checkpoint, args.output),
            'from_last': done.from_last,
        }


class Convert(_Maker):
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
        add_input(parser)
        add_output(parser)
        formats = [kind for kind in FORMATS.values() if kind.written]
        parser.add_argument(
            '--to', choices=[SAME, *(kind.key for kind in formats)],
            default=SAME, metavar='FORMAT',
            help=f'{SAME} (default): the names stay, for another kind of '
            'file; or ' + ', '.join(f'{kind.key} ({kind.name})'
                                    for kind in formats))
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
        refuse_file(args.output, args.overwrite)
        source = open_checkpoint(args.input, args.skip_code)
        done = Conversion(source._replace(meta=dict(source.meta)), {})
        if args.to != SAME:
            done = convert(source, FORMATS[args.to], args.drop)
        notes = _carry(done.checkpoint, args)
        result = done.checkpoint
        write_checkpoint(result, args.output, args.overwrite)
        written = describe_file(result, args.output)
        if not result.wraps and args.output.suffix != SUFFIX:
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


class Extract(_Maker):
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
        add_input(parser)
        add_output(parser)

    def run(self, args: argparse.Namespace) -> Dict[str, Any]:
        """Extract from one file."""
        refuse_file(args.output, args.overwrite)
        source = open_checkpoint(args.input)
        done = extract_encoder(source)
        done.checkpoint.meta['extracted_from'] = args.input.name
        write_checkpoint(done.checkpoint, args.output, args.overwrite)
        return {
            'input': describe_file(source, args.input),
            'output': describe_file(done.checkpoint, args.output),
            'dropped': done.dropped,
        }


def add_input(parser: argparse.ArgumentParser) -> None:
    """Declare IN."""
    parser.add_argument('input', type=Path, metavar='IN', help='a checkpoint')


def add_output(parser: argparse.ArgumentParser) -> None:
    """Declare OUT and --overwrite."""
    parser.add_argument(
        'output', type=Path, metavar='OUT',
        help='the file to write: .safetensors, or any other name for a file '
        'of torch.save')
    parser.add_argument(
        '--overwrite', action='store_true', help='replace OUT if it is there')


def add_skip_code(parser: argparse.ArgumentParser) -> None:
    """Declare --skip-code."""
    parser.add_argument(
        '--skip-code', action='store_true',
        help='where a file holds what would be executed on loading, skip '
        'that and take the weights; nothing of it is run')


def describe_file(checkpoint: Checkpoint, path: Path) -> Dict[str, Any]:
    """A checkpoint in a result.

    Args:
        checkpoint (Checkpoint): What is in it.
        path (Path): The file.

    Returns:
        dict: Path, format, size, and whether it carries what a model needs.
    """
    kind = checkpoint.kind
    return {
        'path': str(path),
        'format': kind.key if kind else None,
        'format_name': kind.name if kind else 'no format that is known',
        'bytes': path.stat().st_size,
        'tensors': len(checkpoint.weights),
        'values': sum(v.numel() for v in checkpoint.weights.values()),
        'config': isinstance(checkpoint.meta.get('cfg'), str),
        'dictionary': len(checkpoint.characters() or []),
    }


def file_line(about: Dict[str, Any]) -> str:
    """The same in words."""
    return ('{path}: {format_name}, {tensors} tensors of {values:,} values, '
            '{bytes:,} bytes'.format(**about))


def carried_line(about: Dict[str, Any]) -> str:
    """Whether a config and a dictionary are held, in words."""
    config = 'its config' if about['config'] else 'no config'
    characters = (f'a dictionary of {about["dictionary"]} characters'
                  if about['dictionary'] else 'no dictionary')
    return f'it carries {config} and {characters}'


def written_lines(result: Dict[str, Any]) -> List[str]:
    """What was read and written, in words."""
    read = (file_line(result['input']) if 'input' in result else
            ', '.join(result['inputs']))
    return [f'read     {read}', f'written  {file_line(result["output"])}',
            carried_line(result['output'])]


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
