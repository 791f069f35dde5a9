"""Images in a folder, and image files in general."""
import logging
import os
import os.path as osp
import stat
import time
from collections import Counter
from typing import Dict, Iterator, List, Mapping, Set

import cv2

from lmim.compat import MAX_PIXELS

from .base import (PackedBytes, RecordSource, UnreadableRecordError,
                   log_message)

#: What OpenCV decodes, by the names that its documentation of imread has.
IMAGE_SUFFIXES = ('.jpg', '.jpeg', '.jpe', '.jfif', '.png', '.apng', '.bmp',
                  '.dib', '.tif', '.tiff', '.webp', '.avif', '.gif', '.jp2',
                  '.ppm', '.pgm', '.pbm', '.pnm', '.pam', '.sr', '.ras',
                  '.hdr', '.pic')
_SUFFIXES = tuple(os.fsencode(suffix) for suffix in IMAGE_SUFFIXES)
#: A file of more bytes is not read: that is a picture of as many pixels as
#: are decoded, four channels of 16 bits each, and 1 MiB of whatever else.
MAX_BYTES = 8 * MAX_PIXELS + 2**20
#: A long search is reported on this often, in seconds.
REPORT_EVERY = 10.0


class FolderSource(RecordSource):
    """All images in a folder and its sub-folders, in the order of their path.

    Those are files with one of :data:`IMAGE_SUFFIXES`. Of other suffixes the
    first file tells by its bytes whether they are images, and of files
    without one each does; what is left out is counted in the log.

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
        self._kinds: Dict[str, bool] = {}
        #: Files of other kinds, by their suffix.
        self.left_out: Counter = Counter()
        self._names = PackedBytes(sorted(self._find()))
        self.lmdbs.sort()
        if self.left_out and len(self):
            log_message(f'{path}: {left_out(self.left_out)}', logging.INFO)

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
            folders.sort()
            for name in sorted(files):
                # macOS leaves files ._* in archives.
                if name.startswith(b'._') or not self._is_image(
                        osp.join(folder, name)):
                    continue
                found += 1
                if time.monotonic() - last > REPORT_EVERY:
                    last = time.monotonic()
                    log_message(f'searching {self.path}: {found:,} images so '
                                'far', logging.INFO)
                yield osp.join(folder, name)[begin:]


    def _is_image(self, path: bytes) -> bool:
        """Whether a file is an image; others are counted."""
        name = osp.basename(path).lower()
        if name.endswith(_SUFFIXES):
            return True
        suffix = os.fsdecode(osp.splitext(name)[1])
        if not suffix or suffix not in self._kinds:
            self._kinds[suffix] = not name.startswith(b'.') and (
                cv2.haveImageReader(printable(os.fsdecode(path))))
        # LMDBs are named elsewhere, and hidden files are nobody's data.
        if not self._kinds[suffix] and suffix != '.mdb' and (
                not name.startswith(b'.')):
            self.left_out[suffix or 'without suffix'] += 1
        return self._kinds[suffix]


def left_out(kinds: Mapping[str, int]) -> str:
    """How many files of other kinds there are, for messages."""
    count = sum(kinds.values())
    listing = ', '.join(f'{printable(suffix)} {number}' for suffix, number
                        in sorted(kinds.items(), key=lambda kind: (
                            -kind[1], kind[0]))[:10])
    return (f'{count:,} files of other kinds are left out: {listing}'
            if count > 1 else f'1 file of another kind is left out: {listing}')


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
        UnreadableRecordError: If it cannot be read, is empty, is no regular
            file (a device may have no end), or has more than
            :data:`MAX_BYTES`.
    """
    try:
        with open(path, 'rb', opener=_open_at_once) as file:
            status = os.fstat(file.fileno())
            regular = stat.S_ISREG(status.st_mode)
            value = (file.read(status.st_size) if regular
                     and status.st_size <= MAX_BYTES else b'')
    except OSError as error:
        raise UnreadableRecordError(error.strerror or str(error)) from error
    except ValueError as error:  # a path with a NUL or a lone surrogate
        raise UnreadableRecordError(f'no path of a file: {error}') from error
    if status.st_size > MAX_BYTES:
        raise UnreadableRecordError(
            f'{status.st_size:,} bytes are more than a picture has: at most '
            f'{MAX_BYTES:,} are read')
    if not value:
        raise UnreadableRecordError(
            'no bytes' if regular else 'it is no regular file')
    return value


def printable(path: str) -> str:
    """A path as text that any log can take, also if it is not UTF-8."""
    return path.encode('utf-8', 'backslashreplace').decode('utf-8')
