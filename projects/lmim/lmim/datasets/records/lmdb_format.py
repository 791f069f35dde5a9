"""What the pages of an LMDB look like.

This is the format of LMDB 0.9 on 64-bit little-endian machines, as told in
the source of LMDB (``mdb.c``: ``MDB_page``, ``MDB_node``, ``MDB_meta``).
Everything in a page is checked before it is used.
"""
import os.path as osp
import struct
from typing import NamedTuple, Optional, Tuple

from .base import UnreadableRecordError
from .files import ReadOnlyFile

_MAGIC = 0xBEEFC0DE
#: Flags that tell what a page is, and all such flags.
BRANCH, LEAF, OVERFLOW, KINDS = 0x01, 0x02, 0x04, 0x6F
#: Node flag: the value lies on pages of its own. Others are of LMDBs in LMDBs.
_BIG = 0x01
#: Number of the root where there is no record.
NO_PAGE = 2**64 - 1
_MAX_DEPTH = 32
_HEADER = struct.Struct('<Q2xHHH')  # number, flags, lower, upper
OVERFLOW_HEADER = struct.Struct('<Q2xHI')  # number, flags, pages
_NODE = struct.Struct('<HHHH')  # low, high, flags, size of the key
#: Of the two heads, at the begin of pages 0 and 1: magic, version; page size;
#: depth, keys and root of the tree; last page, number of the transaction.
_META = struct.Struct('<16xII16x I2x2x40x 4x2xH24xQQ QQ')


class Head(NamedTuple):
    """What the head of an LMDB says; see :func:`read_head`."""
    page_size: int
    depth: int
    entries: int
    root: int
    last_page: int
    transaction: int

    @property
    def size(self) -> int:
        """int: Bytes up to the end of the last page."""
        return (self.last_page + 1) * self.page_size


def data_file(path: str) -> str:
    """The file that holds the data of an LMDB, be it a folder or a file."""
    return osp.join(path, 'data.mdb') if osp.isdir(path) else path


def read_head(file: ReadOnlyFile) -> Optional[Head]:
    """The newer one of the two heads of an LMDB.

    Returns:
        Head or None: None if it is no LMDB of the format above.
    """
    first = _read_meta(file, 0)
    second = None if first is None else _read_meta(file, first.page_size)
    heads = [head for head in (first, second) if head is not None]
    return max(heads, key=lambda head: head.transaction, default=None)


def _read_meta(file: ReadOnlyFile, offset: int) -> Optional[Head]:
    value = file.read(offset, _META.size)
    if len(value) < _META.size:
        return None
    magic, version, *numbers = _META.unpack(value)
    head = Head(*numbers)
    sane = 512 <= head.page_size <= 65536 and head.depth <= _MAX_DEPTH
    return head if (magic, version) == (_MAGIC, 1) and sane else None


class Entry(NamedTuple):
    """What a leaf has of a key.

    Attributes:
        size (int): Bytes of the value.
        big (bool): Whether the value lies on pages of its own.
        stored (bytes): The value, or the number of the first such page.
    """
    size: int
    big: bool
    stored: bytes


class Page:
    """A page of the tree; its nodes are sorted by their keys.

    Args:
        number (int): The page that it should be.
        value (bytes): The page.
        kind (int): What it should be, :data:`BRANCH` or :data:`LEAF`.

    Raises:
        UnreadableRecordError: If it is another.
    """

    def __init__(self, number: int, value: bytes, kind: int) -> None:
        found, flags, self.lower, upper = _HEADER.unpack_from(value)
        self.number, self.value, self.kind = number, value, kind
        self.count = (self.lower - _HEADER.size) // 2
        if (found != number or flags & KINDS != kind or self.count < 1
                or not self.lower <= upper <= len(value)):
            raise self.damaged()

    def damaged(self) -> UnreadableRecordError:
        """The error to raise where it is not as it should be."""
        return UnreadableRecordError(
            f'page {self.number} of the LMDB is damaged')

    def node(self, index: int) -> Tuple[int, int, bytes, int]:
        """Number (of bytes or of a page), flags, key, where the value is."""
        begin, = struct.unpack_from('<H', self.value,
                                    _HEADER.size + 2 * index)
        if not self.lower <= begin <= len(self.value) - _NODE.size:
            raise self.damaged()
        low, high, flags, size = _NODE.unpack_from(self.value, begin)
        begin += _NODE.size
        if begin + size > len(self.value):
            raise self.damaged()
        key = self.value[begin:begin + size]
        return low | high << 16, flags, key, begin + size

    def find(self, key: bytes) -> int:
        """The last node whose key is not greater; -1 if there is none.

        The first one of a branch has no key: it stands for all before the
        second.
        """
        low, high = (1 if self.kind == BRANCH else 0), self.count
        while low < high:
            middle = (low + high) // 2
            if self.node(middle)[2] <= key:
                low = middle + 1
            else:
                high = middle
        return low - 1

    def entry(self, key: bytes) -> Optional[Entry]:
        """What this leaf has of a key, None if that is nothing.

        Raises:
            UnreadableRecordError: If it is damaged.
        """
        index = self.find(key)
        if index < 0:
            return None
        size, flags, found, begin = self.node(index)
        if found != key:
            return None
        length = 8 if flags == _BIG else size
        stored = self.value[begin:begin + length]
        if flags not in (0, _BIG) or len(stored) < length:
            raise self.damaged()
        return Entry(size, flags == _BIG, stored)
