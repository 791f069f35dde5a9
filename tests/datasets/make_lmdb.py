"""Small LMDBs for the tests of datasets."""
from pathlib import Path
from typing import Dict, List, Optional, Sequence

import cv2
import lmdb
import numpy as np


def picture(value: int, height: int = 12, width: int = 30) -> bytes:
    """A PNG file of one colour, which tells the record after decoding."""
    img = np.full((height, width, 3), value, np.uint8)
    return cv2.imencode('.png', img)[1].tobytes()


def noise(number: int, height: int = 24, width: int = 60) -> List[bytes]:
    """PNG files of noise, the same each time."""
    images = np.random.default_rng(0).integers(
        0, 255, (number, height, width, 3), 'uint8')
    return [cv2.imencode('.png', image)[1].tobytes() for image in images]


def make_lmdb(path: Path,
              images: Sequence[Optional[bytes]],
              labels: Sequence[bytes] = (),
              num_samples: Optional[bytes] = None) -> str:
    """Write an LMDB; an image of None is left out."""
    entries: Dict[bytes, bytes] = {
        b'num-samples': num_samples or str(len(images)).encode()
    }
    for i, image in enumerate(images, 1):
        if image is not None:
            entries[b'image-%09d' % i] = image
    for i, label in enumerate(labels, 1):
        entries[b'label-%09d' % i] = label
    return write_entries(path, entries)


def write_entries(path: Path, entries: Dict[bytes, bytes]) -> str:
    """Write these keys and values as an LMDB."""
    env = lmdb.open(str(path), map_size=1 << 26)
    with env.begin(write=True) as transaction:
        for key, value in entries.items():
            transaction.put(key, value)
    env.close()
    return str(path)


def read_entries(path: Path) -> Dict[bytes, bytes]:
    """All keys and values of an LMDB."""
    with lmdb.open(str(path), readonly=True, lock=False) as env:
        with env.begin() as transaction:
            return {bytes(k): bytes(v) for k, v in transaction.cursor()}
