"""Reading checkpoints without executing what is in them."""
import argparse
import pathlib
import pickle
import zipfile
from typing import Any, Dict, List, Mapping, Optional, Tuple, Union

import torch

from lmim import safe_globals
from lmim.utils.errors import CheckpointError
from .safetensors_files import is_safetensors, read_safetensors

#: Keys under which the field's code stores the weights of a model.
WEIGHT_KEYS = ('state_dict', 'model', 'module')
#: The types in which MAE and its kin keep their command line.
COMMAND_LINE_TYPES = (argparse.Namespace, pathlib.PosixPath)


def read_checkpoint(path: Union[str, pathlib.Path],
                    skipped: Optional[List[str]] = None) -> Dict[str, Any]:
    """Read a checkpoint; only weights and plain data, never code.

    Args:
        path (str | Path): A file written by ``torch.save``, or one of
            safetensors.
        skipped (List[str], optional): Skip what would have to be executed
            instead of refusing, and put its names in this list.

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
    if is_safetensors(path):
        return read_safetensors(path)
    if _is_program(path):
        raise CheckpointError(
            f'checkpoint {path} is a program of TorchScript, and is refused: '
            'ask for the weights, torch.save(model.state_dict(), FILE)')
    try:
        content = safe_globals.load(
            path, also=COMMAND_LINE_TYPES, skipped=skipped)
    except (pickle.UnpicklingError, RuntimeError, EOFError, OSError, KeyError,
            ValueError, AttributeError, TypeError) as error:
        refused = skipped is None and isinstance(error,
                                                 pickle.UnpicklingError)
        if refused and _is_pickled(path):
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
        path (str | Path): A file written by ``torch.save``, or one of
            safetensors.

    Returns:
        Dict[str, torch.Tensor]: Weights by name, without the ``module.`` that
        distributed training puts before names.

    Raises:
        FileNotFoundError: If there is no such file.
        CheckpointError: If it cannot be read or holds no weights.
    """
    return find_weights(read_checkpoint(path), path)[0]


def find_weights(
    content: Dict[str, Any], path: Union[str, pathlib.Path]
) -> Tuple[Dict[str, torch.Tensor], str]:
    """Find the weights in the content of a checkpoint.

    Args:
        content (Dict[str, Any]): What :func:`read_checkpoint` gave.
        path (str | Path): The file, for messages.

    Returns:
        Tuple[Dict[str, torch.Tensor], str]: Weights by name, without a
        leading ``module.``; the key that they were under, or ''.

    Raises:
        CheckpointError: If there are none.
    """
    key = next(
        (key for key in WEIGHT_KEYS if isinstance(content.get(key), Mapping)),
        '')
    found: Mapping[str, Any] = content[key] if key else content
    weights = {
        name[len('module.'):] if name.startswith('module.') else name: value
        for name, value in found.items() if isinstance(value, torch.Tensor)
    }
    if not weights:
        raise CheckpointError(
            f'checkpoint {path} holds no weights; its keys are '
            f'{sorted(map(str, found))[:10]}')
    return weights, key


def _is_program(path: pathlib.Path) -> bool:
    """Whether torch would run a file as a program of TorchScript."""
    if not zipfile.is_zipfile(path):
        return False
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except zipfile.BadZipFile:  # torch, too, will say so
        return False
    return any(name.endswith('constants.pkl') for name in names)


def _is_pickled(path: pathlib.Path) -> bool:
    """Whether a file begins as those of torch.save: a zip or a pickle."""
    with open(path, 'rb') as file:
        return file.read(4).startswith((b'PK\x03\x04', b'\x80'))


def _refusal(path: pathlib.Path, error: Exception) -> str:
    skipped: List[str] = []
    try:
        safe_globals.load(path, also=COMMAND_LINE_TYPES, skipped=skipped)
    except Exception:  # the names are but for the message
        skipped = [str(error).split('\n')[0]]
    names = ', '.join(dict.fromkeys(skipped))
    return (
        f'checkpoint {path} holds content that would be executed on loading, '
        f'and is refused: {names}. If you trust whoever made the weights, '
        'take them out of it; nothing of the file is run: '
        f'python tools/checkpoint.py convert {path} NEW_FILE --skip-code')
