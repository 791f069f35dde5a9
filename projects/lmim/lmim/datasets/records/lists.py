"""Images that a list names."""
import os.path as osp
from typing import List, Optional

from .base import RecordSource, UnreadableRecordError
from .files import ReadOnlyFile, printable, read_image_file
from .image_root import find_image_root
from .list_formats import HEAD_LINES, recognise
from .shared import share


class ListSource(RecordSource):
    """Images that a list names, with their labels if it has them.

    A list is text (`path<TAB>label`, `path label` or `path` a line), JSON
    lines (``filename``, ``img_path`` or ``image``; ``text`` or ``label``), or
    MMOCR's JSON. It is gone through once; kept is where each entry begins,
    and an entry is read again when it is asked for.

    Args:
        path (str): The list, in UTF-8.
        image_root (str, optional): What its paths are relative to. Defaults
            to the list's own folder, or where else the images are found; see
            :func:`~.image_root.find_image_root`.

    Raises:
        ValueError: If it is no such list, or empty, or none of its first
            images exists.
    """

    def __init__(self, path: str, image_root: Optional[str] = None) -> None:
        self.path = path
        self._file = ReadOnlyFile(path)
        self._format = recognise(self._file)
        self.layout = self._format.layout
        starts = self._format.starts(self._file)
        if len(starts) < 2:
            raise ValueError(f'{path} is empty: it lists no image.')
        self._starts = share(starts)
        self.labelled = (self._has_label() if self._format.labelled is None
                         else self._format.labelled)
        self.image_root = find_image_root(path, self._first_images(),
                                          image_root)

    def __len__(self) -> int:
        return len(self._starts) - 1

    def read(self, index: int) -> bytes:
        """The bytes of an image."""
        return read_image_file(self._image(index))

    def label(self, index: int) -> Optional[str]:
        """The text of an entry."""
        return self._format.label(self._entry(index))

    def name(self, index: int) -> str:
        """The path of an image, or the entry where it names none."""
        try:
            return printable(self._image(index))
        except UnreadableRecordError:
            return f'{self.path} entry {index + 1}'

    def _entry(self, index: int) -> bytes:
        begin, end = self._starts[index:index + 2].tolist()
        return self._file.read(begin, end - begin)

    def _image(self, index: int) -> str:
        return osp.join(self.image_root,
                        self._format.image(self._entry(index)))

    def _has_label(self) -> bool:
        """Whether any of the first entries has one."""
        for index in range(min(len(self), HEAD_LINES)):
            try:
                if self.label(index) is not None:
                    return True
            except UnreadableRecordError:
                continue
        return False

    def _first_images(self) -> List[str]:
        """The first paths.

        Raises:
            ValueError: If none of the first entries has one.
        """
        first = ''
        found = []
        for index in range(min(len(self), HEAD_LINES)):
            try:
                found.append(self._format.image(self._entry(index)))
            except UnreadableRecordError as error:
                first = first or str(error)
        if not found:
            raise ValueError(
                f'{self.path}: none of its first entries names an image. '
                f'The first: {first}.')
        return found
