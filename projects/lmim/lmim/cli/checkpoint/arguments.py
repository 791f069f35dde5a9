"""Arguments and words that several sub-commands share."""
import argparse
from pathlib import Path
from typing import Any, Dict, List

from lmim.checkpoints.contents import Checkpoint
from lmim.utils.errors import some

UNKNOWN = 'no format that is known'


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


def format_name(checkpoint: Checkpoint) -> str:
    """What messages call the format of a checkpoint."""
    return checkpoint.kind.name if checkpoint.kind else UNKNOWN


def describe_file(checkpoint: Checkpoint, path: Path) -> Dict[str, Any]:
    """A checkpoint in a result.

    Args:
        checkpoint (Checkpoint): What is in it.
        path (Path): The file.

    Returns:
        dict: Path, format, size, and whether it carries what a model needs.
    """
    return {
        'path': str(path),
        'format': checkpoint.kind.key if checkpoint.kind else None,
        'format_name': format_name(checkpoint),
        'bytes': path.stat().st_size,
        'tensors': len(checkpoint.weights),
        'values': sum(v.numel() for v in checkpoint.weights.values()),
        'config': isinstance(checkpoint.meta.get('cfg'), str),
        'dictionary': len(checkpoint.characters() or []),
    }


def file_line(about: Dict[str, Any]) -> str:
    """The same in words."""
    return (f'{about["path"]}: {about["format_name"]}, '
            f'{about["tensors"]} tensors of {about["values"]:,} values, '
            f'{about["bytes"]:,} bytes')


def carried_line(about: Dict[str, Any]) -> str:
    """Whether a config and a dictionary are held, in words."""
    config = 'its config' if about['config'] else 'no config'
    characters = (f'a dictionary of {about["dictionary"]} characters'
                  if about['dictionary'] else 'no dictionary')
    return f'carries {config} and {characters}'


def dropped_lines(dropped: Dict[str, List[str]]) -> List[str]:
    """What was left out, in words."""
    return [f'left out: {part} ({some(names)})'
            for part, names in dropped.items()]
