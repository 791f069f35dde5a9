"""Reads an LMDB page by page, where mapping it would kill the process.

LMDB maps its file into memory. Of a file that is cut short, the system ends
any process (SIGBUS) that touches what lies past the end. Here pages are read
with ``pread``.
"""
import os.path as osp
import struct
from typing import Optional

from .base import UnreadableRecordError
from .files import ReadOnlyFile
from .lmdb_format import (BRANCH, KINDS, LEAF, NO_PAGE, OVERFLOW,
                          OVERFLOW_HEADER, Head, Page)


class LMDBPages:
    """Looks up keys in an LMDB that is cut short.

    Safe in any process, as no state is kept but an open file.

    Args:
        file (ReadOnlyFile): The file with the data.
        head (Head): What its head says.
    """

    def __init__(self, file: ReadOnlyFile, head: Head) -> None:
        self.file = file
        self.head = head

    def get(self, key: bytes) -> Optional[bytes]:
        """The value of a key, None if there is no such key.

        Raises:
            UnreadableRecordError: If a page on the way is lost or damaged.
        """
        number = self.head.root
        if number == NO_PAGE:
            return None
        for _ in range(self.head.depth - 1):
            page = self.page(number, BRANCH)
            low, high, _, _ = page.node(page.find(key))
            number = low | high << 32  # a branch keeps more of it as flags
        return self.value(self.page(number, LEAF), key)

    def value(self, page: Page, key: bytes) -> Optional[bytes]:
        """The value of a key on a leaf, None if the leaf has no such key.

        Raises:
            UnreadableRecordError: If its pages are lost or damaged.
        """
        entry = page.entry(key)
        if entry is None or not entry.big:
            return None if entry is None else entry.stored
        number, = struct.unpack('<Q', entry.stored)
        return self._big(number, entry.size)

    def page(self, number: int, kind: int) -> Page:
        """Read a page of the tree.

        Raises:
            UnreadableRecordError: If it is lost or damaged.
        """
        return Page(number, self._read(number, self.head.page_size), kind)

    def _big(self, number: int, size: int) -> bytes:
        """A value on pages of its own."""
        value = self._read(number, OVERFLOW_HEADER.size + size)
        found, flags, pages = OVERFLOW_HEADER.unpack_from(value)
        if (found != number or flags & KINDS != OVERFLOW
                or len(value) > pages * self.head.page_size):
            raise UnreadableRecordError(
                f'page {number} of the LMDB is damaged')
        return value[OVERFLOW_HEADER.size:]

    def _read(self, number: int, size: int) -> bytes:
        """Bytes from the begin of a page."""
        begin = number * self.head.page_size
        if number < 2 or begin + size > self.head.size:
            raise UnreadableRecordError(
                f'the LMDB is damaged: it points to page {number}')
        value = b''
        if begin + size <= self.file.size:
            value = self.file.read(begin, size)
        if len(value) < size:
            raise UnreadableRecordError(
                f'it lies on page {number}, past the end of the truncated '
                f'{osp.basename(self.file.path)}')
        return value
