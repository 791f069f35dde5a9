"""Finds pictures of a set that also are in another, or twice in it.

Three kinds of copies are distinguished: the same file, the same pixels in
another file, and pictures that look the same. The latter are found by a hash
of 240 bits, which JPEG and a change of size alter little: the signs of 240
random projections of a small, blurred, grey copy (Charikar, "Similarity
estimation techniques from rounding algorithms", STOC 2002).

The hashes of the library imagehash suit words less. Of 607 words and patches
one of ten bands of 24 bits survives JPEG of quality 75 in 91 % (phash), 85 %
(dhash) and 99.8 % (average_hash), in 100 % here; and its average_hash, whose
neighbouring bits are alike, shares a band with 4 to 60 times as many pictures
of other words, each of which would have to be looked at.
"""
import hashlib
from dataclasses import dataclass
from functools import lru_cache
from typing import Callable, Dict, Iterator, List, Optional, Tuple

import cv2
import numpy as np

from lmim.utils.progress import track

from .decoding import decode_image
from .records import RecordSource, UnreadableRecordError

#: Kinds of copies, each number with its name.
KINDS = ('', 'bytes', 'pixels', 'near')
BYTES, PIXELS, NEAR = 1, 2, 3

#: Width and height of the grey copy that is hashed (words are wide), and the
#: standard deviation of its blur in its pixels: what halving the size of a
#: small picture takes away.
HASHED, BLUR = (64, 16), 1.5
#: A hash is so many bands of three bytes.
BANDS = 10
#: Grey pictures of a smaller standard deviation have no hash: in them JPEG
#: leaves more traces than there is to be seen.
PLAIN = 4.0
#: Two pictures look the same if their hashes differ in at most so many bits,
MOST_BITS = 22
#: one is at most so many times wider than the other for its height,
MOST_STRETCH = 1.12
#: and, in the smaller one's size, the grey values correlate so much and
#: differ by so little (of 255) on average.
LEAST_CORRELATION, MOST_DIFFERENCE = 0.95, 8.0
#: Width and height beyond which pictures are not compared, and a blur before
#: that: programs that change sizes differ by up to half a pixel.
COMPARED, COMPARED_BLUR = (128, 32), 1.0
#: So many pairs of hashes are looked at together: some 300 MB.
AT_ONCE = 2**21

#: Of each picture: digests of the file's bytes and of the pixels; the hash,
#: all zeros where there is none; width by height, 0 of a picture that cannot
#: be read. Two different pictures share a digest of 64 bits by chance once in
#: some ten million sets of three million pictures and 400,000 others.
FINGERPRINT = np.dtype([('bytes', np.uint64), ('pixels', np.uint64),
                        ('hash', np.uint8, 3 * BANDS),
                        ('aspect', np.float32)])
_BITS = np.unpackbits(np.arange(256, dtype=np.uint8)[:, None],
                      axis=1).sum(axis=1, dtype=np.uint8)

#: Given numbers of records on the left and on the right, both of shape (P, )
#: and sorted by the left, gives their correlations, shape (P, ), NaN where
#: two do not look the same.
Verify = Callable[[np.ndarray, np.ndarray], np.ndarray]


def fingerprint(source: RecordSource,
                index: int) -> Tuple[bytes, Optional[str]]:
    """Take the fingerprint of a picture.

    Args:
        source (RecordSource): Where it lies.
        index (int): Its number there.

    Returns:
        tuple[bytes, str or None]: One :data:`FINGERPRINT`, and why the
        picture cannot be read if it cannot.
    """
    row: np.ndarray = np.zeros((), FINGERPRINT)
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


def grey(image: np.ndarray) -> np.ndarray:
    """BGR uint8 of shape (H, W, 3) to grey uint8 of shape (H, W)."""
    return cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)


def perceptual_hash(image: np.ndarray) -> np.ndarray:
    """The hash of a grey picture.

    Args:
        image (np.ndarray): uint8 of shape (H, W).

    Returns:
        np.ndarray: uint8 of shape (30, ).
    """
    copy = cv2.resize(_shrink(image, *HASHED), HASHED).astype(np.float32)
    blurred = cv2.GaussianBlur(copy, (0, 0), BLUR)
    return np.packbits(_projections() @ (blurred - blurred.mean()).ravel() > 0)


