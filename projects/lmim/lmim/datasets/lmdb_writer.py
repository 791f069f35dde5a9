"""Writes word images into an LMDB that MMOCR and its kin read."""
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Iterator, List, Optional, Tuple, Union

import lmdb

from lmim.utils.atomic import refuse_existing, whole_folder
from lmim.utils.errors import UserError

from .records import is_lmdb

#: A batch is written when it has so many records, or pictures of so many
#: bytes.
BATCH_SIZE, BATCH_BYTES = 1000, 32 * 2**20
#: Bytes that are mapped at first. It doubles when they are full; the file on
#: disk grows with what is in it only.
MAP_SIZE = 64 * 2**20


class LMDBWriter:
    """Writes `image-%09d`, `label-%09d` and `num-samples`, counted from 1.

    The database appears at its path whole, when the ``with`` block ends
    without an error, or not at all; see
    :func:`~lmim.utils.atomic.whole_folder`.

    Example:
        >>> with LMDBWriter('words.lmdb') as writer:
        ...     writer.add(Path('word.png').read_bytes(), 'word')

    Args:
        path (str or Path): The folder to make.
        overwrite (bool): Whether a database that is there gives way; a folder
            of other things does not.

    Raises:
        FileExistsError: On entry, if something is at the path and may not be
            replaced.
        UserError: On leaving, if nothing was added.
        lmdb.Error: If a batch cannot be written, as on a full disk.
    """

    def __init__(self, path: Union[str, Path],
                 overwrite: bool = False) -> None:
        self.path = Path(path)
        self.overwrite = overwrite
        #: Records added so far.
        self.count = 0
        self._batch: List[Tuple[bytes, bytes]] = []
        self._batch_bytes = 0

    @contextmanager
    def _opened(self) -> Iterator[None]:
        path = self.path
        refuse_existing(path, self.overwrite)
        if path.is_dir() and any(path.iterdir()) and not is_lmdb(str(path)):
            raise FileExistsError(
                f'{path} is a folder that holds other things than an LMDB; '
                'it is not replaced. Give another path')
        # No lock file: nobody else writes, or knows of it yet.
        with whole_folder(path, self.overwrite) as draft, lmdb.open(
                str(draft), map_size=MAP_SIZE, lock=False,
                sync=False) as self._env:
            yield
            if not self.count:
                raise UserError(f'No record was added to {path}; an '
                                'LMDB without records is not made')
            self._batch.append((b'num-samples', b'%d' % self.count))
            self._commit()
            self._env.sync(True)

    def __enter__(self) -> 'LMDBWriter':
        self._context = self._opened()
        self._context.__enter__()
        return self

    def __exit__(self, *error: Any) -> Optional[bool]:
        return self._context.__exit__(*error)

    def add(self, image: bytes, label: Optional[str] = None) -> int:
        """Add a record.

        Args:
            image (bytes): An encoded picture, as its file holds it.
            label (str, optional): What it says. Left out, the record has no
                label.

        Returns:
            int: The record's number, from 1.

        Raises:
            UserError: If the picture has no bytes.
        """
        if not image:
            raise UserError(
                f'Record {self.count + 1} of {self.path} has an empty image')
        self.count += 1
        self._batch.append((b'image-%09d' % self.count, image))
        self._batch_bytes += len(image)
        if label is not None:
            self._batch.append(
                (b'label-%09d' % self.count, label.encode('utf-8')))
        if (self.count % BATCH_SIZE == 0
                or self._batch_bytes >= BATCH_BYTES):
            self._commit()
        return self.count

    def _commit(self) -> None:
        """Write the batch: all of it, or nothing if that fails."""
        while True:
            try:
                with self._env.begin(write=True) as transaction:
                    # Sorted keys fill pages in order.
                    for key, value in sorted(self._batch):
                        transaction.put(key, value)
                break
            except lmdb.MapFullError:
                self._env.set_mapsize(2 * self._env.info()['map_size'])
        self._batch.clear()
        self._batch_bytes = 0
