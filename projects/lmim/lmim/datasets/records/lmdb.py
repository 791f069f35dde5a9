"""Word images in LMDBs."""
import os
import os.path as osp
from typing import Any, Dict, Iterable, Iterator, List, Optional
from weakref import WeakValueDictionary

import lmdb

from lmim.utils.errors import UserError

from .base import RecordSource, UnreadableRecordError, log_message
from .labels import are_json_labels, json_label, plain_label

COUNT_KEY = 'num-samples'
#: So many of the first records, and as many spread over the rest, are looked
#: at to find out what an LMDB holds.
HEAD = 100
#: Where the number is by which LMDB knows its files, and the number.
_MAGIC_AT, _MAGIC = 16, (0xBEEFC0DE).to_bytes(4, 'little')


class LMDBSource(RecordSource):
    """Word images of an LMDB, and their labels from there or from another.

    The layouts are those of Union14M-U (``num-samples`` and ``image-%09d``,
    numbered from 1, or from 0), deep-text-recognition-benchmark and PARSeq
    (and ``label-%09d``, plain UTF-8) and MMOCR (labels as JSON objects with
    ``text``, perhaps in an LMDB of their own).

    Args:
        path (str): The folder that holds ``data.mdb``.
        labels (str, optional): An LMDB that holds the labels instead.

    Raises:
        UserError: If LMDB cannot open it, it is truncated, has no images or
            no ``num-samples``, or ``labels`` has none or not as many.
    """

    def __init__(self, path: str, labels: Optional[str] = None) -> None:
        self.path = path
        self.store = LMDBStore(path)
        self._length = self.store.count()
        #: Path of the LMDB that holds the labels, if it is another.
        self.labels = labels
        self._labels = self.store
        if labels is not None:
            self._labels = LMDBStore(labels)
            self._check_labels()
        self.labelled = self._labels.holds('label', self._length)
        if self._length:
            self._check_images()
        self._json = self.labelled and are_json_labels([
            *self._labels.values('label', range(min(HEAD, self._length)))])
        if labels is not None:
            self.layout = 'LMDB with labels in another LMDB'
        elif self.labelled:
            kind = 'JSON' if self._json else 'plain'
            self.layout = f'LMDB with {kind} labels'
        else:
            self.layout = 'LMDB with images only'

    def __len__(self) -> int:
        return self._length

    def read(self, index: int) -> bytes:
        """The value of ``image-%09d``."""
        key = f'image-{index + self.store.first:09d}'
        value = self.store.get(key)
        if value is None:
            raise UnreadableRecordError(f'no key {key!r}')
        if not value:
            raise UnreadableRecordError('no bytes')
        return value

    def label(self, index: int) -> Optional[str]:
        """The text of ``label-%09d``, None where there is no such key."""
        value = self._labels.get(
            f'label-{index + self._labels.first:09d}')
        if value is None:
            return None
        return json_label(value) if self._json else plain_label(value)

    def name(self, index: int) -> str:
        """The path of the LMDB, and the key."""
        return f'{self.path} image-{index + self.store.first:09d}'

    def _check_images(self) -> None:
        if self.store.holds('image', self._length):
            return
        if self.store.holds('label', self._length):
            raise UserError(
                f'{self.path} holds {self._length:,} labels and no images. '
                'Give the LMDB with the images, and this one as its labels: '
                f'dict(path=IMAGES, labels={self.path!r}) in a config, '
                f'`IMAGES --labels {self.path}` on the command line.')
        raise UserError(
            f"{self.path}: the LMDB has no key 'image-000000001', nor others "
            'of this kind that were looked for; its first keys are '
            f'{self.store.first_keys()}. Images lie under '
            "'image-000000001' and so on.")

    def _check_labels(self) -> None:
        labels, count = self._labels, self._labels.count()
        if count != self._length:
            raise UserError(
                f'{self.path} has {self._length:,} images, and '
                f'{labels.path}, which is to hold their labels, {count:,}. '
                'Give two LMDBs that belong together.')
        if count and not labels.holds('label', count):
            raise UserError(
                f'{labels.path} is to hold the labels of {self.path}, and '
                "has no key 'label-000000001'; its first keys are "
                f'{labels.first_keys()}.')


