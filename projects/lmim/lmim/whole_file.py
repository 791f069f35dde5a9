"""Files that are written whole or not at all.

The bytes go to a neighbour ``<name>.partial``, reach the disk, and only then
take the name, in one step of the file system. A process that is killed
meanwhile leaves the neighbour, and what had the name before.
"""
import os
from contextlib import contextmanager
from pathlib import Path
from typing import Iterator, Union

#: What the name of a file that is being written ends in.
PARTIAL = '.partial'


@contextmanager
def whole_file(path: Union[str, Path]) -> Iterator[Path]:
    """Write a file under another name, and rename it once it is whole.

    An error inside removes what was written.

    Args:
        path (str or Path): The file. Its folder is made where needed.

    Yields:
        Path: The path to write to.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + PARTIAL)
    try:
        yield partial
        with open(partial, 'rb+') as file:
            os.fsync(file.fileno())
        os.replace(partial, path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


def write_atomic(path: Union[str, Path], data: bytes) -> None:
    """Write ``data`` to ``path`` so that it is there whole or not at all.

    Args:
        path (str or Path): The file. Its folder is made where needed.
        data (bytes): Its content.
    """
    with whole_file(path) as partial:
        partial.write_bytes(data)


def _sync_folder(folder: Path) -> None:
    """Bring a rename to the disk, where the system can open folders."""
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError:  # Windows, some network file systems
        return
    try:
        os.fsync(handle)
    except OSError:
        pass
    finally:
        os.close(handle)
