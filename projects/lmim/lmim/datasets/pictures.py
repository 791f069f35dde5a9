"""Pictures of words, from wherever they are."""
import functools
import glob
import itertools
import os
import os.path as osp
from bisect import bisect_right
from pathlib import Path
from typing import (Any, Callable, Dict, Iterable, Iterator, List, NamedTuple,
                    Tuple, Union)

import cv2
import numpy as np
from PIL import Image, ImageOps

from lmim.rendering import STYLES, RenderedWords, WordRenderer
from lmim.utils.errors import UserError

from .decoding import decode_image
from .records import (IMAGE_SUFFIXES, RecordSource, UnreadableRecordError,
                      open_sources, printable, read_image_file)

One = Union[str, Path, np.ndarray, Image.Image, RecordSource]
Inputs = Union[One, Iterable[One]]


class Picture(NamedTuple):
    """A picture that is read when it is needed.

    Attributes:
        source (str): What it is called.
        load (Callable): Reads it: (H, W, 3), uint8, BGR.
    """
    source: str
    load: Callable[[], np.ndarray]


class Pictures:
    """Pictures from anywhere, each read when its turn comes.

    Args:
        inputs (str, Path, np.ndarray, Image, RecordSource or Iterable): A
            path, an array, a picture of Pillow, a source of records,
            or several of these. A path is an image, or a pattern such as
            ``words/*.png``, or whatever
            :func:`~lmim.datasets.records.open_sources` reads: a folder, an
            LMDB, a list of images. An array is BGR as OpenCV's, grey, or BGR
            with transparency, which is dropped; 16 bits become 8.
        first (int): The number of the first, to name those in memory.

    Raises:
        FileNotFoundError: If paths do not exist; all of them are listed.
        TypeError: If an input is of another type.
        UserError, OSError: As ``open_sources`` raises them.
    """

    def __init__(self, inputs: Inputs, first: int = 1) -> None:
        self._first = first
        single = (str, os.PathLike, np.ndarray, Image.Image, RecordSource)
        if isinstance(inputs, single):
            inputs = [inputs]
        elif not isinstance(inputs, Iterable):
            raise TypeError(_refusal(inputs))
        self._parts = list(_expand(list(inputs)))
        self._starts = list(itertools.accumulate(
            (len(part) if isinstance(part, RecordSource) else 1
             for part in self._parts), initial=0))

    def __len__(self) -> int:
        return self._starts[-1]

    def __iter__(self) -> Iterator[Picture]:
        return (self[index] for index in range(len(self)))

    def __getitem__(self, index: int) -> Picture:
        if not 0 <= index < len(self):
            raise IndexError(f'there are {len(self)} pictures')
        place = bisect_right(self._starts, index) - 1
        part, number = self._parts[place], self._first + place
        if isinstance(part, RecordSource):
            record = index - self._starts[place]
            return Picture(part.name(record),
                           functools.partial(_read, part.read, record))
        if isinstance(part, str):
            return Picture(printable(part),
                           functools.partial(_read, read_image_file, part))
        if isinstance(part, Image.Image):
            name = str(getattr(part, 'filename', '') or f'image {number}')
            return Picture(name, functools.partial(from_pillow, part))
        return Picture(f'array {number}', functools.partial(from_array, part))


