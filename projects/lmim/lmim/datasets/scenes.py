"""Scene images and their annotation: which words are where."""
import io
import json
from contextlib import suppress
from pathlib import Path
from typing import Any, Dict, List, NamedTuple, Optional, Sequence, Tuple

import numpy as np
from PIL import Image

from lmim.utils.errors import UserError, some

from .cropping import Turn
from .decoding import decode_image
from .records import UnreadableRecordError, read_image_file

#: The tag of EXIF that says how a picture is to be turned.
ORIENTATION = 0x0112
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
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise UserError(f'{annotation} is not of the right format '
                        f'({error!r}). {_WANTED}') from None
    if not entries:
        raise UserError(f'{annotation} names no image. {_WANTED}')
    return entries


def load_scene(scene: Scene,
               alpha_color: Optional[Sequence[int]] = None
               ) -> Tuple[np.ndarray, Optional[Turn]]:
    """Decode an image upright, as its EXIF says.

    Cameras note there how a picture is to be turned. Annotations are mostly
    of turned pictures, as MMOCR reads them. Those are turned with it whose
    size is that of the picture as it is stored; or, where none is given,
    whose words do not lie in the turned picture, and do in the stored one.

    Args:
        scene (Scene): The image.
        alpha_color (Sequence[int], optional): As in
            :func:`~lmim.utils.pixels.lay_on_ground`.

    Returns:
        tuple: The image, (H, W, 3), uint8, BGR; and what turns its
        annotation, None where that is of the upright picture.

    Raises:
        UserError: If it cannot be decoded, or is of another size than the
            annotation says.
    """
    try:
        value = read_image_file(str(scene.path))
        image = decode_image(value, alpha_color=alpha_color)
        if image.shape[:2] == scene.size or (
                scene.size is None and _lies_within(scene, image.shape)):
            return image, None
        height, width = decode_image(
            value, 'color_ignore_orientation').shape[:2]
        if scene.size is None and not _lies_within(scene, (height, width)):
            return image, None  # nor there: each word says so
        if scene.size in (None, (height, width)):
            with Image.open(io.BytesIO(value)) as opened:
                orientation = opened.getexif().get(ORIENTATION, 1)
            return image, turn_of(orientation, height, width)
    except (OSError, UnreadableRecordError) as error:
        raise UserError(f'image cannot be decoded: {error}') from error
    assert scene.size is not None
    raise UserError(
        f'image is {image.shape[1]}x{image.shape[0]} pixels where the '
        f'annotation says {scene.size[1]}x{scene.size[0]}')


def _lies_within(scene: Scene, shape: Sequence[int]) -> bool:
    """Whether all words lie in a picture of this height and width."""
    for instance in scene.instances:
        numbers = instance.get('polygon') or instance.get('bbox') or []
        with suppress(TypeError, ValueError):
            points = np.asarray(numbers, np.float64).reshape(-1, 2)
            if (points > (shape[1], shape[0])).any():
                return False
    return True


def turn_of(orientation: int, height: int, width: int) -> Turn:
    """What turns points as EXIF's orientation turns a picture.

    Args:
        orientation (int): 1 to 8, as in EXIF 2.32, table 6.
        height (int): Of the picture as it is stored, in pixels.
        width (int): Likewise.
    """
    def turn(points: np.ndarray) -> np.ndarray:
        x, y = points.T
        if orientation in (2, 3, 7, 8):
            x = width - x
        if orientation in (3, 4, 6, 7):
            y = height - y
        return np.stack((y, x) if orientation > 4 else (x, y), axis=1)

    return turn


def is_ignored(instance: Dict[str, Any]) -> bool:
    """Whether a word is marked as one that nobody could read."""
    return bool(instance.get('ignore')) or instance.get('text') in UNREAD


def label_of(instance: Any) -> Optional[str]:
    """What a word says, if that is known."""
    if not isinstance(instance, dict) or is_ignored(instance):
        return None
    text = instance.get('text')
    return text if isinstance(text, str) and text else None
