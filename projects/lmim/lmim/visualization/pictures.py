"""Pictures of words, from wherever they lie, to be looked at."""
from pathlib import Path
from typing import List, NamedTuple, Sequence, Tuple

import cv2
import numpy as np

from lmim.datasets.decoding import decode_image
from lmim.datasets.records import (IMAGE_SUFFIXES, UnreadableRecordError,
                                   open_sources)
from lmim.utils.errors import UserError


class Picture(NamedTuple):
    """A picture.

    Attributes:
        name (str): By which a person finds it.
        image (np.ndarray): (H, W, 3) uint8, BGR.
    """
    name: str
    image: np.ndarray

    def resized(self, size: Tuple[int, int]) -> np.ndarray:
        """The picture as pre-training resizes it, to (height, width)."""
        return cv2.resize(self.image, size[::-1])


def read_pictures(paths: Sequence[str],
                  number: int) -> Tuple[List[Picture], List[str]]:
    """Read some pictures, spread evenly over all that there are.

    Args:
        paths (Sequence[str]): Image files, and all that
            :func:`~lmim.datasets.records.open_sources` reads: LMDBs, folders,
            lists.
        number (int): The most pictures.

    Returns:
        Tuple[List[Picture], List[str]]: The pictures, and for each that could
        not be read its name and why.

    Raises:
        FileNotFoundError: If paths do not exist.
        UserError: If no picture can be read; and as ``open_sources``.
        OSError: As ``open_sources``.
    """
    files = [path for path in paths if _is_image(path)]
    others = [path for path in paths if not _is_image(path)]
    source = open_sources(others) if others else None
    total = len(files) + (len(source) if source is not None else 0)
    pictures: List[Picture] = []
    skipped: List[str] = []
    for index in _spread(total, number):
        name = ''
        try:
            if index < len(files):
                name = files[index]
                value = Path(name).read_bytes()
            else:
                assert source is not None
                name = source.name(index - len(files))
                value = source.read(index - len(files))
            pictures.append(Picture(name, decode_image(value)))
        except (UnreadableRecordError, OSError) as error:
            skipped.append(f'{name}: {error}')
    if not pictures:
        raise UserError('none of the pictures can be read: '
                        + '; '.join(skipped[:3]))
    return pictures, skipped


def _is_image(path: str) -> bool:
    return path.lower().endswith(IMAGE_SUFFIXES) and not Path(path).is_dir()


def _spread(total: int, number: int) -> List[int]:
    """Up to ``number`` of ``total``, evenly spread."""
    count = min(total, number)
    return [index * total // count for index in range(count)]