class LMDBStore:
    """Keys and values of an LMDB, opened at the first look of each process.

    Safe with workers that are forked or spawned.

    Args:
        path (str): The folder that holds ``data.mdb``, or an LMDB of one
            file.

    Raises:
        UserError: If LMDB cannot open it, or it is truncated.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        #: The number in the key of the first record; :meth:`count` finds it.
        self.first = 1
        # Now rather than at the first look: it may be no LMDB.
        self._environment: Optional[_Environment] = _open(path)

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
            UnreadableRecordError: If LMDB finds its pages damaged.
        """
        try:
            with self.env.begin() as transaction:
                return transaction.get(key.encode())
        except lmdb.Error as error:
            raise UnreadableRecordError(f'LMDB: {error}') from error

    def count(self) -> int:
        """The value of `num-samples`.

        Raises:
            UserError: If it is not there, or is no number.
        """
        try:
            value = self.get(COUNT_KEY)
        except UnreadableRecordError as error:
            raise UserError(f'{self.path}: {COUNT_KEY!r} cannot be read: '
                            f'{error}. Copy the LMDB again.') from error
        if value is None:
            raise UserError(
                f'{self.path}: the LMDB has no key {COUNT_KEY!r}; its first '
                f'keys are {self.first_keys()}. Put the number of images '
                "under that key; images lie under 'image-000000001' and so "
                'on.')
        if not value.strip().isdigit():
            raise UserError(
                f'{self.path}: {COUNT_KEY!r} is {value[:20]!r}, which is no '
                'number. Put the number of images there.')
        count = int(value)
        for kind in ('image', 'label'):
            keys = f'{kind}-{0:09d}', f'{kind}-{count:09d}'
            if self.has(keys[0]):
                # Some scripts count from 0.
                self.first = 1 if count and self.has(keys[1]) else 0
                if self.first:
                    log_message(
                        f'{self.path} has {keys[0]!r} and {keys[1]!r}, one '
                        f'more than its {COUNT_KEY} ({count:,}): the first '
                        'is not read. Make the set again if it is a record.')
                break
        for kind in ('image', 'label'):
            key = f'{kind}-{count + self.first:09d}'
            if self.has(key):
                log_message(
                    f'{self.path} has {key!r}, and its {COUNT_KEY} is '
                    f'{count:,}: what lies behind that number is not read. '
                    'Put the number of records there, or make the set again.')
                break
        return count

    def has(self, key: str) -> bool:
        """Whether a key can be read."""
        try:
            return self.get(key) is not None
        except UnreadableRecordError:
            return False

    def holds(self, kind: str, count: int) -> bool:
        """Whether there are keys ``<kind>-%09d`` among ``count`` records.

        Args:
            kind (str): 'image' or 'label'.
            count (int): How many records the LMDB says that it has.
        """
        spread = range(HEAD, count, -(-count // HEAD) or 1)
        looked_at = [*range(min(HEAD, count)), *spread]
        return any(True for _ in self.values(kind, looked_at))

    def holds_labels_only(self) -> bool:
        """Whether there are labels and no images."""
        count = self.count()
        return self.holds('label', count) and not self.holds('image', count)

    def values(self, kind: str, indices: Iterable[int]) -> Iterator[bytes]:
        """What there is of some records, without those on damaged pages."""
        for index in indices:
            try:
                value = self.get(f'{kind}-{index + self.first:09d}')
            except UnreadableRecordError:  # reported when it is read
                continue
            if value is not None:
                yield value

    def first_keys(self, count: int = 3) -> List[str]:
        """Some keys, for messages."""
        with self.env.begin() as transaction:
            keys = transaction.cursor().iternext(values=False)
            return [key.decode(errors='replace')
                    for key, _ in zip(keys, range(count))]

    def __getstate__(self) -> Dict[str, Any]:
        return {**self.__dict__, '_environment': None}


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
    # A folder and the file in it are one LMDB.
    file = osp.join(path, 'data.mdb') if osp.isdir(path) else path
    status = os.stat(file)
    key = f'{status.st_dev} {status.st_ino}'
    environment = _OPEN.get(key)
    if environment is not None and environment.pid == os.getpid():
        return environment
    if environment is not None:
        # Inherited through fork: LMDB wants it closed and opened again. The
        # parent's own is not touched by this.
        environment.env.close()
    try:
        environment = _Environment(path)
    except lmdb.Error as error:
        raise UserError(
            f'cannot open the LMDB {path}: {error}. Copy it again if it is '
            'damaged; close it if another reader of this process has it open.'
        ) from error
    _refuse_truncated(path, environment.env)
    _OPEN[key] = environment
    return environment


def _refuse_truncated(path: str, env: lmdb.Environment) -> None:
    """Refuse an LMDB whose file is shorter than its head says.

    LMDB maps its file: reading a page past the end would kill the process.
    """
    file = osp.join(path, 'data.mdb') if osp.isdir(path) else path
    size = os.stat(file).st_size
    wanted = (env.info()['last_pgno'] + 1) * env.stat()['psize']
    if size < wanted:
        env.close()
        raise UserError(
            f'{path} is truncated: {osp.basename(file)} has {size:,} bytes, '
            f'and its last page ends at {wanted:,}; {wanted - size:,} bytes '
            f'({1 - size / wanted:.1%}) are missing. Copy it again.')


def is_lmdb(path: str) -> bool:
    """Whether the path is an LMDB: a folder with `data.mdb`, or one file."""
    if osp.isdir(path):
        return osp.isfile(osp.join(path, 'data.mdb'))
    if not osp.isfile(path):
        return False
    with open(path, 'rb') as file:
        head = file.read(_MAGIC_AT + len(_MAGIC))
    return head[_MAGIC_AT:] == _MAGIC


def find_labels(count: int, lmdbs: List[str]) -> List[str]:
    """Those LMDBs that hold so many labels, and no images."""
    found = []
    for other in lmdbs:
        try:
            store = LMDBStore(other)
            if store.count() == count and store.holds_labels_only():
                found.append(other)
        except (OSError, ValueError):  # nobody has asked for this one
            continue
    return found
