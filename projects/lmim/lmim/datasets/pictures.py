"""Pictures of words, from wherever they are."""
import contextlib
import functools
import glob
import io
import itertools
import os
import os.path as osp
from bisect import bisect_right
from collections import Counter
from pathlib import Path
from typing import (IO, Any, Callable, Dict, Iterable, Iterator, List,
                    NamedTuple, Optional, Sequence, Tuple, Union)

import cv2
import numpy as np
from PIL import Image, ImageOps

from lmim.rendering import STYLES, RenderedWords, WordRenderer
from lmim.utils.errors import UserError
from lmim.utils.pixels import as_bgr

from .decoding import decode_image
from .records.base import log_message
from .records.folder import left_out
from .records import (IMAGE_SUFFIXES, RecordSource, UnreadableRecordError,
                      open_sources, printable, read_image_file)

One = Union[str, Path, bytes, IO[bytes], np.ndarray, Image.Image,
            RecordSource]
Inputs = Union[One, Iterable[One]]


class Picture(NamedTuple):
    """A picture that is read when it is needed.

    Attributes:
        source (str): What it is called.
        load (Callable): Reads it: (H, W, 3), uint8, BGR.
    """
    source: str
    load: Callable[[], np.ndarray]


class _File(NamedTuple):
    """An image file in memory, and its name if it has one."""
    name: str
    value: bytes


class Pictures:
    """Pictures from anywhere, each read when its turn comes.

    Args:
        inputs (str, Path, bytes, file, np.ndarray, Image or Iterable): A
            path, the bytes of an image file, a file opened in mode 'rb' (or
            BytesIO), an array, a picture of Pillow, a source of records, or
            several of these. A path is an image, or a pattern
            such as ``words/*.png``, or whatever
            :func:`~lmim.datasets.records.open_sources` reads: a folder, an
            LMDB, a list of images. An array is BGR as OpenCV's, grey, or BGR
            with transparency; 16 bits become 8.
        first (int): The number of the first, to name those in memory.
        alpha_color (Sequence[int], optional): What transparent pictures are
            laid on, as in :func:`~lmim.utils.pixels.lay_on_ground`.

    Raises:
        FileNotFoundError: If paths do not exist; all of them are listed.
        TypeError: If an input is of another type.
        UserError, OSError: As ``open_sources`` raises them.
    """

    def __init__(self, inputs: Inputs, first: int = 1,
                 alpha_color: Optional[Sequence[int]] = None) -> None:
        self._first = first
        self._alpha_color = alpha_color
        if is_single(inputs):
            inputs = [inputs]  # type: ignore[list-item]
        elif not isinstance(inputs, Iterable) or isinstance(inputs, dict):
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
        ground = self._alpha_color
        if isinstance(part, RecordSource):
            record = index - self._starts[place]
            return Picture(part.name(record), functools.partial(
                _read, part.read, record, ground))
        if isinstance(part, str):
            return Picture(printable(part), functools.partial(
                _read, read_image_file, part, ground))
        if isinstance(part, _File):
            return Picture(part.name or f'file {number}', functools.partial(
                decode_image, part.value, alpha_color=ground))
        if isinstance(part, Image.Image):
            name = str(getattr(part, 'filename', '') or f'image {number}')
            return Picture(name, functools.partial(from_pillow, part, ground))
        return Picture(f'array {number}',
                       functools.partial(from_array, part, ground))


def is_single(inputs: Any) -> bool:
    """Whether this is one of :data:`Inputs`, and not several of them."""
    # Files and bytes can be iterated over, too.
    return isinstance(inputs, (
        str, os.PathLike, bytes, bytearray, memoryview, np.ndarray,
        Image.Image, RecordSource)) or hasattr(inputs, 'read')


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


def from_array(array: np.ndarray,
               alpha_color: Optional[Sequence[int]] = None) -> np.ndarray:
    """A picture in memory; as :func:`~lmim.utils.pixels.as_bgr`.

    Raises:
        UnreadableRecordError: If it is none, or has no pixels.
    """
    try:
        return as_bgr(array, alpha_color)
    except ValueError as error:
        raise UnreadableRecordError(str(error)) from error


