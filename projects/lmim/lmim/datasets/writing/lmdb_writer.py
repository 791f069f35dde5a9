"""Writes word images into an LMDB that MMOCR and its kin read."""
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Optional, Type, Union

from .lmdb_appender import LMDBAppender, refuse_to_replace
from .whole_folder import whole_folder


class LMDBWriter:
    """Writes `image-%09d`, `label-%09d` and `num-samples`, counted from 1.

    The database appears at its path whole, when the ``with`` block ends
    without an error, or not at all; see :func:`~.whole_folder.whole_folder`.
    For one that takes hours, see :class:`~.lmdb_draft.LMDBDraft`.

    Example:
        >>> with LMDBWriter('words.lmdb') as writer:
        ...     writer.add(Path('word.png').read_bytes(), 'word')

    Args:
        path (str or Path): The folder to make.
        overwrite (bool): Whether a database that is there gives way.
        batch_size (int): Records that are committed together.
        map_size (int): Bytes that are mapped at first.

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
        self._stack = ExitStack()

    def __enter__(self) -> 'LMDBWriter':
        refuse_to_replace(self.path, self.overwrite)
        draft = self._stack.enter_context(
            whole_folder(self.path, self.overwrite))
        try:
            self._appender = LMDBAppender(draft, self.batch_size,
                                          self.map_size)
        except BaseException as error:
            self._stack.__exit__(type(error), error, error.__traceback__)
            raise
        return self

    @property
    def count(self) -> int:
        """int: Records added so far."""
        return self._appender.count

    def add(self, image: bytes, label: Optional[str] = None) -> int:
        """Add a record; see :meth:`LMDBAppender.add`.

        Raises:
            ValueError: If the picture has no bytes.
        """
        if not image:
            raise ValueError(
                f'Record {self.count + 1} of {self.path} has an empty image')
        number = self._appender.add(image, label)
        if self._appender.full:
            self._appender.commit()
        return number

    def __exit__(self, kind: Optional[Type[BaseException]],
                 error: Optional[BaseException],
                 trace: Optional[TracebackType]) -> None:
        try:
            if kind is None:
                if not self.count:
                    raise ValueError(
                        f'No record was added to {self.path}; an LMDB '
                        'without records is not made')
                self._appender.finish()
        except BaseException as own:
            self._appender.close()
            self._stack.__exit__(type(own), own, own.__traceback__)
            raise
        self._appender.close()
        self._stack.__exit__(kind, error, trace)
