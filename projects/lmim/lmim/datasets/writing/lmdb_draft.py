"""LMDBs in the making, with which the same command goes on after a kill.

A draft is a folder: an LMDB for each part, ``draft.json`` (what it is made
of), ``skipped.jsonl`` (what was left out and why) and ``lock``. Each batch is
written in one transaction with the number of the record that comes next, and
reaches the disk; so whatever happens, no record is lost or there twice.
"""
import json
import os
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Dict, Mapping, Optional, Type

import lmdb

from .draft_folder import DraftFolder
from .lmdb_appender import LMDBPart, refuse_to_replace
from .whole_folder import publish

SKIPPED = 'skipped.jsonl'


class LMDBDraft:
    """Makes LMDBs of the records of a source, gone through in their order.

    The LMDBs appear at their places, each whole, when the ``with`` block ends
    without an error. Otherwise the draft stays, if a batch was written.

    Example:
        >>> with LMDBDraft(folder, {'all': out}, len(source), settings,
        ...                skipped) as draft:
        ...     for index in range(draft.begin, len(source)):
        ...         draft.add(index, 'all', source.read(index))

    Args:
        folder (Path): Where the draft lies, on the file system of the places.
        places (Mapping[str, Path]): Name and place of each LMDB.
        total (int): How many records the source has.
        settings (Mapping[str, Any]): All that the result hangs on, of types
            that JSON has. A draft of other settings is not gone on with.
        skipped (Path): Where the list of what was left out comes to lie, as
            JSON lines; there is none if nothing was.
        overwrite (bool): Whether LMDBs that are there give way, and a draft
            of other settings too.

    Raises:
        FileExistsError: On entry, if something may not be replaced.
        BlockingIOError: On entry, if another process has the draft.
        OSError: If a batch cannot be written; the earlier ones are kept.
        ValueError: On leaving, if a part has no record.
    """

    #: Records that are written together.
    batch_size = 1000

    def __init__(self,
                 folder: Path,
                 places: Mapping[str, Path],
                 total: int,
                 settings: Mapping[str, Any],
                 skipped: Path,
                 overwrite: bool = False) -> None:
        self.folder = DraftFolder(folder, list(places), [SKIPPED])
        self.places = dict(places)
        self.total = total
        self.settings = settings
        self.skipped = skipped
        self.overwrite = overwrite
        #: Number of the first record that is not written yet.
        self.begin = 0
        self._parts: Dict[str, LMDBPart] = {}
        self._list: Optional[IO[bytes]] = None
        self._keep = False

    def __enter__(self) -> 'LMDBDraft':
        path = self.folder.path
        new = not path.exists()
        try:
            self.folder.claim(self.settings, self.overwrite)
            for name, place in self.places.items():
                # One that is not here any more is at its place already.
                if (path / name).is_dir():
                    refuse_to_replace(place, self.overwrite)
                    self._parts[name] = LMDBPart(path / name, self.total)
            self._open_list()
        except BaseException:
            self._close()
            self.folder.release(keep=not new)
            raise
        return self

    def _open_list(self) -> None:
        """Go on with the part that is behind, where parts differ."""
        behind = min(self._parts.values(), key=lambda part: part.next,
                     default=None)
        if behind is None or behind.done:
            self.begin = self.total
            self._keep = True
            return
        self.begin = behind.next
        self._keep = self.begin > 0
        self._list = open(self.folder.path / SKIPPED, 'ab')
        self._list.truncate(behind.skipped)

    def add(self,
            index: int,
            part: str,
            image: bytes,
            label: Optional[str] = None) -> None:
        """Add what became of a record.

        Args:
            index (int): Its number; all come in turn from :attr:`begin`.
            part (str): The LMDB that it goes into.
            image (bytes): An encoded picture, as its file holds it.
            label (str, optional): What it says.
        """
        to = self._parts[part]
        if index >= to.next:  # else it was written before a kill
            to.add(image, label)
        self._reach(index + 1)

    def skip(self, index: int, name: str, reason: str) -> None:
        """Note that a record is left out.

        Args:
            index (int): Its number; all come in turn from :attr:`begin`.
            name (str): Its name, as a person knows it.
            reason (str): Why.
        """
        assert self._list is not None
        line = json.dumps({'record': name, 'reason': reason})
        self._list.write(line.encode() + b'\n')
        self._reach(index + 1)

    def _reach(self, reached: int) -> None:
        """Write what waits in all parts, once it is a batch."""
        if (reached - self.begin < self.batch_size and reached < self.total
                and not any(part.full for part in self._parts.values())):
            return
        assert self._list is not None
        try:
            self._list.flush()
            os.fsync(self._list.fileno())
            for part in self._parts.values():
                part.save(reached, self._list.tell())
        except (OSError, lmdb.Error) as error:
            raise OSError(
                f'cannot write {self.folder.path}: {error}. Make room if the '
                'disk is full; the same command then goes on') from error
        self.begin = reached
        self._keep = True

    def __exit__(self, kind: Optional[Type[BaseException]],
                 error: Optional[BaseException],
                 trace: Optional[TracebackType]) -> None:
        try:
            if kind is None:
                self._finish()
        finally:
            self._close()
            self.folder.release(self._keep)

    def _finish(self) -> None:
        """Make the parts whole and move them to their places."""
        empty = [str(self.places[name]) for name, part in self._parts.items()
                 if not part.count]
        if empty:
            self._keep = False
            raise ValueError(
                f'{", ".join(empty)} would have no record, so nothing was '
                f'made of {self.total:,} records. {self._left_out()}')
        for part in self._parts.values():
            part.complete()
        self._close()
        own = self.folder.path / SKIPPED
        if own.exists():  # else it is at its place already
            if own.stat().st_size:
                os.replace(own, self.skipped)
            else:
                own.unlink()
                self.skipped.unlink(missing_ok=True)
        for name in self._parts:
            publish(self.folder.path / name, self.places[name],
                    self.overwrite)
        self._keep = False

    def _left_out(self) -> str:
        self._close()
        with open(self.folder.path / SKIPPED, encoding='utf-8') as file:
            first = file.readline()
            count = bool(first) + sum(1 for _ in file)
        if not count:
            return 'None was left out: there are too few'
        item = json.loads(first)
        return (f'{count:,} were left out; the first: {item["record"]}: '
                f'{item["reason"]}')

    def _close(self) -> None:
        for part in self._parts.values():
            part.close()
        if self._list is not None:
            self._list.close()