def from_pillow(image: Image.Image,
                alpha_color: Optional[Sequence[int]] = None) -> np.ndarray:
    """A picture of Pillow, turned upright as its EXIF says.

    Args:
        image (Image.Image): Of any mode. Of whole numbers (I) it takes those
            of 8 or 16 bits, of others (F) 0 to 1, or 0 to 255.
        alpha_color (Sequence[int], optional): As in
            :func:`~lmim.utils.pixels.lay_on_ground`.

    Returns:
        np.ndarray: (H, W, 3), uint8, BGR.

    Raises:
        UnreadableRecordError: If it cannot be decoded, has no pixels, or
            numbers that no picture has.
    """
    try:
        upright = ImageOps.exif_transpose(image)
        if upright.mode in ('I', 'F'):
            return from_array(_in_range(np.asarray(upright), upright.mode))
        if upright.mode.startswith('I;16'):
            return from_array(np.asarray(upright, np.uint16))
        if (upright.mode.lower() in ('la', 'pa', 'rgba')
                or 'transparency' in upright.info):
            pixels = np.asarray(upright.convert('RGBA'))[..., [2, 1, 0, 3]]
        else:
            pixels = np.asarray(upright.convert('RGB'))[..., ::-1]
    # Pillow decodes late, and its decoders raise all sorts of errors.
    except (OSError, ValueError, SyntaxError) as error:
        if isinstance(error, UnreadableRecordError):
            raise
        raise UnreadableRecordError(f'Pillow: {error}') from error
    return from_array(pixels, alpha_color)


def _in_range(values: np.ndarray, mode: str) -> np.ndarray:
    """Pixels of 32 bits, (H, W), as those of 8 or 16, by what they span."""
    low, high = (values.min(), values.max()) if values.size else (0, 0)
    if low >= 0:  # not if it is NaN
        if high <= 1 and mode == 'F':
            return (values * 255).round().astype(np.uint8)
        if high <= 255:
            return values.round().astype(np.uint8)
        if high < 2**16 and mode == 'I':
            return values.astype(np.uint16)
    raise UnreadableRecordError(
        f'a picture of Pillow in mode {mode} with values from {low} to '
        f'{high}: it takes 0 to 255, and ' +
        ('0 to 65535 of 16 bits' if mode == 'I' else '0 to 1')
        + '. Scale them')


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
        elif isinstance(one, (bytes, bytearray, memoryview)):
            yield _File('', bytes(one))
        elif hasattr(one, 'read'):
            yield _content(one)
        else:
            raise TypeError(_refusal(one))


def _content(file: Any) -> _File:
    """All of an open file, from its beginning, as Pillow reads it."""
    if isinstance(file, io.TextIOBase):
        raise TypeError(_refusal(file) + ' (open it with mode "rb")')
    name = getattr(file, 'name', '')
    try:
        if hasattr(file, 'seek'):
            with contextlib.suppress(io.UnsupportedOperation):
                file.seek(0)
        value = file.read()
    except (OSError, ValueError) as error:  # it is closed
        raise UserError(f'{name or file}: {error}') from error
    if not isinstance(value, bytes):
        raise TypeError(_refusal(file))
    return _File(printable(name) if isinstance(name, str) else '', value)


def _refusal(one: Any) -> str:
    return ('a picture is given as a path, the bytes of a file, a file '
            'opened in mode "rb", an array of NumPy (BGR) or an image of '
            f'Pillow, not as {type(one).__name__}')


def _matches(path: str) -> List[str]:
    """A path that exists; or the images and folders that match a pattern."""
    path = osp.expanduser(path)
    if osp.exists(path):
        return [path]
    for pattern in (_pattern(path), path.replace('[', '[[]')):
        matches = sorted(glob.glob(pattern, recursive=True))
        found = [match for match in matches
                 if osp.isdir(match) or _is_image(match)]
        if found:
            others = Counter(osp.splitext(match)[1].lower()
                             or 'without suffix'
                             for match in set(matches).difference(found))
            if others:
                log_message(f'{path}: {left_out(others)}')
            return found
    return []


def _pattern(path: str) -> str:
    """A pattern; brackets in the folders before it are part of their names."""
    head, tail = osp.split(path)
    if osp.exists(head or '.'):
        return osp.join(glob.escape(head), tail)
    return osp.join(_pattern(head), tail)


def _is_image(path: str) -> bool:
    """Whether a path is that of an image, by its name or its first bytes."""
    return not osp.isdir(path) and (
        path.lower().endswith(IMAGE_SUFFIXES) or cv2.haveImageReader(path))


def _read(read: Callable[..., bytes], where: Any,
          alpha_color: Optional[Sequence[int]]) -> np.ndarray:
    return decode_image(read(where), alpha_color=alpha_color)