@lru_cache(maxsize=None)
def _projections() -> np.ndarray:
    """float32 of shape (240, 64 * 16), always the same."""
    return np.random.RandomState(0).standard_normal(
        (24 * BANDS, HASHED[0] * HASHED[1])).astype(np.float32)


def _shrink(image: np.ndarray, width: int, height: int) -> np.ndarray:
    """A picture of at most this size, each pixel the mean of its area."""
    size = (min(image.shape[1], width), min(image.shape[0], height))
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA)


def band(hashes: np.ndarray, number: int) -> np.ndarray:
    """One of the bands of each hash.

    Two hashes that differ in up to nine bits share one of ten bands by the
    pigeonhole principle, and most likely beyond.

    Args:
        hashes (np.ndarray): uint8 of shape (N, 30).
        number (int): Which, of :data:`BANDS`.

    Returns:
        np.ndarray: uint32 of shape (N, ).
    """
    high, middle, low = hashes[:, 3 * number:3 * number + 3].T.astype(
        np.uint32)
    return high << 16 | middle << 8 | low


def distance(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """In how many bits hashes, uint8 of shape (N, 30), differ: (N, )."""
    return _BITS[left ^ right].sum(axis=1, dtype=np.uint8)


def compare(left: np.ndarray, right: np.ndarray) -> Tuple[float, float]:
    """Hold two grey pictures against each other, pixel by pixel.

    Args:
        left (np.ndarray): uint8 of shape (H, W).
        right (np.ndarray): The same, of any size.

    Returns:
        tuple[float, float]: Their correlation, from -1 to 1, and the mean
        absolute difference, from 0 to 255, both in the size of the smaller.
    """
    height = min(left.shape[0], right.shape[0], COMPARED[1])
    width = min(left.shape[1], right.shape[1], COMPARED[0])
    one, other = (
        cv2.GaussianBlur(_shrink(image, width, height).astype(np.float32),
                         (0, 0), COMPARED_BLUR) for image in (left, right))
    difference = float(np.abs(one - other).mean())
    one -= one.mean()
    other -= other.mean()
    norm = float(np.sqrt((one**2).sum() * (other**2).sum()))
    return (float((one * other).sum()) / norm if norm else 0.0), difference


def similar_pairs(left: np.ndarray, right: np.ndarray,
                  same: bool) -> Iterator[np.ndarray]:
    """Pairs of similar hashes, found without comparing all of millions.

    Args:
        left (np.ndarray): FINGERPRINT of shape (N, ), with hashes.
        right (np.ndarray): The same of shape (M, ).
        same (bool): Whether they are one and the same: then each pair is
            found once, the lower number left.

    Yields:
        np.ndarray: For each band numbers on the left and on the right, of
        shape (P, 2). A pair may come with several bands.
    """
    for number in range(BANDS):
        ours, theirs = (band(side['hash'], number) for side in (left, right))
        # Sorted, the look-ups of neighbours are near each other in memory.
        rows, order = np.argsort(ours), np.argsort(theirs)
        ours, theirs = ours[rows], theirs[order]
        begin, after = (np.asarray(np.searchsorted(theirs, ours, side))
                        for side in ('left', 'right'))
        count: np.ndarray = after - begin
        ends: np.ndarray = np.cumsum(count)
        total = int(ends[-1]) if len(ends) else 0
        found: List[np.ndarray] = [np.zeros((0, 2), np.int64)]
        for part in np.split(np.arange(len(ours)), np.searchsorted(
                ends, np.arange(AT_ONCE, total, AT_ONCE), 'right')):
            # begin, begin + 1, ..., begin + count - 1 of each.
            which: np.ndarray = np.repeat(part, count[part])
            before: np.ndarray = ends - count
            step = np.arange(len(which)) - before[which]
            step += before[part[0]] if len(part) else 0
            one, other = rows[which], order[begin[which] + step]
            keep = np.abs(np.log(left['aspect'][one]) - np.log(
                right['aspect'][other])) <= np.log(MOST_STRETCH)
            if same:
                keep &= one < other
            pairs = np.stack([one[keep], other[keep]], axis=1)
            bits = distance(left['hash'][pairs[:, 0]],
                            right['hash'][pairs[:, 1]])
            found.append(pairs[bits <= MOST_BITS])
        yield np.concatenate(found)


@dataclass
class Copies:
    """Which of N records are copies of one of M others.

    Attributes:
        kind (np.ndarray): Of each record, shape (N, ); see :data:`KINDS`.
        of (np.ndarray): Number of the other one, shape (N, ), or -1.
        correlation (np.ndarray): Of the grey values, shape (N, ).
        found (np.ndarray): Which of the others, where they are another set,
            have a copy: bool of shape (M, ).
    """
    kind: np.ndarray
    of: np.ndarray
    correlation: np.ndarray
    found: np.ndarray


def find_copies(left: np.ndarray,
                right: Optional[np.ndarray],
                verify: Verify) -> Copies:
    """Find all copies.

    Args:
        left (np.ndarray): FINGERPRINT of shape (N, ).
        right (np.ndarray, optional): The same of the other set, shape (M, ).
            With None, copies are found inside the left set: all records of a
            picture but the first are copies of it.
        verify (Callable): Looks at pairs that may be near.

    Returns:
        Copies: All of them.
    """
    size, same = len(left), right is None
    right = left if right is None else right
    copies = Copies(
        np.zeros(size, np.uint8), np.full(size, -1),
        np.full(size, np.nan, np.float32), np.zeros(len(right), bool))
    _add_near(copies, left, right, same, verify)
    # Copies of a file are ones of its pixels too: what comes last stays.
    for digest, kind in (('pixels', PIXELS), ('bytes', BYTES)):
        first = _first_of(right, digest, left)
        exact = np.flatnonzero(first >= 0)
        if same:
            exact = exact[first[exact] != exact]
        copies.kind[exact] = kind
        copies.of[exact] = first[exact]
        copies.correlation[exact] = 1
    copies.found |= _first_of(left, 'pixels', right) >= 0
    return copies


def _first_of(prints: np.ndarray, digest: str,
              wanted: np.ndarray) -> np.ndarray:
    """The first record with the digest of each wanted one, or -1."""
    readable = np.flatnonzero(prints['aspect'] > 0)
    digests, first = np.unique(prints[digest][readable], return_index=True)
    if not len(digests):
        return np.full(len(wanted), -1)
    place = np.searchsorted(digests, wanted[digest]).clip(
        max=len(digests) - 1)
    found = (digests[place] == wanted[digest]) & (wanted['aspect'] > 0)
    return np.where(found, readable[first[place]], -1)


def _add_near(copies: Copies, left: np.ndarray, right: np.ndarray,
              same: bool, verify: Verify) -> None:
    """Note near copies, of all records of a picture."""
    picture = _first_of(left, 'pixels', left)
    others = picture if same else _first_of(right, 'pixels', right)
    ours, theirs = (
        np.flatnonzero((first == np.arange(len(prints)))
                       & prints['hash'].any(axis=1))
        for first, prints in ((picture, left), (others, right)))
    pairs = np.unique(np.concatenate([*track(
        similar_pairs(left[ours], right[theirs], same), BANDS, 'searching')]),
        axis=0)
    one, other = ours[pairs[:, 0]], theirs[pairs[:, 1]]
    new = left['pixels'][one] != right['pixels'][other]
    one, other = one[new], other[new]
    correlation = verify(one, other)
    # The most alike first; and pictures in order, for what is decided.
    order = np.lexsort((-correlation, other if same else one))
    order = order[~np.isnan(correlation[order])]
    nearest: Dict[int, int] = {}
    for pair in order.tolist():
        # Inside a set, the later one of two is a copy, unless the earlier
        # one is no longer there itself.
        mine, of = ((other[pair], one[pair]) if same else
                    (one[pair], other[pair]))
        if mine not in nearest and not (same and of in nearest):
            nearest[mine] = pair
    best = np.full(len(left) + 1, -1)  # the last is for picture == -1
    best[np.array([*nearest], np.int64)] = [*nearest.values()]
    best = best[picture]
    near = np.flatnonzero(best >= 0)
    copies.kind[near] = NEAR
    copies.of[near] = (one if same else other)[best[near]]
    copies.correlation[near] = correlation[best[near]]
    copies.found |= np.isin(others, other[order])