def read_some(inputs: Inputs, number: int
              ) -> Tuple[Dict[str, np.ndarray], List[str]]:
    """Read some pictures, evenly spread over all that there are.

    Args:
        inputs (str, Path or Iterable): As :class:`Pictures` takes them.
        number (int): The most pictures.

    Returns:
        Tuple[Dict[str, np.ndarray], List[str]]: Pictures (H, W, 3), uint8,
        BGR, by name; and for each that cannot be read its name and why.

    Raises:
        UserError: If no picture can be read.
        FileNotFoundError, UserError, OSError: As :class:`Pictures`.
    """
    pictures = Pictures(inputs)
    count = min(len(pictures), number)
    found: Dict[str, np.ndarray] = {}
    skipped: List[str] = []
    for index in range(count):
        picture = pictures[index * len(pictures) // count]
        try:
            found[picture.source] = picture.load()
        except UnreadableRecordError as error:
            skipped.append(f'{picture.source}: {error}')
    if not found:
        raise UserError('none of the pictures can be read: '
                        + '; '.join(skipped[:3]))
    return found, skipped


def render_some(number: int) -> Dict[str, np.ndarray]:
    """Words in plain print, which a recognizer of little training reads too.

    Args:
        number (int): How many.

    Returns:
        Dict[str, np.ndarray]: Pictures by name, the same ones each time.
    """
    words = RenderedWords(number, renderer=WordRenderer(**STYLES['print']))
    return {f'rendered {n}, {word.text!r}': word.image
            for n, word in enumerate(words, 1)}


def from_array(array: np.ndarray) -> np.ndarray:
    """A picture in memory as recognizers take it.

    Args:
        array (np.ndarray): (H, W), (H, W, 1), (H, W, 3) BGR or (H, W, 4)
            BGRA; uint8 or uint16.

    Returns:
        np.ndarray: (H, W, 3), uint8, BGR.

    Raises:
        UnreadableRecordError: If it is none of these, or has no pixels.
    """
    channels = array.shape[2] if array.ndim == 3 else 1
    if (array.dtype not in (np.uint8, np.uint16) or array.ndim not in (2, 3)
            or channels not in (1, 3, 4) or array.size == 0):
        raise UnreadableRecordError(
            f'an array of {array.dtype}, {array.shape}, is no picture: it '
            'takes uint8 or uint16 of shape (H, W), (H, W, 3) in BGR or '
            '(H, W, 4) in BGRA')
    if array.dtype == np.uint16:
        array = (array >> 8).astype(np.uint8)
    if channels == 1:
        return cv2.cvtColor(array, cv2.COLOR_GRAY2BGR)
    return np.ascontiguousarray(array[..., :3])


def from_pillow(image: Image.Image) -> np.ndarray:
    """A picture of Pillow, turned upright as its EXIF says.

    Args:
        image (Image.Image): Of any mode; transparency is dropped.

    Returns:
        np.ndarray: (H, W, 3), uint8, BGR.

    Raises:
        UnreadableRecordError: If it cannot be decoded or has no pixels.
    """
    try:
        upright = ImageOps.exif_transpose(image)
        if upright.mode.startswith('I;16'):
            return from_array(np.asarray(upright, np.uint16))
        rgb = np.asarray(upright.convert('RGB'))
    # Pillow decodes late, and its decoders raise all sorts of errors.
    except (OSError, ValueError, SyntaxError) as error:
        raise UnreadableRecordError(f'Pillow: {error}') from error
    return from_array(rgb[..., ::-1])


def _expand(inputs: List[Any]) -> Iterator[Any]:
    """Arrays and sources as they are; paths as what lies there."""
    found = [_matches(os.fspath(one)) if isinstance(one, (str, os.PathLike))
             else [one] for one in inputs]
    missing = [one for one, matches in zip(inputs, found) if not matches]
    if missing:
        listing = ''.join(f'\n  {path}' for path in missing)
        raise FileNotFoundError(
            f'{len(missing)} of {len(inputs)} inputs do not exist, or no '
            f'image matches them:{listing}\nGive images, folders, patterns '
            'such as "words/*.png", LMDBs or lists of images.')
    for one in itertools.chain.from_iterable(found):
        if isinstance(one, (np.ndarray, Image.Image, RecordSource)):
            yield one
        elif isinstance(one, str):
            yield one if _is_image(one) else open_sources(one)
        else:
            raise TypeError(_refusal(one))


def _refusal(one: Any) -> str:
    return (f'a picture is given as a path, an array of NumPy (BGR) or an '
            f'image of Pillow, not as {type(one).__name__}')


def _matches(path: str) -> List[str]:
    """A path that exists; or the images and folders that match a pattern."""
    if osp.exists(path):
        return [path]
    if not glob.has_magic(path):
        return []
    return [found for found in sorted(glob.glob(path, recursive=True))
            if osp.isdir(found) or found.lower().endswith(IMAGE_SUFFIXES)]


def _is_image(path: str) -> bool:
    """Whether a path is that of an image, by its name or its first bytes."""
    return not osp.isdir(path) and (
        path.lower().endswith(IMAGE_SUFFIXES) or cv2.haveImageReader(path))


def _read(read: Callable[..., bytes], where: Any) -> np.ndarray:
    return decode_image(read(where))
