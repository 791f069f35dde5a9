"""Reads MMOCR's text detection annotations and finds their images."""
import json
from pathlib import Path
from typing import Any, Dict, List, NamedTuple, Optional, Sequence, Tuple

import cv2
import numpy as np

NAMED_AT_MOST = 20


class Scene(NamedTuple):
    """One annotated image.

    Args:
        path (Path): Where it lies.
        size (tuple[int, int], optional): Height and width that the
            annotation says, where it does.
        instances (list[dict]): Its words, with ``polygon`` or ``bbox``.
    """
    path: Path
    size: Optional[Tuple[int, int]]
    instances: List[Dict[str, Any]]


def read_scenes(annotation: Path, images_dir: Path) -> List[Scene]:
    """Read a TextDet (or TextSpotting) file of MMOCR 1.x.

    An image is looked for by its path below ``images_dir``, then by its name
    alone in it.

    Raises:
        FileNotFoundError: If the file, the folder or images are missing; all
            missing images are told at once.
        ValueError: If the file is not of that format.
    """
    if not annotation.is_file():
        raise FileNotFoundError(f'The annotation {annotation} does not exist')
    if not images_dir.is_dir():
        raise FileNotFoundError(
            f'The folder of images {images_dir} does not exist')
    scenes, missing = [], []
    for entry in _entries(annotation):
        named = Path(entry['img_path'])
        found = [path for path in (images_dir / named,
                                   images_dir / named.name)
                 if path.is_file()]
        if not found:
            missing.append(str(named))
            continue
        scenes.append(
            Scene(found[0], entry.get('size'), entry['instances']))
    if missing:
        shown = ''.join(f'\n  {name}' for name in missing[:NAMED_AT_MOST])
        more = len(missing) - NAMED_AT_MOST
        raise FileNotFoundError(
            f'{len(missing)} of {len(missing) + len(scenes)} images that '
            f'{annotation} names are not in {images_dir}, neither by their '
            f'path nor by their name:{shown}' +
            (f'\n  and {more} more' if more > 0 else ''))
    return scenes


def _entries(annotation: Path) -> List[Dict[str, Any]]:
    """The checked `data_list` of a file."""
    wanted = ('MMOCR 1.x text detection JSON is wanted: {"data_list": '
              '[{"img_path": ..., "instances": [{"polygon": ...}, ...]}, '
              '...]}')
    try:
        entries = json.loads(
            annotation.read_text(encoding='utf-8'))['data_list']
        for number, entry in enumerate(entries):
            if not (isinstance(entry['img_path'], str)
                    and isinstance(entry['instances'], list)):
                raise TypeError(f'entry {number} of data_list')
            if 'height' in entry and 'width' in entry:
                entry['size'] = (int(entry['height']), int(entry['width']))
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(
            f'{annotation} is not of the right format ({error!r}). {wanted}'
        ) from None
    if not entries:
        raise ValueError(f'{annotation} names no image. {wanted}')
    return entries


def load_scene(scene: Scene) -> np.ndarray:
    """Decode an image the way round that its annotation has it.

    Cameras note in EXIF how a picture is to be turned. As MMOCR does, it is
    turned; unless the annotation's size is that of the unturned picture.

    Returns:
        np.ndarray: BGR uint8 of shape (H, W, 3).

    Raises:
        ValueError: If it cannot be decoded, or is of another size than the
            annotation says.
    """
    data = np.frombuffer(scene.path.read_bytes(), np.uint8)
    shapes: List[str] = []
    for flags in (cv2.IMREAD_COLOR,
                  cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION):
        try:
            image = cv2.imdecode(data, flags)
        except cv2.error:  # of an empty file, or one of too many pixels
            image = None
        if image is None:
            raise ValueError('image cannot be decoded')
        if scene.size is None or image.shape[:2] == scene.size:
            return image
        shapes.append(_name_size(image.shape[:2]))
        wanted = _name_size(scene.size)
    raise ValueError(f'image is {shapes[0]} pixels where the annotation '
                     f'says {wanted}')


def _name_size(size: Sequence[int]) -> str:
    """A height and a width as people write them, width first."""
    return f'{size[1]}x{size[0]}'
