"""Images in an LMDB."""
import os
import os.path as osp
from typing import Any, Dict, Optional
from weakref import WeakValueDictionary

import lmdb

from .base import RecordSource, UnreadableRecordError

COUNT_KEY = b'num-samples'


def is_lmdb(path: str) -> bool:
    """Whether the path is a folder that holds an LMDB."""
    return osp.isfile(osp.join(path, 'data.mdb'))


class _Environment:
    """An open LMDB and the process that opened it."""

    def __init__(self, path: str) -> None:
        self.pid = os.getpid()
        # Without a lock any number of processes may read, also from a disk
        # that cannot be written to.
        self.env = lmdb.open(
            path, readonly=True, lock=False, readahead=False, meminit=False)


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


class LMDBSource(RecordSource):
    """Images of an LMDB, opened at the first read of each process.

    The layout is that of Union14M-U and deep-text-recognition-benchmark: the
    key ``num-samples``, and ``image-%09d``, and perhaps ``label-%09d`` (plain
    UTF-8), numbered from 1. Safe with workers that are forked or spawned.

    Args:
        path (str): The folder that holds ``data.mdb``.

    Raises:
        ValueError: If there is no ``num-samples``, or it is no number, or
            the file is shorter than the LMDB says.
        OSError: If LMDB cannot open it.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self._environment: Optional[_Environment] = None
        self._check_length()
        self._length = self._read_length()

    def __len__(self) -> int:
        return self._length

    def read(self, index: int) -> bytes:
        """The value of ``image-%09d``."""
        key = f'image-{index + 1:09d}'
        value = self._get(key.encode())
        if value is None:
            raise UnreadableRecordError(f'no key {key!r}')
        if not value:
            raise UnreadableRecordError('no bytes')
        return value

    def label(self, index: int) -> Optional[str]:
        """The value of ``label-%09d``, None where there is no such key."""
        value = self._get(f'label-{index + 1:09d}'.encode())
        if value is None:
            return None
        try:
            return value.decode('utf-8')
        except UnicodeDecodeError as error:
            raise UnreadableRecordError(
                f'the label is not UTF-8: {error}') from error

    def name(self, index: int) -> str:
        """The path of the LMDB, and the key."""
        return f'{self.path} image-{index + 1:09d}'

    @property
    def env(self) -> lmdb.Environment:
        """lmdb.Environment: The LMDB, open in this process."""
        environment = self._environment
        if environment is None or environment.pid != os.getpid():
            environment = self._environment = _open(self.path)
        return environment.env

    def _get(self, key: bytes) -> Optional[bytes]:
        try:
            with self.env.begin() as transaction:
                return transaction.get(key)
        except lmdb.Error as error:
            raise UnreadableRecordError(f'LMDB: {error}') from error

    def _check_length(self) -> None:
        """Refuse a file cut short: reading past its end kills the process."""
        size = osp.getsize(osp.join(self.path, 'data.mdb'))
        wanted = (self.env.info()['last_pgno'] + 1) * self.env.stat()['psize']
        if size < wanted:
            raise ValueError(
                f'{self.path}: data.mdb has {size:,} bytes, and its last '
                f'page ends at {wanted:,}: it is truncated. Copy it again.')

    def _read_length(self) -> int:
        value = self._get(COUNT_KEY)
        if value is None:
            with self.env.begin() as transaction:
                keys = [key.decode(errors='replace') for key, _ in zip(
                    transaction.cursor().iternext(values=False), range(3))]
            raise ValueError(
                f'{self.path}: the LMDB has no key {COUNT_KEY.decode()!r}; '
                f'its first keys are {keys}. Put the number of images under '
                "that key; images lie under 'image-000000001' and so on.")
        if not value.strip().isdigit():
            raise ValueError(
                f'{self.path}: {COUNT_KEY.decode()!r} is {value[:20]!r}, '
                'which is no number. Put the number of images there.')
        return int(value)

    def __getstate__(self) -> Dict[str, Any]:
        return {**self.__dict__, '_environment': None}
