"""Writes word images into an LMDB that MMOCR and its kin read."""
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import List, Optional, Tuple, Type, Union

import lmdb

from .whole_folder import whole_folder


class LMDBWriter:
    """Writes `image-%09d`, `label-%09d` and `num-samples`, counted from 1.

    The database appears at its path whole, when the ``with`` block ends
    without an error, or not at all; see
    :func:`~lmim.datasets.whole_folder.whole_folder`.

    Example:
        >>> with LMDBWriter('words.lmdb') as writer:
        ...     writer.add(Path('word.png').read_bytes(), 'word')

    Args:
        path (str or Path): The folder to make.
        overwrite (bool): Whether a database that is there gives way.
        batch_size (int): Records that are committed together.
        map_size (int): Bytes that are mapped at first. It doubles when they
            are full; the file on disk grows with what is in it only.

    Raises:
        FileExistsError: On entry, if something is at the path and may not be
            replaced.
        ValueError: On leaving, if nothing was added.
    """

    def __init__(self,
                 path: Union[str, Path],
                 overwrite: bool = False,
                 batch_size: int = 1000,
                 map_size: int = 64 * 2**20) -> None:
        self.path = Path(path)
        self.overwrite = overwrite
        self.batch_size = batch_size
        self.map_size = map_size
        self.count = 0
        self._batch: List[Tuple[bytes, bytes]] = []
        self._stack = ExitStack()

    def __enter__(self) -> 'LMDBWriter':
        draft = self._stack.enter_context(
            whole_folder(self.path, self.overwrite))
        try:
            # No lock file: nobody else knows of the draft. Data is synced
            # once, at the end, for a half-written draft is of no use.
            self._env = lmdb.open(
                str(draft), map_size=self.map_size, lock=False, sync=False)
        except BaseException as error:
            self._stack.__exit__(type(error), error, error.__traceback__)
            raise
        return self

    def add(self, image: bytes, label: Optional[str] = None) -> int:
        """Add a record.

        Args:
            image (bytes): An encoded picture, as its file holds it.
            label (str, optional): What it says. Left out, the record has no
                label.

        Returns:
            int: The record's number, from 1.

        Raises:
            ValueError: If the picture has no bytes.
        """
        if not image:
            raise ValueError(
                f'Record {self.count + 1} of {self.path} has an empty image')
        self.count += 1
        self._batch.append((b'image-%09d' % self.count, image))
        if label is not None:
            self._batch.append(
                (b'label-%09d' % self.count, label.encode('utf-8')))
        if self.count % self.batch_size == 0:
            self._commit()
        return self.count

    def _commit(self) -> None:
        """Write what waits, in a larger map if it is full."""
        while True:
            try:
                with self._env.begin(write=True) as txn:
                    # Sorted keys fill pages in order.
                    for key, value in sorted(self._batch):
                        txn.put(key, value)
                break
            except lmdb.MapFullError:  # nothing of the batch was kept
                self.map_size *= 2
                self._env.set_mapsize(self.map_size)
        self._batch.clear()

    def __exit__(self, kind: Optional[Type[BaseException]],
                 error: Optional[BaseException],
                 trace: Optional[TracebackType]) -> None:
        try:
            if kind is None:
                self._finish()
        except BaseException as own:
            self._env.close()
            self._stack.__exit__(type(own), own, own.__traceback__)
            raise
        self._env.close()
        self._stack.__exit__(kind, error, trace)

    def _finish(self) -> None:
        """Write the rest and the number of records, down to the disk."""
        if not self.count:
            raise ValueError(
                f'No record was added to {self.path}; an LMDB without '
                'records is not made')
        self._batch.append((b'num-samples', str(self.count).encode()))
        self._commit()
        self._env.sync(True)
