"""Files and folders that are written whole or not at all.

The bytes go to a neighbour (``<name>.partial``, or ``<name>.tmp-<process id>``
for a folder), reach the disk, and only then take the name, in one step of the
file system. A process that is killed meanwhile leaves the neighbour, and what
had the name before.
"""
import errno
import os
import re
import shutil
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Iterator, Union

import lmdb

#: What the name of a file that is being written ends in.
PARTIAL = '.partial'
#: Of a full disk, of a quota, and of a limit of the size of files.
NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
#: A disk with fewer bytes than this is full for LMDB, which writes pages.
ROOM = 2**20


@contextmanager
def whole_file(path: Union[str, Path],
               overwrite: bool = False) -> Iterator[Path]:
    """Write a file under another name, and rename it once it is whole.

    An error inside removes what was written, and what was at ``path`` before
    stays.

    Args:
        path (str or Path): The file. Its folder is made where needed.
        overwrite (bool): Whether a file that is there gives way.

    Yields:
        Path: The path to write to.

    Raises:
        FileExistsError: If something is at ``path`` and may not be replaced.
    """
    path = Path(path)
    refuse_file(path, overwrite)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + PARTIAL)
    try:
        yield partial
        with open(partial, 'rb+') as file:
            os.fsync(file.fileno())
        os.replace(partial, path)
    except BaseException as error:
        partial.unlink(missing_ok=True)
        raise _naming(error, path) from error.__cause__
    sync_folder(path.parent)


def _naming(error: BaseException, path: Path) -> BaseException:
    """An error of writing that names the path, which a full disk's does not.

    torch and LMDB tell of a full disk in errors of their own; LMDB's is one
    of input and output, as of a disk that fails.
    """
    if isinstance(error, RuntimeError) and re.search(
            'PytorchStreamWriter|inline_container', str(error)):
        error = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    if isinstance(error, lmdb.Error) and re.search(
            'Input/output error|No space left', str(error)):
        full = shutil.disk_usage(path.parent).free < ROOM
        number = errno.ENOSPC if full else errno.EIO
        return OSError(number, os.strerror(number), str(path))
    if (isinstance(error, OSError) and error.errno in NO_ROOM
            and error.filename is None):
        return OSError(error.errno, error.strerror, str(path))
    return error


def write_atomic(path: Union[str, Path], data: bytes) -> None:
    """Write ``data`` to ``path`` so that it is there whole or not at all.

    Args:
        path (str or Path): The file. Its folder is made where needed.
        data (bytes): Its content.
    """
    with whole_file(path, overwrite=True) as partial:
        partial.write_bytes(data)


def refuse_file(path: Union[str, Path], overwrite: bool = False) -> None:
    """Say early that a file cannot be written, before long work.

    Raises:
        FileExistsError: If something is at ``path`` and may not be replaced.
    """
    path = Path(path)
    if path.is_dir():
        raise FileExistsError(
            f'{path} is a folder; give the path of a file to make')
    _refuse(path, overwrite)


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
    new_parent = not path.parent.exists()
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f'{path.name}.tmp-{os.getpid()}')
    if draft.exists():  # of a dead process that had this process's number
        shutil.rmtree(draft)
    draft.mkdir()
    try:
        yield draft
        refuse_existing(path, overwrite)
        _publish(draft, path)
    except BaseException as error:
        shutil.rmtree(draft, ignore_errors=True)
        if new_parent and not any(path.parent.iterdir()):
            path.parent.rmdir()
        raise _naming(error, path) from error.__cause__


def _publish(draft: Path, path: Path) -> None:
    """Move a folder that is whole to its place."""
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
    _refuse(path, overwrite)


def _refuse(path: Path, overwrite: bool) -> None:
    if path.exists() and not overwrite:
        raise FileExistsError(
            f'{path} exists; give another path, or say that it may be '
            'overwritten (--overwrite)')


def sync_folder(folder: Path) -> None:
    """Bring a rename to the disk, where the system can open folders."""
    with suppress(OSError):  # Windows, some network file systems
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
