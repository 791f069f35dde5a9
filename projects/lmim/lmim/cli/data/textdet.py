"""Reads annotations of scene images, and finds these."""
import re
from pathlib import Path
from typing import Any, Dict, List, NamedTuple, Optional, Sequence, Tuple

import cv2
import numpy as np

from lmim.datasets.records import IMAGE_SUFFIXES
from .textdet_icdar import UNREAD, read_icdar
from .textdet_mmocr import read_mmocr

NAMED_AT_MOST = 20


class Scene(NamedTuple):
    """One annotated image.

    Args:
        path (Path): Where it lies.
        size (tuple[int, int], optional): Height and width that the
            annotation says, where it does.
        instances (list[dict]): Its words, with ``polygon`` or ``bbox``, and
            perhaps ``text`` and ``ignore``; or with ``problem``, which says
            why there is none.
    """
    path: Path
    size: Optional[Tuple[int, int]]
    instances: List[Dict[str, Any]]


def read_scenes(annotation: Path,
                images_dir: Path) -> Tuple[str, List[Scene]]:
    """Read annotations of any format that is known.

    An image that a JSON file names is looked for by its path below
    ``images_dir``, then by its name alone in it; that of ICDAR's
    ``gt_img_1.txt`` is any picture ``img_1`` in or below it.

    Args:
        annotation (Path): A TextDet or TextSpotting file of MMOCR 1.x; or a
            folder of ICDAR's text files, or one of them.
        images_dir (Path): Where the images lie.

    Returns:
        tuple[str, list[Scene]]: What the format is called, and the images.

    Raises:
        FileNotFoundError: If the file, the folder or images are missing; all
            missing images are told at once.
        ValueError: If the annotation is of no format that is known.
    """
    if not annotation.exists():
        raise FileNotFoundError(f'The annotation {annotation} does not exist')
    if not images_dir.is_dir():
        raise FileNotFoundError(
            f'The folder of images {images_dir} does not exist')
    scenes: List[Tuple[str, Optional[Scene]]] = []
    if annotation.is_dir() or annotation.suffix.lower() == '.txt':
        name, files = read_icdar(annotation)
        pictures = _by_stem(images_dir)
        for words in files:
            path = _of_words(words.path, pictures)
            scene = None if path is None else Scene(
                path, None, words.instances)
            scenes.append((f'the picture of {words.path.name}', scene))
    else:
        name = 'MMOCR 1.x'
        for entry in read_mmocr(annotation):
            path = _of_entry(Path(entry['img_path']), images_dir)
            scene = None if path is None else Scene(
                path, entry.get('size'), entry['instances'])
            scenes.append((entry['img_path'], scene))
    _refuse_missing(scenes, annotation, images_dir)
    return name, [scene for _, scene in scenes if scene is not None]


def _of_entry(named: Path, images_dir: Path) -> Optional[Path]:
    """The image that an entry of a JSON file names."""
    for path in (images_dir / named, images_dir / named.name):
        if path.is_file():
            return path
    return None


def _by_stem(images_dir: Path) -> Dict[str, Path]:
    """All pictures in a folder and below, by their name without suffix.

    Raises:
        ValueError: If two have the same.
    """
    found: Dict[str, Path] = {}
    for path in sorted(images_dir.rglob('*')):
        if path.suffix.lower() not in IMAGE_SUFFIXES:
            continue
        other = found.setdefault(path.stem, path)
        if other is not path:
            raise ValueError(
                f'{other} and {path} go by the same name, which an '
                'annotation could mean either by. Give the folder of one')
    return found


def _of_words(path: Path, pictures: Dict[str, Path]) -> Optional[Path]:
    """The picture that a text file of ICDAR belongs to."""
    bare = re.sub('^(poly_)?gt_', '', path.stem)
    for stem in (path.stem, bare, bare.lstrip('0')):
        if stem in pictures:
            return pictures[stem]
    return None


def _refuse_missing(scenes: List[Tuple[str, Optional[Scene]]],
                    annotation: Path, images_dir: Path) -> None:
    """Name all images that were not found."""
    missing = [name for name, scene in scenes if scene is None]
    if not missing:
        return
    shown = ''.join(f'\n  {name}' for name in missing[:NAMED_AT_MOST])
    more = len(missing) - NAMED_AT_MOST
    raise FileNotFoundError(
        f'{len(missing)} of {len(scenes)} images that {annotation} names are '
        f'not in {images_dir}, neither by their path nor by their name:'
        f'{shown}' + (f'\n  and {more} more' if more > 0 else ''))


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


def is_ignored(instance: Dict[str, Any]) -> bool:
    """Whether a word is marked as one that nobody could read."""
    return bool(instance.get('ignore')) or instance.get('text') in UNREAD


def label_of(instance: Any) -> Optional[str]:
    """What a word says, if that is known."""
    if not isinstance(instance, dict) or is_ignored(instance):
        return None
    text = instance.get('text')
    return text if isinstance(text, str) and text else None
