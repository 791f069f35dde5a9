"""What is kept of each picture while copies of it are looked for."""
import hashlib
from typing import Iterable, List, NamedTuple, Optional, Tuple

import numpy as np

from ..decoding import decode_image
from .perceptual_hash import PLAIN, WORDS, grey, perceptual_hash
from ..records import RecordSource, UnreadableRecordError

#: 60 bytes a picture: digests of the file's bytes and of the pixels; of
#: pictures that are not plain, the perceptual hash; width by height, 0 of a
#: picture that cannot be read.
FINGERPRINT = np.dtype([('bytes', np.uint64), ('pixels', np.uint64),
                        ('hash', np.uint64, WORDS), ('aspect', np.float32)])
#: What plain pictures, and those that cannot be read, have for a hash.
NO_HASH = np.uint64(2**63)


class Unreadable(NamedTuple):
    """A record that has no fingerprint.

    Attributes:
        number (int): Of the record.
        reason (str): Why.
    """
    number: int
    reason: str


def fingerprint(source: RecordSource,
                index: int) -> Tuple[bytes, Optional[str]]:
    """Look at a picture.

    Two different ones share a digest of 64 bits by chance once in some ten
    million sets of three million pictures and 400,000 others.

    Args:
        source (RecordSource): Where it lies.
        index (int): Its number there.

    Returns:
        tuple[bytes, str or None]: One :data:`FINGERPRINT`, and why the
        picture cannot be read if it cannot.
    """
    row = np.zeros((), FINGERPRINT)
    row['hash'] = NO_HASH
    try:
        value = source.read(index)
        image = decode_image(value)
    except UnreadableRecordError as error:
        return row.tobytes(), str(error)
    height, width = image.shape[:2]
    row['bytes'] = _digest(value)
    row['pixels'] = _digest(b'%d %d ' % (height, width), image.tobytes())
    row['aspect'] = width / height
    picture = grey(image)
    if picture.std() >= PLAIN:
        row['hash'] = perceptual_hash(picture)
    return row.tobytes(), None


def _digest(*parts: bytes) -> np.uint64:
    state = hashlib.blake2b(digest_size=8)
    for part in parts:
        state.update(part)
    return np.frombuffer(state.digest(), np.uint64)[0]


def gather(found: Iterable[Tuple[bytes, Optional[str]]],
           total: int) -> Tuple[np.ndarray, List[Unreadable]]:
    """Put fingerprints into one array.

    Args:
        found (Iterable): What :func:`fingerprint` gives, in order.
        total (int): How many they are, N.

    Returns:
        tuple[np.ndarray, list[Unreadable]]: :data:`FINGERPRINT` of shape
        (N, ), and the records that cannot be read.
    """
    prints = np.zeros(total, FINGERPRINT)
    unreadable = []
    for number, (row, reason) in enumerate(found):
        prints[number] = np.frombuffer(row, FINGERPRINT)[0]
        if reason is not None:
            unreadable.append(Unreadable(number, reason))
    return prints, unreadable
