"""Files that are written whole or not at all.

MMEngine's ``LocalBackend`` opens the file itself and writes into it: a run
that is killed meanwhile leaves half a checkpoint under the good name. Here
the bytes go to a neighbour ``<name>.partial``, reach the disk, and only then
take the name, in one step of the file system.
"""
import os
from pathlib import Path
from typing import List, Union

from mmengine.fileio import LocalBackend, register_backend

#: What the name of a file that is being written ends in.
PARTIAL = '.partial'


def write_atomic(path: Union[str, Path], data: bytes) -> None:
    """Write ``data`` to ``path`` so that it is there whole or not at all.

    Args:
        path (str or Path): The file. Its folder is made where needed.
        data (bytes): Its content.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + PARTIAL)
    with open(partial, 'wb') as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    os.replace(partial, path)
    _sync_folder(path.parent)


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


def remove_partial(folder: Union[str, Path]) -> List[Path]:
    """Remove what a killed run was writing when it ended.

    Args:
        folder (str or Path): The folder to look in, not below.

    Returns:
        List[Path]: The files that were removed.
    """
    partials = sorted(Path(folder).glob('*' + PARTIAL))
    for partial in partials:
        partial.unlink()
    return partials


@register_backend('atomic_local')
class AtomicLocalBackend(LocalBackend):
    """MMEngine's local backend, with writes that are whole or not at all.

    ``backend_args=dict(backend='atomic_local')`` chooses it.
    """

    def put(self, obj: bytes, filepath: Union[str, Path]) -> None:
        """Write bytes; see :func:`write_atomic`."""
        write_atomic(filepath, obj)

    def put_text(self,
                 obj: str,
                 filepath: Union[str, Path],
                 encoding: str = 'utf-8') -> None:
        """Write text; see :func:`write_atomic`."""
        write_atomic(filepath, obj.encode(encoding))
