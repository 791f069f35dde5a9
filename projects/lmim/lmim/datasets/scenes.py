"""Scene images and their annotation: which words are where."""
import json
from pathlib import Path
from typing import Any, Dict, List, NamedTuple, Optional, Tuple

import cv2
import numpy as np

from lmim.utils.errors import UserError, some

#: What stands for a word that nobody could read.
UNREAD = frozenset(['###', '#'])
_WANTED = ('Wanted is MMOCR 1.x JSON, {"data_list": [{"img_path": ..., '
           '"instances": [{"polygon": ...}, ...]}, ...]}, as MMOCR\'s '
           'prepare_dataset.py makes it of other formats')


class Scene(NamedTuple):
    """One annotated image.

    Args:
        path (Path): Where it lies.
        size (tuple[int, int], optional): Height and width that the
            annotation says, where it does.
        instances (list[dict]): Its words, with ``polygon`` or ``bbox``, and
            perhaps ``text`` and ``ignore``.
    """
    path: Path
    size: Optional[Tuple[int, int]]
    instances: List[Dict[str, Any]]


def read_scenes(annotation: Path, images_dir: Path) -> List[Scene]:
    """Read annotations of text detection or spotting.

    An image is looked for by its path below ``images_dir``, then by its name
    alone in it.

    Args:
        annotation (Path): A TextDet or TextSpotting file of MMOCR 1.x.
        images_dir (Path): Where the images lie.

    Returns:
        list[Scene]: The images.

    Raises:
        FileNotFoundError: If the file, the folder or images are missing.
        UserError: If the annotation is not of that format.
    """
    if not images_dir.is_dir():
        raise FileNotFoundError(
            f'The folder of images {images_dir} does not exist')
    scenes, missing = [], []
    for entry in _read_mmocr(annotation):
        name = Path(entry['img_path'])
        paths = [path for path in (images_dir / name, images_dir / name.name)
                 if path.is_file()]
        if paths:
            size = ((int(entry['height']), int(entry['width']))
                    if {'height', 'width'} <= set(entry) else None)
            scenes.append(Scene(paths[0], size, entry['instances']))
        else:
            missing.append(entry['img_path'])
    if missing:
        raise FileNotFoundError(
            f'{len(missing)} of {len(missing) + len(scenes)} images that '
            f'{annotation} names are not in {images_dir}, neither by their '
            f'path nor by their name: {some(missing, 20)}')
    return scenes


def _read_mmocr(annotation: Path) -> List[Dict[str, Any]]:
    """The checked ``data_list`` of a file of MMOCR 1.x."""
    if not annotation.is_file():
        raise FileNotFoundError(f'The annotation {annotation} does not exist, '
                                f'or is no file. {_WANTED}')
    try:
        entries = json.loads(
            annotation.read_text(encoding='utf-8'))['data_list']
        for number, entry in enumerate(entries):
            if not (isinstance(entry['img_path'], str)
                    and isinstance(entry['instances'], list)):
                raise TypeError(f'entry {number} of data_list')
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(f'{annotation} is not of the right format '
                        f'({error!r}). {_WANTED}') from None
    if not entries:
        raise UserError(f'{annotation} names no image. {_WANTED}')
    return entries


def load_scene(scene: Scene) -> np.ndarray:
    """Decode an image the way round that its annotation has it.

    Cameras note in EXIF how a picture is to be turned. As MMOCR does, it is
    turned; unless the annotation's size is that of the unturned picture.

    Returns:
        np.ndarray: BGR uint8 of shape (H, W, 3).

    Raises:
        UserError: If it cannot be decoded, or is of another size than the
            annotation says.
    """
    data = np.frombuffer(scene.path.read_bytes(), np.uint8)
    sizes = []
    for flags in (cv2.IMREAD_COLOR,
                  cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION):
        try:
            image = cv2.imdecode(data, flags)
        except cv2.error:  # of an empty file, or one of too many pixels
            image = None
        if image is None:
            raise UserError('image cannot be decoded')
        if scene.size is None or image.shape[:2] == scene.size:
            return image
        sizes.append(image.shape)
    assert scene.size is not None
    raise UserError(
        f'image is {sizes[0][1]}x{sizes[0][0]} pixels where the annotation '
        f'says {scene.size[1]}x{scene.size[0]}')


def is_ignored(instance: Dict[str, Any]) -> bool:
    """Whether a word is marked as one that nobody could read."""
    return bool(instance.get('ignore')) or instance.get('text') in UNREAD


def label_of(instance: Any) -> Optional[str]:
    """What a word says, if that is known."""
    if not isinstance(instance, dict) or is_ignored(instance):
        return None
    text = instance.get('text')
    return text if isinstance(text, str) and text else None
