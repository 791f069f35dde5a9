"""Reading checkpoints without executing what is in them."""
import argparse
import contextlib
import pathlib
import pickle
from typing import Any, Dict, Mapping, Union

import torch

from .. import safe_globals
from .errors import CheckpointError

#: Keys under which the field's code stores the weights of a model.
WEIGHT_KEYS = ('state_dict', 'model', 'module')
#: The types in which MAE and its kin keep their command line.
COMMAND_LINE_TYPES = (argparse.Namespace, pathlib.PosixPath)


def read_checkpoint(path: Union[str, pathlib.Path]) -> Dict[str, Any]:
    """Read a checkpoint; only weights and plain data, never code.

    Args:
        path (str | Path): A file written by ``torch.save``.

    Returns:
        Dict[str, Any]: Its content, tensors on the CPU.

    Raises:
        FileNotFoundError: If there is no such file.
        CheckpointError: If the file is truncated, is no checkpoint, or holds
            content that would have to be executed.
    """
    path = pathlib.Path(path)
    if not path.is_file():
        what = 'is a folder' if path.is_dir() else 'does not exist'
        raise FileNotFoundError(
            f'checkpoint {path} {what}: name a file such as '
            'work_dirs/NAME/epoch_10.pth')
    try:
        content = safe_globals.load(path, also=COMMAND_LINE_TYPES)
    except (pickle.UnpicklingError, RuntimeError, EOFError, OSError, KeyError,
            ValueError, AttributeError) as error:
        if isinstance(error, pickle.UnpicklingError) and _is_pickled(path):
            raise CheckpointError(_refusal(path, error)) from error
        reason = str(error).strip().split('\n')[0]
        raise CheckpointError(
            f'checkpoint {path} cannot be read: it is truncated, or no file '
            f'of torch.save ({path.stat().st_size:,} bytes). Copy or download '
            f'it again, or take an earlier one. [{reason}]') from error
    if not isinstance(content, Mapping):
        raise CheckpointError(
            f'checkpoint {path} holds a {type(content).__name__}, and a '
            'dictionary of weights is needed: save model.state_dict()')
    return dict(content)


def read_weights(path: Union[str, pathlib.Path]) -> Dict[str, torch.Tensor]:
    """Read the weights of a checkpoint, wherever it keeps them.

    Args:
        path (str | Path): A file written by ``torch.save``.

    Returns:
        Dict[str, torch.Tensor]: Weights by name, without the ``module.`` that
        distributed training puts before names.

    Raises:
        FileNotFoundError: If there is no such file.
        CheckpointError: If it cannot be read or holds no weights.
    """
    content: Any = read_checkpoint(path)
    for key in WEIGHT_KEYS:
        if isinstance(content.get(key), Mapping):
            content = content[key]
            break
    weights = {
        name[len('module.'):] if name.startswith('module.') else name: value
        for name, value in content.items()
        if isinstance(value, torch.Tensor)
    }
    if not weights:
        raise CheckpointError(
            f'checkpoint {path} holds no weights; its keys are '
            f'{sorted(map(str, content))[:10]}')
    return weights


def _is_pickled(path: pathlib.Path) -> bool:
    """Whether a file begins as those of torch.save: a zip or a pickle."""
    with open(path, 'rb') as file:
        return file.read(4).startswith((b'PK\x03\x04', b'\x80'))


def _refusal(path: pathlib.Path, error: Exception) -> str:
    names: Any = str(error).split('\n')[0]
    lister = getattr(torch.serialization, 'get_unsafe_globals_in_checkpoint',
                     None)
    if lister is not None:
        with contextlib.suppress(Exception):
            names = ', '.join(lister(path)) or names
    return (
        f'checkpoint {path} holds content that would be executed on loading, '
        f'and is refused: {names}. If you trust whoever made it, convert it '
        'once in an environment that may be lost: '
        "torch.save({'model': torch.load(FILE, weights_only=False)['model']}, "
        'NEW_FILE)')
