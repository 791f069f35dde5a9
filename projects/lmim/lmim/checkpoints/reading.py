"""Files of checkpoints, read without executing what is in them.

They are of ``torch.save``, or of the library safetensors, which is only
needed for these. A file of safetensors holds tensors by name and, beside
them, text by name. Ours are ``lmim_format`` (the key of the format of the
names), ``config`` (the text of the config), ``dictionary`` and ``meta`` (both
JSON), and ``sha256``, of the weights, which tells damage that leaves the rest
of the file as it was.
"""
import argparse
import hashlib
import json
import pathlib
import pickle
import re
import struct
import zipfile
from types import ModuleType
from typing import Any, Dict, List, Mapping, Optional, Tuple, Union

import torch
from mmengine.runner import CheckpointLoader

from lmim import safe_globals
from lmim.utils.errors import CheckpointError

#: What the name of a file of safetensors ends in.
SUFFIX = '.safetensors'
#: Keys under which the field's code stores the weights of a model.
WEIGHT_KEYS = ('state_dict', 'model', 'module', 'net')
#: Those of a model and its moving average, as DINO's code and its kin do.
TWIN_KEYS = ('student', 'teacher')
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
        return _read_safetensors(str(path))
    if _is_program(path):
        raise CheckpointError(
            f'checkpoint {path} is a program of TorchScript, and is refused: '
            'ask for the weights, torch.save(model.state_dict(), FILE)')
    try:
        content = safe_globals.load(
            path, also=COMMAND_LINE_TYPES, skipped=skipped)
    # A damaged file fails in a dozen ways, of pickle, zip files and torch.
    except Exception as error:
        if skipped is None and isinstance(error, pickle.UnpicklingError):
            with open(path, 'rb') as file:  # torch.save's: a zip or a pickle
                if file.read(4).startswith((b'PK\x03\x04', b'\x80')):
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


def find_weights(
    content: Dict[str, Any], path: Union[str, pathlib.Path]
) -> Tuple[Dict[str, torch.Tensor], str]:
    """Find the weights in what :func:`read_checkpoint` gave.

    They go by name, without what DDP and ``torch.compile`` put in; beside
    them is the key that they were under, or ''. Those of a student and a
    teacher have this before their names.

    Raises:
        CheckpointError: If there are none.
    """
    key = next((key for key in WEIGHT_KEYS
                if isinstance(content.get(key), Mapping)), '')
    found: Mapping[str, Any] = content[key] if key else content
    if not key and all(isinstance(content.get(twin), Mapping)
                       for twin in TWIN_KEYS):
        found = {f'{twin}.{name}': value for twin in TWIN_KEYS
                 for name, value in content[twin].items()}
    weights = {bare_name(name): value
               for name, value in found.items()
               if isinstance(value, torch.Tensor)}
    if not weights:
        raise CheckpointError(
            f'checkpoint {path} holds no weights; its keys are '
            f'{sorted(map(str, found))[:10]}')
    return weights, key


def bare_name(name: str) -> str:
    """The name of a weight without the marks of compilation and of DDP."""
    return re.sub(r'^(student\.|teacher\.)?module\.', r'\1',
                  re.sub(r'(^|\.)_orig_mod\.', r'\1', name))


def _is_program(path: pathlib.Path) -> bool:
    """Whether torch would run a file as a program of TorchScript."""
    try:
        with zipfile.ZipFile(path) as archive:
            return any(name.endswith('constants.pkl')
                       for name in archive.namelist())
    # Of torch's old format, or damaged, which zipfile tells in many ways.
    except Exception:
        return False


def _refusal(path: pathlib.Path, error: Exception) -> str:
    skipped: List[str] = []
    try:
        safe_globals.load(path, also=COMMAND_LINE_TYPES, skipped=skipped)
    except Exception:  # the names are but for the message
        # Not torch's own message, which advises to load it without care.
        skipped = skipped or [type(error).__name__]
    names = ', '.join(dict.fromkeys(skipped))
    return (
        f'checkpoint {path} holds content that would be executed on loading, '
        f'and is refused: {names}. If you trust whoever made the weights, '
        'take them out of it; nothing of the file is run: '
        f'lmim checkpoint convert {path} NEW_FILE --skip-code')


