"""What a rendered set was made of, and whether it is whole.

The manifest is written before the set, as not complete, and again after it:
so a set that was broken off is known as this command's own.
"""
import hashlib
import json
import platform
import shutil
from dataclasses import asdict
from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional

import cv2
import lmdb
import numpy as np
import PIL

from lmim.utils.atomic import write_atomic

from lmim.rendering import PARTS, Font, RenderedWords

MANIFEST = 'rendered.json'
# Raised when the same settings come to give other bytes.
FORMAT = 2


def describe(sets: Mapping[str, RenderedWords], masks: bool,
             left_out: List[str]) -> Dict[str, Any]:
    """The manifest of a set that is not made yet.

    Args:
        sets (Mapping[str, RenderedWords]): Both parts.
        masks (bool): Whether masks and boxes are written beside them.
        left_out (list[str]): What is not drawn, in words.
    """
    train = sets['train']
    manifest = {
        'complete': False,
        'settings': {
            'format': FORMAT,
            'seed': train.seed,
            'words': train.words.settings(),
            'style': asdict(train.renderer.ranges),
            'masks': masks,
            'samples': {part: len(sets[part]) for part in PARTS},
            'fonts': {part: _list(sets[part].fonts.fonts) for part in PARTS},
        },
        # Told, not compared: a set is not made anew for a newer library.
        'left_out': left_out,
        'made_with': {
            'python': platform.python_version(),
            'numpy': np.__version__,
            'opencv': cv2.__version__,
            'pillow': PIL.__version__,
        },
    }
    # As it is read back: lists for tuples.
    return dict(json.loads(json.dumps(manifest)))


def lmdb_paths(out_dir: Path, part: str, masks: bool) -> List[Path]:
    """Where a part of the set lies, and its masks if there are any."""
    names = [part, f'{part}_masks'] if masks else [part]
    return [out_dir / f'{name}.lmdb' for name in names]


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
            _count(path) == size
            for part, size in manifest['settings']['samples'].items()
            for path in lmdb_paths(out_dir, part,
                                   manifest['settings']['masks']))
    if overwrite:
        return False
    if settings is not None:
        other = [key for key, value in manifest['settings'].items()
                 if settings.get(key) != value]
        raise FileExistsError(
            f'{out_dir} holds a set of other settings ({", ".join(other)}); '
            'see its rendered.json. Give another folder, or --overwrite')
    for part in PARTS:
        for path in lmdb_paths(out_dir, part, True):
            if path.exists():
                raise FileExistsError(
                    f'{path} is there and was not made by this command. '
                    'Give another folder, or --overwrite')
    return False


def remove_masks(out_dir: Path) -> None:
    """Remove masks of the set that gives way: a new one may have none."""
    for part in PARTS:
        masks = lmdb_paths(out_dir, part, True)[1]
        if masks.exists():
            shutil.rmtree(masks)


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
    text = json.dumps(manifest, indent=2, ensure_ascii=False) + '\n'
    write_atomic(out_dir / MANIFEST, text.encode())
