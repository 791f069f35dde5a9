"""What a rendered set was made of, and whether it is whole.

The manifest is written before the set, as not complete, and again after it:
so a set that was broken off is known as this command's own.
"""
import hashlib
import json
import os
import platform
from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional

import cv2
import lmdb
import numpy as np
import PIL

from ..rendering import PARTS, Font, RenderedWords

MANIFEST = 'rendered.json'
# Raised when the same settings come to give other bytes.
FORMAT = 1


def describe(sets: Mapping[str, RenderedWords],
             style: Dict[str, Any]) -> Dict[str, Any]:
    """The manifest of a set that is not made yet.

    Args:
        sets (Mapping[str, RenderedWords]): Both parts.
        style (Dict[str, Any]): The renderer's settings.
    """
    words = sets['train'].words
    return {
        'complete': False,
        'settings': {
            'format': FORMAT,
            'seed': sets['train'].seed,
            'alphabet': words.alphabet,
            'lengths': list(words.lengths),
            'style': style,
            'samples': {part: len(sets[part]) for part in PARTS},
            'fonts': {part: _list(sets[part].fonts) for part in PARTS},
        },
        # Told, not compared: a set is not made anew for a newer library.
        'made_with': {
            'python': platform.python_version(),
            'numpy': np.__version__,
            'opencv': cv2.__version__,
            'pillow': PIL.__version__,
        },
    }


def lmdb_path(out_dir: Path, part: str) -> Path:
    """Where a part of the set lies."""
    return out_dir / f'{part}.lmdb'


def _list(fonts: List[Font]) -> Dict[str, str]:
    """Names of faces, and a digest of each file."""
    return {
        font.name: hashlib.sha256(
            Path(font.path).read_bytes()).hexdigest()[:16]
        for font in fonts
    }


def is_there(out_dir: Path, manifest: Dict[str, Any],
             overwrite: bool) -> bool:
    """Whether a whole set of the same settings is there.

    Raises:
        FileExistsError: If another set is, and may not be replaced.
    """
    path = out_dir / MANIFEST
    if out_dir.exists() and not out_dir.is_dir():
        raise FileExistsError(
            f'{out_dir} is a file; give the path of a folder')
    try:
        found = json.loads(path.read_text(encoding='utf-8'))
        settings: Optional[Dict[str, Any]] = dict(found['settings'])
    except FileNotFoundError:
        found, settings = {}, None
    except (ValueError, KeyError, TypeError):
        found, settings = {}, {}
    if settings == manifest['settings']:
        return found.get('complete') is True and all(
            _count(lmdb_path(out_dir, part)) == size
            for part, size in manifest['settings']['samples'].items())
    if overwrite:
        return False
    if settings is not None:
        other = [key for key, value in manifest['settings'].items()
                 if settings.get(key) != value]
        raise FileExistsError(
            f'{out_dir} holds a set of other settings ({", ".join(other)}); '
            'see its rendered.json. Give another folder, or --overwrite')
    for part in PARTS:
        if lmdb_path(out_dir, part).exists():
            raise FileExistsError(
                f'{lmdb_path(out_dir, part)} is there and was not made by '
                'this command. Give another folder, or --overwrite')
    return False


def _count(path: Path) -> int:
    """Records that an LMDB says it has; 0 if it cannot be read."""
    try:
        with lmdb.open(str(path), readonly=True, lock=False) as env:
            with env.begin() as txn:
                return int(txn.get(b'num-samples', b'0'))
    except (lmdb.Error, ValueError):
        return 0


def save_manifest(manifest: Dict[str, Any], out_dir: Path) -> None:
    """Write the manifest whole or not at all."""
    draft = out_dir / f'{MANIFEST}.tmp-{os.getpid()}'
    draft.write_text(
        json.dumps(manifest, indent=2, ensure_ascii=False) + '\n',
        encoding='utf-8')
    os.replace(draft, out_dir / MANIFEST)