def is_safetensors(path: pathlib.Path) -> bool:
    """Whether a file is one of safetensors, by its name or its first bytes.

    They are the length of a header, 8 bytes, and the header, a JSON object.
    """
    if path.suffix == SUFFIX:
        return True
    with open(path, 'rb') as file:
        head = file.read(9)
    return (len(head) == 9 and head[8:] == b'{'
            and struct.unpack('<Q', head[:8])[0] < path.stat().st_size)


@CheckpointLoader.register_scheme(prefixes=r'.*\.safetensors$', force=True)
def _read_safetensors(filename: str,
                      map_location: Any = None) -> Dict[str, Any]:
    """Read a file to ``state_dict`` and ``meta``; MMEngine's loader, too."""
    path = pathlib.Path(filename).expanduser()
    if not path.is_file():
        raise FileNotFoundError(f'checkpoint {path} does not exist')
    safetensors = _library(f'to read {path}')
    try:
        with safetensors.safe_open(str(path), 'pt') as file:
            texts = dict(file.metadata() or {})
            weights = {name: file.get_tensor(name) for name in file.keys()}
        meta = dict(json.loads(texts.get('meta', '{}')))
        if 'dictionary' in texts:
            meta['dictionary'] = json.loads(texts['dictionary'])
    except (safetensors.SafetensorError, ValueError, TypeError,
            RecursionError) as error:
        raise CheckpointError(
            f'checkpoint {path} cannot be read: it is truncated, or no file '
            f'of safetensors ({path.stat().st_size:,} bytes). Copy or '
            f'download it again. [{error}]') from error
    if 'sha256' in texts and texts['sha256'] != digest_of(weights):
        raise CheckpointError(
            f'checkpoint {path} is damaged: its weights are not those that '
            'were written. Copy or download it again')
    if 'config' in texts:
        meta['cfg'] = texts['config']
    return {'state_dict': weights, 'meta': meta}


def save_safetensors(path: pathlib.Path, weights: Dict[str, torch.Tensor],
                     meta: Dict[str, Any], key: str) -> None:
    """Write a file of safetensors, with ``meta`` of types that JSON has.

    ``key`` is that of the format of the weights' names, '' where unknown. A
    CheckpointError says so if the library is missing.
    """
    _library(f'to write {path}')
    from safetensors.torch import save
    meta = dict(meta)
    texts = {'format': 'pt', 'lmim_format': key}
    if meta.get('cfg'):
        texts['config'] = meta.pop('cfg')
    if meta.get('dictionary'):
        texts['dictionary'] = json.dumps(meta.pop('dictionary'),
                                         ensure_ascii=False)
    texts['meta'] = json.dumps(meta, ensure_ascii=False)
    texts['sha256'] = digest_of(weights)
    seen = set()
    apart = {}  # the library demands memory of its own for each tensor
    for name, value in weights.items():
        start = value.untyped_storage().data_ptr() if hasattr(
            value, 'untyped_storage') else value.storage().data_ptr()
        apart[name] = (value.clone() if start in seen else value).contiguous()
        seen.add(start)
    # Its own save_file() makes files that nobody else may read.
    path.write_bytes(save(apart, metadata=texts))


def digest_of(weights: Dict[str, torch.Tensor]) -> str:
    """What tells weights, with their names, from any others."""
    digest = hashlib.sha256()
    for name in sorted(weights):
        digest.update(name.encode())
        flat = weights[name].detach().cpu().contiguous().reshape(-1)
        digest.update(flat.view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


def _library(purpose: str) -> ModuleType:
    try:
        import safetensors
    except ImportError as error:
        raise CheckpointError(
            f'the library safetensors is needed {purpose}: '
            'pip install safetensors, or use a file of the kind .pth'
        ) from error
    return safetensors
