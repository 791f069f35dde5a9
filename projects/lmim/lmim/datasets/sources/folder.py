"""Images in a folder."""
import os
import os.path as osp
from typing import Iterator, List, Set

import numpy as np

from .base import RecordSource, UnreadableRecordError
from .lmdb import is_lmdb

IMAGE_SUFFIXES = ('.jpg', '.jpeg', '.png', '.bmp', '.tif', '.tiff', '.webp',
                  '.ppm', '.pgm', '.jp2')


class FolderSource(RecordSource):
    """All images in a folder and its sub-folders, in the order of their path.

    The names are held as one block of bytes and an array of offsets: ten
    million names are two Python objects, which workers share after a fork.

    Args:
        path (str): The folder.

    Raises:
        ValueError: If there is no image in it.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        names = sorted(self._find())
        if not names:
            raise ValueError(self._empty_message())
        encoded = [os.fsencode(name) for name in names]
        self._names = b''.join(encoded)
        self._offsets = np.cumsum([0] + [len(name) for name in encoded])

    def __len__(self) -> int:
        return len(self._offsets) - 1

    def read(self, index: int) -> bytes:
        """The bytes of a file."""
        try:
            with open(self.name(index), 'rb') as file:
                value = file.read()
        except OSError as error:
            raise UnreadableRecordError(error.strerror or str(error)) \
                from error
        if not value:
            raise UnreadableRecordError('no bytes')
        return value

    def name(self, index: int) -> str:
        """The path of a file."""
        begin, end = self._offsets[index], self._offsets[index + 1]
        return osp.join(self.path, os.fsdecode(self._names[begin:end]))

    def _walk(self) -> Iterator[os.DirEntry]:
        """Every file below the folder; links are followed, loops are not."""
        seen: Set[str] = set()
        folders: List[str] = [self.path]
        while folders:
            folder = folders.pop()
            if osp.realpath(folder) in seen:
                continue
            seen.add(osp.realpath(folder))
            with os.scandir(folder) as entries:
                for entry in entries:
                    if entry.is_dir():
                        folders.append(entry.path)
                    else:
                        yield entry

    def _find(self) -> Iterator[str]:
        for entry in self._walk():
            if entry.name.lower().endswith(IMAGE_SUFFIXES):
                yield osp.relpath(entry.path, self.path)

    def _empty_message(self) -> str:
        message = (f'{self.path}: no image in this folder or its sub-folders '
                   f'(looked for {", ".join(IMAGE_SUFFIXES)}).')
        lmdbs = sorted({
            osp.dirname(entry.path)
            for entry in self._walk() if is_lmdb(osp.dirname(entry.path))
        })
        if lmdbs:
            message += f' It holds LMDBs; give their paths: {lmdbs}.'
        return message
