"""A folder that one process at a time writes to."""
import errno
import os
import socket
from pathlib import Path
from typing import Dict, Union

from .errors import UserError

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

#: The file in a folder that is locked.
LOCK = '.lock'
#: What holds the locks of this process.
_HELD: Dict[str, int] = {}


def claim_folder(folder: Union[str, Path]) -> None:
    """Make a folder, and claim it until this process ends.

    The system lets go of the claim when the process ends, however it does.
    Claims of the same process do not exclude each other, nor do its workers
    hold any. Where the file system has no locks, nothing is claimed.

    Args:
        folder (str or Path): The folder.

    Raises:
        UserError: If another process has claimed it, with its number and
            machine.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    name = str(folder.resolve())
    if fcntl is None or name in _HELD:
        return
    file = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        owner = os.read(file, 100).decode(errors='replace').strip()
        os.close(file)
        if error.errno in (errno.EACCES, errno.EAGAIN):
            raise UserError(
                f'another run ({owner or "which says nothing of itself"}) '
                f'writes into {folder}: choose another --work-dir, or end '
                'it first') from error
        return  # a file system without locks
    os.truncate(file, 0)
    os.write(file, f'process {os.getpid()} on {socket.gethostname()}\n'
             .encode())
    _HELD[name] = file
