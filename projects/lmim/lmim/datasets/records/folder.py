"""Images in a folder, and image files in general."""
import logging
import os
import os.path as osp
import stat
import time
from typing import Iterator, List, Set

from .base import (PackedBytes, RecordSource, UnreadableRecordError,
                   log_message)

IMAGE_SUFFIXES = ('.jpg', '.jpeg', '.png', '.bmp', '.tif', '.tiff', '.webp',
                  '.ppm', '.pgm', '.jp2')
_SUFFIXES = tuple(os.fsencode(suffix) for suffix in IMAGE_SUFFIXES)
#: A long search is reported on this often, in seconds.
REPORT_EVERY = 10.0


class FolderSource(RecordSource):
    """All images in a folder and its sub-folders, in the order of their path.

    Args:
        path (str): The folder. There may be no image in it.

    Attributes:
        lmdbs (List[str]): LMDBs below the folder, which are not read.
    """

    layout = 'folder of images'
    labelled = False

    def __init__(self, path: str) -> None:
        self.path = path
        self.lmdbs: List[str] = []
        self._names = PackedBytes(sorted(self._find()))
        self.lmdbs.sort()

    def __len__(self) -> int:
        return len(self._names)

    def read(self, index: int) -> bytes:
        """The bytes of a file."""
        return read_image_file(self._file(index))

    def name(self, index: int) -> str:
        """The path of a file."""
        return printable(self._file(index))

    def _file(self, index: int) -> str:
        return osp.join(self.path, os.fsdecode(self._names[index]))

    def _find(self) -> Iterator[bytes]:
        """Paths of all images, relative to the folder.

        Links are followed, loops are not.
        """
        begin = len(osp.join(os.fsencode(self.path), b''))
        seen: Set[bytes] = set()
        found, last = 0, time.monotonic()
        for folder, folders, files in os.walk(
                os.fsencode(self.path), onerror=_fail, followlinks=True):
            real = osp.realpath(folder)
            if real in seen:
                folders.clear()
                continue
            seen.add(real)
            if b'data.mdb' in files:
                self.lmdbs.append(os.fsdecode(folder))
            for name in files:
                # macOS leaves files ._* in archives.
                if name.startswith(b'._') or not name.lower().endswith(
                        _SUFFIXES):
                    continue
                found += 1
                if time.monotonic() - last > REPORT_EVERY:
                    last = time.monotonic()
                    log_message(f'searching {self.path}: {found:,} images so '
                                'far', logging.INFO)
                yield osp.join(folder, name)[begin:]


def _fail(error: OSError) -> None:
    raise error


def _open_at_once(path: str, flags: int) -> int:
    """Open without waiting for the other end of a named pipe."""
    return os.open(path, flags | getattr(os, 'O_NONBLOCK', 0))


def read_image_file(path: str) -> bytes:
    """Read a whole file whose name comes from a stranger's data.

    Args:
        path (str): The file.

    Raises:
        UnreadableRecordError: If it cannot be read, is empty, or is no
            regular file (a device may have no end).
    """
    try:
        with open(path, 'rb', opener=_open_at_once) as file:
            regular = stat.S_ISREG(os.fstat(file.fileno()).st_mode)
            value = file.read() if regular else b''
    except OSError as error:
        raise UnreadableRecordError(error.strerror or str(error)) from error
    except ValueError as error:  # a path with a NUL or a lone surrogate
        raise UnreadableRecordError(f'no path of a file: {error}') from error
    if not value:
        raise UnreadableRecordError(
            'no bytes' if regular else 'it is no regular file')
    return value


def printable(path: str) -> str:
    """A path as text that any log can take, also if it is not UTF-8."""
    return path.encode('utf-8', 'backslashreplace').decode('utf-8')
