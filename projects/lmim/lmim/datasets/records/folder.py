"""Images in a folder."""
import os
import os.path as osp
from typing import Iterator, List, Set

from .base import RecordSource
from .files import IMAGE_SUFFIXES, printable, read_image_file
from .log import Progress
from .shared import ByteStrings

_SUFFIXES = tuple(os.fsencode(suffix) for suffix in IMAGE_SUFFIXES)


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
        self._names = ByteStrings(sorted(self._find()))
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

    def _walk(self) -> Iterator['os.DirEntry[bytes]']:
        """Every file below the folder; links are followed, loops are not."""
        seen: Set[bytes] = set()
        folders: List[bytes] = [os.fsencode(self.path)]
        while folders:
            folder = folders.pop()
            real = osp.realpath(folder)
            if real in seen:
                continue
            seen.add(real)
            with os.scandir(folder) as entries:
                for entry in entries:
                    if entry.is_dir():
                        folders.append(entry.path)
                    else:
                        yield entry

    def _find(self) -> Iterator[bytes]:
        """Paths of all images, relative to the folder."""
        progress = Progress(f'searching {self.path}')
        begin = len(osp.join(os.fsencode(self.path), b''))
        found = 0
        for entry in self._walk():
            if entry.name.startswith(b'._'):  # macOS leaves them in archives
                continue
            if entry.name.lower().endswith(_SUFFIXES):
                found += 1
                if found % 1000 == 0:
                    progress.update(found)
                yield entry.path[begin:]
            elif entry.name == b'data.mdb':
                self.lmdbs.append(os.fsdecode(osp.dirname(entry.path)))
