"""Reading files from several processes."""
import os
import stat
from typing import Any, Dict, Optional, Tuple

from .base import UnreadableRecordError

IMAGE_SUFFIXES = ('.jpg', '.jpeg', '.png', '.bmp', '.tif', '.tiff', '.webp',
                  '.ppm', '.pgm', '.jp2')


class ReadOnlyFile:
    """Parts of a file, read without mapping it and without a position.

    It can be used after a fork, and is opened anew after it was sent to
    another process.

    Args:
        path (str): The file.

    Raises:
        OSError: If it cannot be opened.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self._handle: Optional[int] = None
        self._facts: Optional[Tuple[int, int]] = None
        self._open()

    @property
    def size(self) -> int:
        """int: Bytes in the file."""
        return self._facts[0] if self._facts else 0

    def read(self, offset: int, size: int) -> bytes:
        """Read some bytes; fewer at the end of the file.

        Raises:
            RuntimeError: If the file was changed since another process
                opened it, so that offsets no longer hold.
        """
        handle, parts = self._open(), []
        while size > 0:
            part = os.pread(handle, size, offset)
            if not part:
                break
            parts.append(part)
            offset += len(part)
            size -= len(part)
        return parts[0] if len(parts) == 1 else b''.join(parts)

    def _open(self) -> int:
        if self._handle is None:
            handle = os.open(self.path, os.O_RDONLY)
            status = os.fstat(handle)
            facts = (status.st_size, status.st_mtime_ns)
            if self._facts not in (None, facts):
                os.close(handle)
                raise RuntimeError(
                    f'{self.path} was changed while it is in use. Start '
                    'again, and leave it as it is meanwhile.')
            self._handle, self._facts = handle, facts
        return self._handle

    def __getstate__(self) -> Dict[str, Any]:
        return {**self.__dict__, '_handle': None}

    def __del__(self) -> None:
        handle = self.__dict__.get('_handle')
        if handle is not None:
            os.close(handle)


def _open_at_once(path: str, flags: int) -> int:
    """Open without waiting for the other end of a named pipe."""
    return os.open(path, flags | getattr(os, 'O_NONBLOCK', 0))


def read_image_file(path: str) -> bytes:
    """Read a whole file that somebody else has named.

    Args:
        path (str): The file.

    Raises:
        UnreadableRecordError: If it cannot be read, is empty, or is no file
            (a device may have no end).
    """
    try:
        with open(path, 'rb', opener=_open_at_once) as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise UnreadableRecordError('it is no regular file')
            value = file.read()
    except OSError as error:
        raise UnreadableRecordError(error.strerror or str(error)) from error
    except ValueError as error:  # a path with a NUL or a lone surrogate
        raise UnreadableRecordError(f'no path of a file: {error}') from error
    if not value:
        raise UnreadableRecordError('no bytes')
    return value


def printable(path: str) -> str:
    """A path as text that any log can take, also if it is not UTF-8."""
    return path.encode('utf-8', 'backslashreplace').decode('utf-8')
