"""What the entries of a list are, and what they say."""
import os
from abc import ABCMeta, abstractmethod
from typing import Any, List, Optional

import numpy as np

from .base import UnreadableRecordError
from .files import IMAGE_SUFFIXES, ReadOnlyFile
from .labels import checked, json_object, plain_label, shown
from .list_scan import entry_starts, line_starts

#: Names that the path and the text have in JSON.
PATH_KEYS = ('img_path', 'filename', 'image')
TEXT_KEYS = ('text', 'label')

#: So many lines (of this many bytes at most) tell the format.
HEAD_LINES = 100
HEAD_BYTES = 2**20

_BOM = b'\xef\xbb\xbf'


class ListFormat(metaclass=ABCMeta):
    """How a list is written.

    Args:
        begin (int): Its first byte, past a byte-order mark.
    """

    #: In words.
    layout: str
    #: Whether it has labels; None if its entries tell.
    labelled: Optional[bool]

    def __init__(self, begin: int) -> None:
        self.begin = begin

    def starts(self, file: ReadOnlyFile) -> np.ndarray:
        """int64 of shape (N + 1, ): where entries begin, and the end."""
        return line_starts(file, self.begin)

    @abstractmethod
    def image(self, entry: bytes) -> str:
        """The path of an entry's image.

        Raises:
            UnreadableRecordError: If it has none.
        """

    @abstractmethod
    def label(self, entry: bytes) -> Optional[str]:
        """The text of an entry, None if it has none.

        Raises:
            UnreadableRecordError: If what is there is no text.
        """


class TextLines(ListFormat):
    """`path<TAB>label`, `path label` (the first blank), or `path`.

    Blanks around the label are no part of it.

    Args:
        begin (int): Its first byte, past a byte-order mark.
        separator (bytes): What separates path and label; empty if there are
            no labels.
    """

    def __init__(self, begin: int, separator: bytes) -> None:
        super().__init__(begin)
        self.separator = separator
        self.labelled = bool(separator)
        self.layout = ('list of paths and labels' if separator else
                       'list of paths')

    def _split(self, entry: bytes) -> List[bytes]:
        line = entry.split(b'\n', 1)[0].strip(b' \r')
        parts = line.split(self.separator, 1) if self.separator else [line]
        return [part.strip(b' \t\r') for part in parts]

    def image(self, entry: bytes) -> str:
        """What comes before the separator."""
        path = self._split(entry)[0]
        if not path:
            raise UnreadableRecordError(f'no path in {shown(entry)}')
        return os.fsdecode(path)

    def label(self, entry: bytes) -> Optional[str]:
        """What comes after the separator."""
        parts = self._split(entry)
        return plain_label(parts[1]) if len(parts) > 1 else None


class JSONLines(ListFormat):
    """One JSON object a line, with a path and perhaps a text."""

    layout = 'JSON lines'
    labelled = None

    def image(self, entry: bytes) -> str:
        """The first of :data:`PATH_KEYS` that is there."""
        value = json_object(self._cut(entry))
        path = next((value[key] for key in PATH_KEYS if key in value), None)
        if not isinstance(path, str) or not path:
            raise UnreadableRecordError(
                f'no path (as one of {", ".join(PATH_KEYS)}) in '
                f'{shown(entry)}')
        return path

    def label(self, entry: bytes) -> Optional[str]:
        """The first of :data:`TEXT_KEYS` in the object or its instance."""
        value = json_object(self._cut(entry))
        text = _text(value)
        if text is None and 'instances' in value:
            text = _text(_instance(value['instances']))
        return None if text is None else checked(text)

    def _cut(self, entry: bytes) -> bytes:
        return entry.split(b'\n', 1)[0]


class MMOCRJSON(JSONLines):
    """MMOCR 1.x: ``data_list`` with ``img_path`` and ``instances``."""

    layout = 'MMOCR JSON'

    def starts(self, file: ReadOnlyFile) -> np.ndarray:
        """int64 of shape (N + 1, ): where entries begin, and the end."""
        return entry_starts(file, self.begin)

    def _cut(self, entry: bytes) -> bytes:
        return entry[:entry.rfind(b'}') + 1]


def _text(value: dict) -> Any:
    return next((value[key] for key in TEXT_KEYS if key in value), None)


def _instance(instances: Any) -> dict:
    """The one instance of a word image."""
    if not isinstance(instances, list) or not all(
            isinstance(instance, dict) for instance in instances):
        raise UnreadableRecordError(
            f'"instances" is no list of objects but {str(instances)[:40]}')
    if len(instances) > 1:
        raise UnreadableRecordError(
            f'it has {len(instances)} instances, and a word image has one: '
            '`tools/data.py crop` cuts words out of scene images')
    return instances[0] if instances else {}


def recognise(file: ReadOnlyFile) -> ListFormat:
    """Tell how a list is written from its first lines.

    Args:
        file (ReadOnlyFile): The list.

    Raises:
        ValueError: If it is empty or no text.
    """
    head = file.read(0, HEAD_BYTES)
    whole = len(head) == file.size
    begin = len(_BOM) if head.startswith(_BOM) else 0
    if head.startswith((b'\xff\xfe', b'\xfe\xff')):
        raise ValueError(f'{file.path} is in UTF-16. Save it as UTF-8.')
    if b'\0' in head:
        raise ValueError(
            f'{file.path} is a file, and no list of images: it is no text. '
            'Give an LMDB, a folder of images, or a list (a line is '
            '`path<TAB>label`, `path label` or `path`; or JSON).')
    lines = head[begin:].split(b'\n')
    if not whole:  # the last one may be cut
        lines = lines[:-1] or lines
    lines = [line.strip(b' \r') for line in lines if line.strip()]
    if not lines:
        raise ValueError(f'{file.path} is empty: it lists no image.')
    if lines[0].lstrip().startswith(b'{'):
        return (JSONLines if _is_json_entry(lines[0]) else MMOCRJSON)(begin)
    if file.path.endswith(('.json', '.jsonl')):
        raise ValueError(
            f'{file.path} does not begin with an object. A list of images is '
            'MMOCR\'s JSON ({"metainfo": {...}, "data_list": [...]}), or one '
            'JSON object a line.')
    return TextLines(begin, _separator(lines[:HEAD_LINES]))


def _is_json_entry(line: bytes) -> bool:
    try:
        return 'data_list' not in json_object(line)
    except UnreadableRecordError:
        return False


def _separator(lines: List[bytes]) -> bytes:
    suffixes = tuple(map(os.fsencode, IMAGE_SUFFIXES))
    tabbed = [line for line in lines if b'\t' in line]
    # A tab may also be part of a label that comes after a blank.
    if len(tabbed) * 2 > len(lines) or any(
            line.split(b'\t')[0].lower().endswith(suffixes)
            for line in tabbed):
        return b'\t'
    if all(line.lower().endswith(suffixes) for line in lines):
        return b''  # paths, perhaps with blanks
    return b' ' if any(b' ' in line for line in lines) else b''
