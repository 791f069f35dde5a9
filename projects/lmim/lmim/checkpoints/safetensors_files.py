"""Files of the library safetensors, which is only needed for these.

Such a file holds tensors by name and, beside them, text by name. Ours are
``lmim_format`` (the key of the format of the names), ``config`` (the text of
the config), ``dictionary`` and ``meta`` (both JSON).
"""
import json
import struct
from pathlib import Path
from types import ModuleType
from typing import Any, Dict

import torch
from mmengine.runner import CheckpointLoader

from lmim.utils.errors import CheckpointError

SUFFIX = '.safetensors'


def is_safetensors(path: Path) -> bool:
    """Whether a file is one of safetensors, by its name or its first bytes.

    They are the length of a header, 8 bytes, and the header, a JSON object.
    """
    if path.suffix == SUFFIX:
        return True
    with open(path, 'rb') as file:
        head = file.read(9)
    return (len(head) == 9 and head[8:] == b'{'
            and struct.unpack('<Q', head[:8])[0] < path.stat().st_size)


def read_safetensors(path: Path) -> Dict[str, Any]:
    """Read such a file.

    Args:
        path (Path): The file.

    Returns:
        Dict[str, Any]: ``state_dict`` and, where it holds any, ``meta``.

    Raises:
        CheckpointError: If the file is damaged or the library missing.
    """
    safetensors = _library(f'to read {path}')
    try:
        with safetensors.safe_open(str(path), 'pt') as file:
            texts = dict(file.metadata() or {})
            weights = {name: file.get_tensor(name) for name in file.keys()}
        meta = dict(json.loads(texts.get('meta', '{}')))
        if 'dictionary' in texts:
            meta['dictionary'] = json.loads(texts['dictionary'])
    except (safetensors.SafetensorError, ValueError, TypeError) as error:
        raise CheckpointError(
            f'checkpoint {path} cannot be read: it is truncated, or no file '
            f'of safetensors ({path.stat().st_size:,} bytes). Copy or '
            f'download it again. [{error}]') from error
    if 'config' in texts:
        meta['cfg'] = texts['config']
    return {'state_dict': weights, 'meta': meta}


def save_safetensors(path: Path, weights: Dict[str, torch.Tensor],
                     meta: Dict[str, Any], key: str) -> None:
    """Write such a file.

    Args:
        path (Path): The file.
        weights (Dict[str, torch.Tensor]): Tensors of any shape by name.
        meta (Dict[str, Any]): Of types that JSON has.
        key (str): The key of the format of the names, '' where unknown.

    Raises:
        CheckpointError: If the library is missing.
    """
    _library(f'to write {path}')
    from safetensors.torch import save_file
    meta = dict(meta)
    texts = {'format': 'pt', 'lmim_format': key}
    if meta.get('cfg'):
        texts['config'] = meta.pop('cfg')
    if meta.get('dictionary'):
        texts['dictionary'] = json.dumps(meta.pop('dictionary'),
                                         ensure_ascii=False)
    texts['meta'] = json.dumps(meta, ensure_ascii=False)
    save_file(_apart(weights), str(path), metadata=texts)


def _apart(weights: Dict[str, torch.Tensor]) -> Dict[str, torch.Tensor]:
    """The tensors with memory of their own each, which the format demands."""
    seen = set()
    apart = {}
    for name, value in weights.items():
        storage = value.untyped_storage() if hasattr(
            value, 'untyped_storage') else value.storage()
        shared = storage.data_ptr() in seen
        seen.add(storage.data_ptr())
        apart[name] = value.clone() if shared else value
        apart[name] = apart[name].contiguous()
    return apart


def _library(purpose: str) -> ModuleType:
    try:
        import safetensors
    except ImportError as error:
        raise CheckpointError(
            f'the library safetensors is needed {purpose}: '
            'pip install safetensors, or use a file of the kind .pth'
        ) from error
    return safetensors


@CheckpointLoader.register_scheme(prefixes=r'.*\.safetensors$', force=True)
def load_from_safetensors(filename: str,
                          map_location: Any = None) -> Dict[str, Any]:
    """MMEngine's ``load_from`` and ``tools/test.py`` for such files.

    Args:
        filename (str): The file.
        map_location (Any): Not used: what is loaded is on the CPU.

    Returns:
        Dict[str, Any]: ``state_dict`` and ``meta``.

    Raises:
        FileNotFoundError: If there is no such file.
        CheckpointError: If the file is damaged or the library missing.
    """
    path = Path(filename).expanduser()
    if not path.is_file():
        raise FileNotFoundError(f'checkpoint {path} does not exist')
    return read_safetensors(path)
