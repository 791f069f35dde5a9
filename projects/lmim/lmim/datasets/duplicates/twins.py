"""Finds pictures of a set that also are in another, or twice in it."""
from dataclasses import dataclass
from typing import Callable, Iterable, Iterator, Optional

import numpy as np

from .fingerprints import NO_HASH
from .near_search import NearSearch, Pairs, unique_pairs

#: Kinds of twins: the same file; the same pixels in another file; a picture
#: that looks the same.
KINDS = ('', 'bytes', 'pixels', 'near')
BYTES, PIXELS, NEAR = 1, 2, 3

#: Tells of pairs (numbers of records on the left and on the right, each of
#: shape (P, )) how much they correlate: shape (P, ), NaN where two do not
#: look the same.
Verify = Callable[[np.ndarray, np.ndarray], np.ndarray]
#: Is given steps and their number, and passes the steps on.
Watch = Callable[[Iterable[Pairs], int], Iterator[Pairs]]


@dataclass
class Twins:
    """Which of N records have a twin among M others.

    Attributes:
        kind (np.ndarray): Of each record, shape (N, ); see :data:`KINDS`.
        twin (np.ndarray): Number of the other one, shape (N, ), or -1.
        bits (np.ndarray): In how many bits the hashes differ, shape (N, ).
        correlation (np.ndarray): Of the grey values, shape (N, ).
        found (np.ndarray): Which of the others are twins of any, bool of
            shape (M, ).
    """
    kind: np.ndarray
    twin: np.ndarray
    bits: np.ndarray
    correlation: np.ndarray
    found: np.ndarray

    def mark(self, records: np.ndarray, kind: int, twin: np.ndarray) -> None:
        """Note exact twins.

        Args:
            records (np.ndarray): Their numbers, shape (P, ).
            kind (int): Of all of them.
            twin (np.ndarray): Numbers of the others, shape (P, ).
        """
        self.kind[records] = kind
        self.twin[records] = twin
        self.bits[records] = 0
        self.correlation[records] = 1


class _Pictures:
    """Different pictures of a set, in the order of their first records.

    Attributes:
        first (np.ndarray): Number of the first record, shape (C, ).
        digests (np.ndarray): Of the pixels, shape (C, ).
        of (np.ndarray): Which picture each record is, shape (N, ); -1 where
            it cannot be read.
    """

    def __init__(self, prints: np.ndarray) -> None:
        readable = np.flatnonzero(prints['aspect'] > 0)
        digests, first, of = np.unique(
            prints['pixels'][readable], return_index=True,
            return_inverse=True)
        order = np.argsort(first)
        place = np.argsort(order)
        self.first = readable[first[order]]
        self.digests = digests[order]
        self.of = np.full(len(prints), -1)
        self.of[readable] = place[of.ravel()]
        self._rows = prints[self.first]

    @property
    def hashed(self) -> np.ndarray:
        """np.ndarray: Those that have a hash."""
        return np.flatnonzero(self._rows['hash'][:, 0] != NO_HASH)

    def hashes(self) -> 'tuple[np.ndarray, np.ndarray]':
        """Hash and aspect of those that have a hash."""
        rows = self._rows[self.hashed]
        return rows['hash'], rows['aspect']


def find_twins(left: np.ndarray,
               right: Optional[np.ndarray] = None,
               verify: Optional[Verify] = None,
               watch: Watch = lambda steps, total: iter(steps)) -> Twins:
    """Find all twins.

    Args:
        left (np.ndarray): FINGERPRINT of shape (N, ).
        right (np.ndarray, optional): The same of the other set, shape (M, ).
            Left out, twins are found inside the left set: all records of a
            picture but the first have one, and it comes before them.
        verify (Callable, optional): Looks at pairs that may be near. Left
            out, only exact twins are found.
        watch (Callable): Follows the steps of the search.

    Returns:
        Twins: All of them.
    """
    ours = _Pictures(left)
    theirs = ours if right is None else _Pictures(right)
    size = len(left)
    twins = Twins(
        np.zeros(size, np.uint8), np.full(size, -1), np.zeros(size, np.uint8),
        np.full(size, np.nan, np.float32),
        np.zeros(size if right is None else len(right), bool))
    if verify is not None:
        _add_near(twins, ours, theirs, verify, watch)
    if right is None:
        _add_exact_inside(twins, left['bytes'], ours)
    else:
        _add_exact_across(twins, left['bytes'], right['bytes'], ours, theirs)
    return twins


def _add_near(twins: Twins, ours: _Pictures, theirs: _Pictures,
              verify: Verify, watch: Watch) -> None:
    """Note near twins, of all records of a picture."""
    same = ours is theirs
    search = NearSearch(*ours.hashes(), *theirs.hashes(), same=same)
    left, right, bits = unique_pairs(
        [*watch(search.steps(), len(search))])
    left, right = ours.hashed[left], theirs.hashed[right]
    keep = ours.digests[left] != theirs.digests[right]
    left, right, bits = left[keep], right[keep], bits[keep]
    correlation = verify(ours.first[left], theirs.first[right])
    # The most alike first; and pictures in order, for what is decided.
    order = np.lexsort((-correlation, right if same else left))
    order = order[~np.isnan(correlation[order])]
    nearest = np.full(len(ours.first), -1)
    for pair in order.tolist():
        # Inside a set, the later one of two has a twin, unless the earlier
        # one is no longer there itself.
        mine, other = ((right[pair], left[pair]) if same else
                       (left[pair], right[pair]))
        if nearest[mine] < 0 and not (same and nearest[other] >= 0):
            nearest[mine] = pair
    records = np.flatnonzero(np.append(nearest, -1)[ours.of] >= 0)
    pairs = nearest[ours.of[records]]
    twins.kind[records] = NEAR
    twins.twin[records] = theirs.first[(left if same else right)[pairs]]
    twins.bits[records] = bits[pairs]
    twins.correlation[records] = correlation[pairs]
    if same:
        twins.found[twins.twin[records]] = True
    else:
        twins.found |= np.isin(theirs.of, right[order])


def _add_exact_inside(twins: Twins, files: np.ndarray,
                      ours: _Pictures) -> None:
    """Note records whose picture came before in the same set."""
    readable = np.flatnonzero(ours.of >= 0)
    first = ours.first[ours.of[readable]]
    again = first != readable
    twins.mark(readable[again], PIXELS, first[again])
    _, place, of = np.unique(files[readable], return_index=True,
                             return_inverse=True)
    first = readable[place[of.ravel()]]
    again = first != readable
    twins.mark(readable[again], BYTES, first[again])
    twins.found[twins.twin[twins.kind > 0]] = True


def _add_exact_across(twins: Twins, left: np.ndarray, right: np.ndarray,
                      ours: _Pictures, theirs: _Pictures) -> None:
    """Note records whose picture is in the other set."""
    _, mine, others = np.intersect1d(
        ours.digests, theirs.digests, assume_unique=True, return_indices=True)
    twin = np.full(len(ours.digests) + 1, -1)  # the last is for of == -1
    twin[mine] = theirs.first[others]
    records = np.flatnonzero(twin[ours.of] >= 0)
    twins.mark(records, PIXELS, twin[ours.of[records]])
    twins.found |= np.isin(theirs.of, others)
    readable = np.flatnonzero(theirs.of >= 0)
    files, first = np.unique(right[readable], return_index=True)
    place = np.searchsorted(files, left[records]).clip(max=len(files) - 1)
    equal = files[place] == left[records]
    twins.mark(records[equal], BYTES, readable[first[place[equal]]])
