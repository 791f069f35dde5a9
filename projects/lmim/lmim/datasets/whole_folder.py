"""A folder that appears whole or not at all."""
import os
import shutil
from contextlib import contextmanager
from pathlib import Path
from typing import Iterator, Union


@contextmanager
def whole_folder(path: Union[str, Path],
                 overwrite: bool = False) -> Iterator[Path]:
    """Make a folder beside its place, and move it there once it is whole.

    ``with whole_folder(path) as draft:`` writes into ``draft``, which is
    named ``<path>.tmp-<process id>``. An error inside removes the draft; a
    killed process leaves it, and nothing at ``path``, nor is an earlier
    folder there touched before the new one is whole.

    Args:
        path (str or Path): The folder to make; folders above it are made.
        overwrite (bool): Whether a folder that is there gives way.

    Yields:
        Path: The empty folder to write into.

    Raises:
        FileExistsError: If something is at ``path`` and may not be replaced.
    """
    path = Path(path)
    _refuse(path, overwrite)
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f'{path.name}.tmp-{os.getpid()}')
    if draft.exists():  # of a dead process that had this process's number
        shutil.rmtree(draft)
    draft.mkdir()
    try:
        yield draft
        _refuse(path, overwrite)
        _sync(draft)
        # A folder cannot be renamed onto a full one: the old one steps
        # aside first.
        old = path.with_name(f'{path.name}.old-{os.getpid()}')
        if path.exists():
            os.replace(path, old)
        os.replace(draft, path)
        _sync(path.parent)
        shutil.rmtree(old, ignore_errors=True)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise


def _refuse(path: Path, overwrite: bool) -> None:
    """Raise if what is at a path may not be replaced."""
    if path.exists() and not path.is_dir():
        raise FileExistsError(
            f'{path} is a file; give the path of a folder to make')
    if path.exists() and not overwrite:
        raise FileExistsError(
            f'{path} exists; give another path, or say that it may be '
            'overwritten')


def _sync(folder: Path) -> None:
    """Ask the system to put a folder's names on disk, where it can."""
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError:  # Windows opens no folders
        return
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
