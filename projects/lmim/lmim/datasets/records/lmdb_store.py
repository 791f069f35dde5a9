"""Looks up keys in an LMDB, from any process."""
import os
import os.path as osp
from typing import Any, Dict, List, Optional
from weakref import WeakValueDictionary

import lmdb

from .base import UnreadableRecordError
from .files import ReadOnlyFile
from .lmdb_format import Head, data_file, read_head
from .lmdb_pages import LMDBPages
from .lmdb_salvage import LMDBSalvage

COUNT_KEY = 'num-samples'


def is_lmdb(path: str) -> bool:
    """Whether the path is an LMDB: a folder with `data.mdb`, or one file."""
    if osp.isdir(path):
        return osp.isfile(osp.join(path, 'data.mdb'))
    return osp.isfile(path) and read_head(ReadOnlyFile(path)) is not None


class _Environment:
    """An open LMDB and the process that opened it."""

    def __init__(self, path: str) -> None:
        self.pid = os.getpid()
        # Without a lock any number of processes may read, also from a disk
        # that cannot be written to.
        self.env = lmdb.open(
            path, subdir=osp.isdir(path), readonly=True, lock=False,
            readahead=False, meminit=False)


#: The open LMDBs of this process. LMDB must not be opened twice in a process,
#: and train and validation sets, or two stages, may read the same one.
_OPEN: 'WeakValueDictionary[str, _Environment]' = WeakValueDictionary()


def _open(path: str) -> _Environment:
    key = osp.realpath(path)
    environment = _OPEN.get(key)
    if environment is not None and environment.pid == os.getpid():
        return environment
    if environment is not None:
        # Inherited through fork: LMDB wants it closed and opened again. The
        # parent's own is not touched by this.
        environment.env.close()
    try:
        _OPEN[key] = environment = _Environment(path)
    except lmdb.Error as error:
        raise OSError(
            f'cannot open the LMDB {path}: {error}. Copy it again if it is '
            'damaged; close it if another reader of this process has it open.'
        ) from error
    return environment


class LMDBStore:
    """Keys and values of an LMDB, opened at the first look of each process.

    Safe with workers that are forked or spawned. A file that is shorter than
    the LMDB says is read page by page, see :mod:`.lmdb_pages` and
    :mod:`.lmdb_salvage`.

    Args:
        path (str): The folder that holds ``data.mdb``, or an LMDB of one
            file.

    Raises:
        OSError: If LMDB cannot open it.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self._environment: Optional[_Environment] = None
        self._pages: Optional[LMDBPages] = None
        #: What is missing of a truncated LMDB, in words.
        self.loss: Optional[str] = None
        file = ReadOnlyFile(data_file(path))
        head = read_head(file)
        if head is not None and file.size < head.size:
            self.loss = self._read_pages(file, head)
        else:
            # Now rather than at the first look: it may be no LMDB.
            self._environment = _open(path)

    @property
    def env(self) -> lmdb.Environment:
        """lmdb.Environment: The LMDB, open in this process."""
        environment = self._environment
        if environment is None or environment.pid != os.getpid():
            environment = self._environment = _open(self.path)
        return environment.env

    def get(self, key: str) -> Optional[bytes]:
        """The value of a key, None if there is no such key.

        Raises:
            UnreadableRecordError: If it cannot be had.
        """
        if self._pages is not None:
            return self._pages.get(key.encode())
        try:
            with self.env.begin() as transaction:
                return transaction.get(key.encode())
        except lmdb.Error as error:
            raise UnreadableRecordError(f'LMDB: {error}') from error

    def count(self) -> int:
        """The value of `num-samples`.

        Raises:
            ValueError: If it is not there, lost, or no number.
        """
        try:
            value = self.get(COUNT_KEY)
        except UnreadableRecordError as error:
            raise ValueError(
                f'{self.path}: {COUNT_KEY!r} cannot be had: {error}. Copy '
                'the LMDB again.') from error
        if value is None:
            raise ValueError(
                f'{self.path}: the LMDB has no key {COUNT_KEY!r}; its first '
                f'keys are {self.first_keys()}. Put the number of images '
                "under that key; images lie under 'image-000000001' and so "
                'on.')
        if not value.strip().isdigit():
            raise ValueError(
                f'{self.path}: {COUNT_KEY!r} is {value[:20]!r}, which is no '
                'number. Put the number of images there.')
        return int(value)

    def first_keys(self, count: int = 3) -> List[str]:
        """Some keys, for messages; none of a truncated LMDB."""
        if self._pages is not None:
            return []
        with self.env.begin() as transaction:
            keys = transaction.cursor().iternext(values=False)
            return [key.decode(errors='replace')
                    for key, _ in zip(keys, range(count))]

    def _read_pages(self, file: ReadOnlyFile, head: Head) -> str:
        """Get ready to read a truncated file, and tell what is missing."""
        lost = head.size - file.size
        message = (
            f'{self.path} is truncated: {osp.basename(file.path)} has '
            f'{file.size:,} bytes, and its last page ends at {head.size:,}; '
            f'{lost:,} bytes ({lost / head.size:.1%}) are missing. Records '
            'on the lost pages are unreadable, the others are read. Copy it '
            'again to have them all.')
        self._pages = LMDBPages(file, head)
        try:
            self._pages.get(COUNT_KEY.encode())
        except UnreadableRecordError:
            self._pages = pages = LMDBSalvage(file, head)
            said = (f'{pages.said:,}' if pages.said else
                    'a number that is lost, too')
            message += (f' Its index is lost, too: {pages.found:,} images '
                        f'were found by going through its pages, of {said}.')
        return message

    def __getstate__(self) -> Dict[str, Any]:
        return {**self.__dict__, '_environment': None}
