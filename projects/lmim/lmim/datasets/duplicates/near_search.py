"""Finds pairs of similar hashes among millions, without comparing all.

Two hashes that differ in few bits share at least one of ten bands of bits
(the pigeonhole principle makes it certain up to nine bits, chance makes it
likely beyond). Only such pairs are looked at.
"""
from typing import Iterator, List, Tuple

import numpy as np

from .perceptual_hash import BANDS, MOST_BITS, MOST_STRETCH, band, distance

#: So many pairs are looked at together: some 300 MB.
AT_ONCE = 2**21

Pairs = Tuple[np.ndarray, np.ndarray, np.ndarray]


class NearSearch:
    """Pairs of pictures that may look the same.

    Args:
        left (np.ndarray): Hashes, uint64 of shape (N, 5).
        left_aspects (np.ndarray): Width by height of each, shape (N, ).
        right (np.ndarray): Hashes of shape (M, 5).
        right_aspects (np.ndarray): Shape (M, ).
        same (bool): Whether left and right are one and the same: then each
            pair is found once, the lower number left.
    """

    def __init__(self, left: np.ndarray, left_aspects: np.ndarray,
                 right: np.ndarray, right_aspects: np.ndarray,
                 same: bool = False) -> None:
        self.hashes = (left, right)
        self.aspects = (np.log(left_aspects), np.log(right_aspects))
        self.same = same

    def __len__(self) -> int:
        """Steps that :meth:`steps` takes."""
        return BANDS

    def steps(self) -> Iterator[Pairs]:
        """Look at one band after another.

        Yields:
            tuple[np.ndarray, np.ndarray, np.ndarray]: Number on the left,
            on the right, and bits in which they differ, each of shape
            (P, ). A pair may come in several steps.
        """
        for number in range(BANDS):
            yield _join([self._filter(left, right)
                         for left, right in self._sharing(number)])

    def _sharing(self, number: int) -> Iterator[Tuple[np.ndarray, np.ndarray]]:
        """Pairs that have a band in common, some at a time."""
        ours, theirs = (band(hashes, number) for hashes in self.hashes)
        # Sorted, the look-ups of neighbours are near each other in memory.
        left, right = np.argsort(ours), np.argsort(theirs)
        ours, theirs = ours[left], theirs[right]
        begin = np.searchsorted(theirs, ours, 'left')
        count = np.searchsorted(theirs, ours, 'right') - begin
        left, begin, count = (part[count > 0]
                              for part in (left, begin, count))
        ends = np.cumsum(count)
        first = 0
        while first < len(left):
            done = ends[first - 1] if first else 0
            last = max(first + 1,
                       int(np.searchsorted(ends, done + AT_ONCE, 'right')))
            part = slice(first, last)
            # begin, begin + 1, ..., begin + count - 1 of each.
            where = np.arange(ends[last - 1] - done) + np.repeat(
                begin[part] - (ends[part] - count[part] - done), count[part])
            yield np.repeat(left[part], count[part]), right[where]
            first = last

    def _filter(self, left: np.ndarray, right: np.ndarray) -> Pairs:
        """Those of the pairs, shape (P, ), that are similar."""
        keep = np.abs(self.aspects[0][left] - self.aspects[1][right]) <= (
            np.log(MOST_STRETCH))
        if self.same:
            keep &= left < right
        left, right = left[keep], right[keep]
        bits = distance(self.hashes[0][left], self.hashes[1][right])
        keep = bits <= MOST_BITS
        return left[keep], right[keep], bits[keep]


def _join(parts: List[Pairs]) -> Pairs:
    empty = np.zeros(0, np.int64)
    lefts, rights, bits = zip(*parts, (empty, empty, np.zeros(0, np.uint8)))
    return np.concatenate(lefts), np.concatenate(rights), np.concatenate(bits)


def unique_pairs(parts: List[Pairs]) -> Pairs:
    """Each pair once, in order.

    Args:
        parts (List[Pairs]): What :meth:`NearSearch.steps` gave.
    """
    left, right, bits = _join(parts)
    keys = left * (right.max(initial=0) + 1) + right
    _, first = np.unique(keys, return_index=True)
    return left[first], right[first], bits[first]
