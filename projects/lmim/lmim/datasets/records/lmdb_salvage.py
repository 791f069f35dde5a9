"""Finds what is left of an LMDB that has lost its index.

Each commit writes the root of the tree anew, mostly at the end of the file.
So a file that is cut short has mostly lost it, be the loss ever so small. The
records themselves are on the pages that are left.
"""
import re
from array import array
from typing import Dict, Iterator, Optional, Tuple

import numpy as np
from torch import Tensor

from .base import UnreadableRecordError
from .files import ReadOnlyFile
from .lmdb_format import KINDS, LEAF, Head, Page
from .lmdb_pages import LMDBPages
from .log import Progress
from .shared import share

#: Pages read at once.
_AT_ONCE = 1024
_COUNT = b'num-samples'
_NUMBER = re.compile(rb'\d{1,12}')
_KEY = re.compile(rb'(image|label)-(\d{9})')
#: In the tables: no such record is left; or several that differ.
_LOST, _UNCLEAR = 0, -1


class LMDBSalvage(LMDBPages):
    """Looks up records without the tree, in a table of their pages.

    All pages are gone through once. Pages that are no longer part of the tree
    are found, too. A record of which they have different versions counts as
    unreadable; but one that was deleted or written anew at the lost end may
    come back as it was. Sets are mostly written once, from begin to end.

    Args:
        file (ReadOnlyFile): The file with the data.
        head (Head): What its head says.
    """

    def __init__(self, file: ReadOnlyFile, head: Head) -> None:
        super().__init__(file, head)
        #: What `num-samples` was, if that is left.
        self.said = 0
        #: A larger number than this is of a damaged key.
        self._limit = 2 * head.entries + 1000
        pages: Dict[bytes, Tuple[array, array]] = {
            kind: (array('q'), array('q')) for kind in (b'image', b'label')}
        for page, key in self._keys():
            match = _KEY.fullmatch(key)
            if match is not None and 0 < int(match.group(2)) < self._limit:
                numbers, places = pages[match.group(1)]
                numbers.append(int(match.group(2)))
                places.append(page.number)
            elif key == _COUNT:
                entry = page.entry(key)
                if entry is not None and _NUMBER.fullmatch(entry.stored):
                    self.said = max(self.said, int(entry.stored))
        self._tables = {kind: self._table(kind, *map(np.array, found))
                        for kind, found in pages.items()}
        #: How many images are left.
        self.found = int((self._tables[b'image'] != _LOST).sum())

    def get(self, key: bytes) -> Optional[bytes]:
        """The value of a key, None if there are none of its kind.

        Raises:
            UnreadableRecordError: If it is lost.
        """
        if key == _COUNT:
            if not self.found:
                raise UnreadableRecordError(
                    'no image is on the pages that are left')
            return b'%d' % max(self.said, len(self._tables[b'image']) - 1)
        kind, _, number = key.partition(b'-')
        table = self._tables[kind]
        if len(table) == 1:
            return None
        place = int(table[int(number)]) if int(number) < len(table) else _LOST
        if place == _LOST:
            raise UnreadableRecordError(
                'it is not on the pages that are left of a truncated LMDB')
        if place == _UNCLEAR:
            raise UnreadableRecordError(
                'a truncated LMDB has several versions of it')
        return self.value(self.page(place, LEAF), key)

    def _table(self, kind: bytes, numbers: np.ndarray,
               places: np.ndarray) -> Tensor:
        """The page of each record, int64 of shape (largest number + 1, )."""
        table = np.zeros(numbers.max(initial=0) + 1, np.int64)
        table[numbers] = places
        twice = table[numbers] != places
        for number, place in zip(numbers[twice], places[twice]):
            key = b'%s-%09d' % (kind, number)
            pages = [self.page(int(at), LEAF) for at in (place, table[number])
                     if at != _UNCLEAR]
            if len({page.entry(key) for page in pages}) > 1:
                table[number] = _UNCLEAR
        return share(table)

    def _keys(self) -> Iterator[Tuple[Page, bytes]]:
        """All keys on whole leaves, but of damaged ones."""
        for number, value in self._leaves():
            try:
                page = Page(number, value, LEAF)
                keys = [page.node(index)[2] for index in range(page.count)]
            except UnreadableRecordError:
                continue
            for key in keys:
                yield page, key

    def _leaves(self) -> Iterator[Tuple[int, bytes]]:
        """Number and bytes of each page that says that it is a leaf."""
        size = self.head.page_size
        progress = Progress(f'searching {self.file.path}', self.file.size)
        found = 0
        for first in range(0, self.file.size // size, _AT_ONCE):
            block = self.file.read(first * size, _AT_ONCE * size)
            block = block[:len(block) // size * size]
            heads = np.frombuffer(block, np.uint8).reshape(-1, size)[:, :16]
            numbers = np.ascontiguousarray(heads[:, :8]).view('<u8')[:, 0]
            flags = np.ascontiguousarray(heads[:, 10:12]).view('<u2')[:, 0]
            here = np.arange(first, first + len(heads), dtype=np.uint64)
            rows = np.flatnonzero((numbers == here) & (flags & KINDS == LEAF))
            for row in rows.tolist():
                yield first + row, block[row * size:(row + 1) * size]
            found += len(rows)
            progress.update(found, first * size)
