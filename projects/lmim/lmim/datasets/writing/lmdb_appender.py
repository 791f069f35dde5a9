"""Appends word images to an LMDB, batch by batch."""
import json
from pathlib import Path
from typing import Dict, List, Mapping, Optional, Tuple

import lmdb

from ..records.lmdb_store import is_lmdb
from .whole_folder import refuse_existing

COUNT_KEY = b'num-samples'
#: How far a part is; goes when it is whole.
STATE_KEY = b'draft-state'


#: A batch is written when its pictures have so many bytes, whatever its
#: number of records is.
BATCH_BYTES = 32 * 2**20


class LMDBAppender:
    """Appends records to the LMDB of a folder, batch by batch.

    Args:
        folder (Path): The folder, which is there; what its LMDB holds stays.
        batch_size (int): Records that are written together.
        map_size (int): Bytes that are mapped at first. It doubles when they
            are full; the file on disk grows with what is in it only.
        sync (bool): Whether each batch reaches the disk before the next one.
            Otherwise only :meth:`close` sees to it. Defaults to False.
    """

    def __init__(self,
                 folder: Path,
                 batch_size: int = 1000,
                 map_size: int = 64 * 2**20,
                 sync: bool = False) -> None:
        self.batch_size = batch_size
        #: Records, with those that wait to be written.
        self.count = 0
        self._waiting: List[Tuple[bytes, bytes]] = []
        self._waiting_bytes = 0
        self._committed = 0
        # No lock file: nobody else writes, or knows of it yet.
        self.env = lmdb.open(
            str(folder), map_size=map_size, lock=False, sync=sync)

    @property
    def full(self) -> bool:
        """bool: Whether a batch waits to be written."""
        return (self._waiting_bytes >= BATCH_BYTES
                or self.count - self._committed >= self.batch_size)

    def add(self, image: bytes, label: Optional[str] = None) -> int:
        """Add a record to the batch.

        Args:
            image (bytes): An encoded picture, as its file holds it.
            label (str, optional): What it says. Left out, the record has no
                label.

        Returns:
            int: The record's number, from 1.
        """
        self.count += 1
        self._waiting.append((b'image-%09d' % self.count, image))
        self._waiting_bytes += len(image)
        if label is not None:
            self._waiting.append(
                (b'label-%09d' % self.count, label.encode('utf-8')))
        return self.count

    def commit(self,
               others: Optional[Mapping[bytes, Optional[bytes]]] = None
               ) -> None:
        """Write the batch: all of it, or nothing if that fails.

        Args:
            others (Mapping[bytes, bytes or None], optional): Further keys
                that are written with it; those of None are deleted.

        Raises:
            lmdb.Error: If it cannot be written, as on a full disk.
        """
        while True:
            try:
                self._write(dict(others or {}))
                break
            except lmdb.MapFullError:
                self.env.set_mapsize(2 * self.env.info()['map_size'])
        self._waiting.clear()
        self._waiting_bytes = 0
        self._committed = self.count

    def _write(self, others: Dict[bytes, Optional[bytes]]) -> None:
        with self.env.begin(write=True) as transaction:
            # Sorted keys fill pages in order.
            for key, value in sorted(self._waiting):
                transaction.put(key, value)
            for key, other in others.items():
                if other is None:
                    transaction.delete(key)
                else:
                    transaction.put(key, other)

    def finish(self,
               others: Optional[Mapping[bytes, Optional[bytes]]] = None
               ) -> None:
        """Write the rest and the number of records, down to the disk."""
        self.commit({**(others or {}), COUNT_KEY: b'%d' % self.count})
        self.env.sync(True)

    def close(self) -> None:
        """Close the LMDB; a batch that waits is lost."""
        self.env.close()


class LMDBPart(LMDBAppender):
    """An LMDB that is made over several runs, and knows how far it is.

    Args:
        folder (Path): The folder, with what earlier runs have written.
        total (int): How many records are to be seen.
    """

    def __init__(self, folder: Path, total: int) -> None:
        super().__init__(folder, sync=True)
        with self.env.begin() as transaction:
            state = json.loads(transaction.get(STATE_KEY, b'{}'))
            count = transaction.get(COUNT_KEY)
        #: Whether it is whole.
        self.done = count is not None
        self.count = self._committed = int(count or state.get('count', 0))
        #: Number of the first record that it has not seen yet.
        self.next = total if self.done else state.get('next', 0)
        #: How long the list of what was left out was then, in bytes.
        self.skipped = state.get('skipped', 0)

    def save(self, reached: int, skipped: int) -> None:
        """Write what waits, and how far that is.

        Args:
            reached (int): Number of the first record not seen.
            skipped (int): Length of the list of what was left out, in bytes.

        Raises:
            lmdb.Error: If it cannot be written, as on a full disk.
        """
        if reached > self.next:
            state = dict(next=reached, skipped=skipped, count=self.count)
            self.commit({STATE_KEY: json.dumps(state).encode()})
            self.next = reached

    def complete(self) -> None:
        """Write the number of records in place of how far it is."""
        if not self.done:
            self.finish({STATE_KEY: None})
            self.done = True


def refuse_to_replace(path: Path, overwrite: bool) -> None:
    """Refuse to make an LMDB where something is that may not be replaced.

    A folder of other things is not, even where one may overwrite.

    Args:
        path (Path): Where the LMDB is to be.
        overwrite (bool): Whether an LMDB that is there gives way.

    Raises:
        FileExistsError: If there is something that does not.
    """
    refuse_existing(path, overwrite)
    if path.is_dir() and any(path.iterdir()) and not is_lmdb(str(path)):
        raise FileExistsError(
            f'{path} is a folder that holds other things than an LMDB; it is '
            'not replaced. Give another path')
