"""A folder that appears whole or not at all."""
import os
import shutil
from contextlib import contextmanager
from pathlib import Path
from typing import Iterator, Union

from lmim.utils.atomic import sync_folder


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
    refuse_existing(path, overwrite)
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f'{path.name}.tmp-{os.getpid()}')
    if draft.exists():  # of a dead process that had this process's number
        shutil.rmtree(draft)
    draft.mkdir()
    try:
        yield draft
        publish(draft, path, overwrite)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise


def publish(draft: Path, path: Path, overwrite: bool = False) -> None:
    """Move a folder that is whole to its place.

    Args:
        draft (Path): The folder, on the same file system.
        path (Path): Its place.
        overwrite (bool): Whether a folder that is there gives way.

    Raises:
        FileExistsError: If something is at ``path`` and may not be replaced.
    """
    refuse_existing(path, overwrite)
    sync_folder(draft)
    # A folder cannot be renamed onto a full one: the old one steps aside
    # first.
    old = path.with_name(f'{path.name}.old-{os.getpid()}')
    if path.exists():
        os.replace(path, old)
    try:
        os.replace(draft, path)
    except OSError:
        if old.exists():
            os.replace(old, path)
        raise
    sync_folder(path.parent)
    shutil.rmtree(old, ignore_errors=True)


def refuse_existing(path: Path, overwrite: bool) -> None:
    """Refuse to replace what may not be.

    Args:
        path (Path): Where a folder is to be made.
        overwrite (bool): Whether a folder that is there gives way.

    Raises:
        FileExistsError: If something is there that does not.
    """
    if path.exists() and not path.is_dir():
        raise FileExistsError(
            f'{path} is a file; give the path of a folder to make')
    if path.exists() and not overwrite:
        raise FileExistsError(
            f'{path} exists; give another path, or say that it may be '
            'overwritten (--overwrite)')
