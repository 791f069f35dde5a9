"""Where the entries of a list begin, found without keeping them."""
import json
import re
from array import array
from typing import Iterator, List, Tuple

import numpy as np

from .files import ReadOnlyFile
from .log import Progress

#: Bytes read at once, and the most that one entry may have.
BLOCK = 4 * 2**20
LONGEST = 4 * BLOCK

_BLANKS = re.compile(r'[ \t\n\r]*').match
_NEXT_OBJECT = re.compile(r'[ \t\n\r]*,[ \t\n\r]*(?=\{)').match


def line_starts(file: ReadOnlyFile, begin: int = 0) -> np.ndarray:
    """Where the lines begin that are not blank.

    Args:
        file (ReadOnlyFile): Text of one byte for ASCII characters (UTF-8).
        begin (int): First byte to look at.

    Returns:
        np.ndarray: int64 of shape (N + 1, ): for each line its first byte,
        and the end of the file.

    Raises:
        ValueError: If a line is longer than :data:`LONGEST`.
    """
    starts: List[np.ndarray] = [np.zeros(0, np.int64)]
    progress = Progress(f'indexing {file.path}', file.size)
    found = 0
    for offset, block in _whole_lines(file, begin):
        codes = np.frombuffer(block, np.uint8)
        first = np.append(0, np.flatnonzero(codes[:-1] == ord('\n')) + 1)
        # Codes up to 32 are blanks and control characters.
        full = np.logical_or.reduceat(codes > 32, first)
        starts.append(first[full] + offset)
        found += len(starts[-1])
        progress.update(found, offset)
    return np.concatenate([*starts, [file.size]]).astype(np.int64)


def _whole_lines(file: ReadOnlyFile,
                 begin: int) -> Iterator[Tuple[int, bytes]]:
    """Blocks that end with a line, and where they begin."""
    size = BLOCK
    while begin < file.size:
        block = file.read(begin, size)
        end = block.rfind(b'\n') + 1
        if begin + len(block) == file.size:
            end = len(block)
        if not end:
            size *= 2
            if size > LONGEST:
                raise ValueError(
                    f'{file.path} is no list: the line at byte {begin:,} has '
                    f'more than {len(block):,} bytes.')
            continue
        yield begin, block[:end]
        begin, size = begin + end, BLOCK


def entry_starts(file: ReadOnlyFile, begin: int = 0) -> np.ndarray:
    """Where the entries of ``data_list`` begin in MMOCR's JSON.

    Args:
        file (ReadOnlyFile): ``{"metainfo": ..., "data_list": [...]}``.
        begin (int): First byte to look at.

    Returns:
        np.ndarray: int64 of shape (N + 1, ): for each entry its first byte,
        and the end of the last one.

    Raises:
        ValueError: If it is no JSON, or has no such list.
    """
    text = _JSONText(file, begin)
    text.expect('{')
    while text.value() != 'data_list':
        text.expect(':')
        text.value()
        if text.peek() == '}':
            raise ValueError(
                f'{file.path} is one JSON object without "data_list". A list '
                'of images is MMOCR\'s JSON ({"metainfo": {...}, '
                '"data_list": [...]}), or JSON lines (an object a line).')
        text.expect(',')
    text.expect(':')
    text.expect('[')
    return text.starts()


class _JSONText:
    """A JSON file, of which a part is in memory.

    Bytes are taken for Latin-1, so that a character is a byte: what has a
    meaning in JSON is ASCII, and what strings say is not looked at here.
    """

    def __init__(self, file: ReadOnlyFile, begin: int) -> None:
        self.file = file
        self.offset = begin  # of the part, in the file
        self.at = 0  # in the part
        self.part = ''
        self._decode = json.JSONDecoder().raw_decode

    def value(self) -> object:
        """Parse the value that is next.

        Raises:
            ValueError: If there is none, or it has more than
                :data:`LONGEST` bytes.
        """
        self.peek()
        size = BLOCK
        while True:
            try:
                value, end = self._decode(self.part, self.at)
                # A number that ends with the part may go on.
                if end < len(self.part) or not self._more(size):
                    break
            except (ValueError, RecursionError) as error:
                if len(self.part) - self.at > LONGEST or not self._more(size):
                    raise self._malformed(
                        getattr(error, 'msg', error),
                        getattr(error, 'pos', self.at)) from error
                size *= 2
        self.at = end
        return value

    def expect(self, character: str) -> None:
        """Pass a character that must be next.

        Raises:
            ValueError: If it is not.
        """
        if self.peek() != character:
            raise self._malformed(f"Expecting '{character}'", self.at)
        self.at += 1

    def peek(self) -> str:
        """The next character that is no blank, '' at the end."""
        while True:
            self.at = _BLANKS(self.part, self.at).end()  # type: ignore[union-attr]
            if self.at < len(self.part) or not self._more(BLOCK):
                return self.part[self.at:self.at + 1]

    def starts(self) -> np.ndarray:
        """The first byte of each element of a list, and the end of it."""
        starts = array('q')
        progress = Progress(f'indexing {self.file.path}', self.file.size)
        while self.peek() != ']':
            starts.append(self.offset + self.at)
            self.value()
            self._pass_objects(starts)
            progress.update(len(starts), self.offset)
            if self.peek() != ']':
                self.expect(',')
        starts.append(self.offset + self.at)
        return np.array(starts, np.int64)

    def _pass_objects(self, starts: 'array[int]') -> None:
        """Pass those that lie whole in this part, and note their begin.

        This is :meth:`value` and :meth:`peek` for what needs no care, in
        half of the time.
        """
        part, at = self.part, self.at
        following = _NEXT_OBJECT(part, at)
        while following is not None:
            begin = following.end()
            try:
                _, at = self._decode(part, begin)
            except (ValueError, RecursionError):
                break  # cut off here, or malformed: value() will tell
            starts.append(self.offset + begin)
            following = _NEXT_OBJECT(part, at)
        self.at = at

    def _more(self, size: int) -> bool:
        """Read on, and forget what was gone through; False at the end."""
        value = self.file.read(self.offset + len(self.part), size)
        if not value:
            return False
        self.part = self.part[self.at:] + value.decode('latin-1')
        self.offset += self.at
        self.at = 0
        return True

    def _malformed(self, what: object, at: int) -> ValueError:
        return ValueError(
            f'{self.file.path} is neither JSON lines (an object a line) nor '
            'MMOCR\'s JSON ({"metainfo": {...}, "data_list": [...]}): '
            f'{what} at byte {self.offset + at:,}.')
