"""Lines of lists as other programs write them, made `path<TAB>label`."""
import ast
import csv
import re
from functools import partial
from typing import Callable, List, NamedTuple, Optional, Sequence, Tuple

from lmim.utils.errors import UserError

from .folder import IMAGE_SUFFIXES

#: Headings that tables give the column of the path, and that of the text.
PATH_HEADINGS = ('filename', 'file_name', 'file', 'filepath', 'file_path',
                 'path', 'img', 'img_path', 'img_name', 'imgpath', 'image',
                 'image_path', 'image_name', 'image_file', 'name')
TEXT_HEADINGS = ('words', 'word', 'text', 'texts', 'label', 'labels',
                 'transcription', 'transcript', 'gt', 'ground_truth',
                 'groundtruth', 'caption', 'string')
DELIMITERS = '\t,;'
#: Of MJSynth's annotation_*.txt: the word is in the name of the picture, and
#: what follows is its number in the lexicon.
_MJSYNTH = re.compile(r'(.*\d+_([^/_]+)_(\d+)\.jpg) (\d+)')
#: Of the word recognition tasks of ICDAR: a blank after the comma, quotation
#: marks around all texts, and backslashes before those in a text.
_ICDAR = re.compile(r'([^,"]+),\s+"(.*)"')
#: Of PaddleOCR: several pictures of one text, as JSON or as Python shows them.
_SEVERAL = re.compile(r'(\[\s*["\'].*?["\']\s*\])\t(.*)')


class Layout(NamedTuple):
    """How the lines of a list are laid out.

    Attributes:
        convert (Callable): From a line to lines of `path<TAB>label`.
        skipped (int): So many lines at the beginning are no records.
    """
    convert: Callable[[str], List[str]]
    skipped: int = 0


def layout_of(path: str, lines: Sequence[str]) -> Optional[Layout]:
    """The layout of a list, or None if it is `path<TAB>label` or simpler.

    Args:
        path (str): The list, for messages.
        lines (Sequence[str]): Its first lines, without blank ones.

    Raises:
        UserError: If it is for text detection, or a table in which no column
            is known to hold the text.
    """
    first = lines[0]
    if _most(lines, _MJSYNTH.fullmatch) and all(
            found[3] == found[4] for found in map(_MJSYNTH.fullmatch, lines)
            if found):
        return Layout(_from_mjsynth)
    if _most(lines, _SEVERAL.fullmatch):
        return Layout(_from_several)
    if '\t[{' in first and '"transcription"' in first:
        raise UserError(
            f'{path} is a list for text detection (of PaddleOCR): each line '
            'has the places of several words. Cut them out first; `lmim data '
            "crop` takes MMOCR's JSON of text detection or spotting.")
    if _most(lines, _ICDAR.fullmatch):
        return Layout(_from_icdar)
    separator = re.fullmatch('sep=(.)', first)  # written for Excel
    start = 1 if separator else 0
    delimiters = separator[1] if separator else DELIMITERS
    for delimiter in delimiters:
        heading = _heading(path, lines[start:], delimiter)
        if heading is not None:
            return Layout(heading, start + 1)
    for delimiter in delimiters.replace('\t', ''):
        cells = [line.partition(delimiter) for line in lines[start:]]
        if 2 * sum(bool(found) and _is_name(image)
                   for image, found, _ in cells) > len(cells):
            return Layout(partial(_pair, delimiter=delimiter), start)
    return None


def _most(lines: Sequence[str], test: Callable) -> bool:
    return 2 * sum(bool(test(line)) for line in lines) > len(lines)


def _is_name(cell: str) -> bool:
    """Whether a cell is the name of a picture."""
    return cell.strip(' "\'').lower().endswith(IMAGE_SUFFIXES)


def _heading(path: str, lines: Sequence[str],
             delimiter: str) -> Optional[Callable[[str], List[str]]]:
    """How rows are read below a heading; None if there is none."""
    names = [name.strip().lower() for name in _cells(lines[0], delimiter)]
    rows = [_cells(line, delimiter) for line in lines[1:]]
    if len(names) < 2 or not rows or any(map(_is_name, names)):
        return None
    known = [_index(names, headings)
             for headings in (PATH_HEADINGS, TEXT_HEADINGS)]
    pictures = [number for number in range(len(names)) if all(
        len(row) > number and _is_name(row[number]) for row in rows)]
    image = known[0] if known[0] is not None else (
        pictures[0] if pictures and path.lower().endswith(
            ('.csv', '.tsv')) else None)
    if image is None or not (pictures or known[1] is not None):
        return None
    others = [number for number in range(len(names)) if number != image]
    text = known[1] if known[1] is not None else (
        others[0] if len(others) == 1 else None)
    if text is None:
        raise UserError(
            f'{path} is a table with the columns {", ".join(names)}, and none '
            f'of them is known to hold the text. Call it `text`.')
    if (image, text, len(names)) == (0, 1, 2) and delimiter != '\t':
        return partial(_pair, delimiter=delimiter)

    def convert(line: str) -> List[str]:
        row = _cells(line, delimiter)
        return ['\t'.join(row[number].strip() if number < len(row) else ''
                          for number in (image, text))]

    return convert


def _index(names: List[str], headings: Sequence[str]) -> Optional[int]:
    return next((names.index(one) for one in headings if one in names), None)


def _cells(line: str, delimiter: str) -> List[str]:
    """The cells of a row; one that is none of a table is a cell."""
    try:
        return next(csv.reader([line], delimiter=delimiter), [])
    except csv.Error:  # a carriage return in it, or endless quotation
        return [line]


def _in_two(line: str, delimiter: str) -> str:
    """Path and text; the text may have delimiters, quoted or not."""
    image, _, text = line.partition(delimiter)
    if image.count('"') % 2:  # one within the quoted path
        cells = _cells(line, delimiter)
        return '\t'.join([cells[0], delimiter.join(cells[1:])])
    return f'{_unquoted(image)}\t{_unquoted(text)}'


def _pair(line: str, delimiter: str) -> List[str]:
    return [_in_two(line, delimiter)]


def _unquoted(cell: str) -> str:
    """A cell without the quotation marks that a table needs."""
    cell = cell.strip()
    inner = cell[1:-1].replace('""', '')
    if len(cell) > 1 and cell[0] == cell[-1] == '"' and '"' not in inner:
        return cell[1:-1].replace('""', '"')
    return cell


def _from_icdar(line: str) -> List[str]:
    found = _ICDAR.fullmatch(line)
    if found is None:
        return [_in_two(line, ',')]
    text = re.sub(r'\\(["\\])', r'\1', found[2])
    return [f'{found[1].strip()}\t{text}']


def _from_mjsynth(line: str) -> List[str]:
    found = _MJSYNTH.fullmatch(line)
    return [f'{found[1]}\t{found[2]}' if found else line]


def _from_several(line: str) -> List[str]:
    found = _SEVERAL.fullmatch(line)
    if found is None:
        return [line]
    try:
        images = ast.literal_eval(found[1])
    except (MemoryError, RecursionError, SyntaxError, ValueError):
        return [line]
    return [f'{str(image).strip()}\t{found[2]}' for image in images]


def encoding_of(head: bytes, whole: bool) -> Tuple[str, bool]:
    """The encoding of a list, and whether that is a guess.

    UTF-8, with or without byte order mark, and UTF-16 are known; a list most
    lines of which are UTF-8 is that, with lines that are damaged. What else
    Windows writes is guessed: GBK where most bytes beyond ASCII are pairs of
    which the first is that of a common Chinese character, else cp1252.

    Args:
        head (bytes): Its beginning.
        whole (bool): Whether that is all of it.
    """
    if head.startswith((b'\xff\xfe', b'\xfe\xff')):
        return 'utf-16', False
    try:
        head.decode('utf-8')
        return 'utf-8-sig', False
    except UnicodeDecodeError as error:
        if not whole and error.start > len(head) - 4:  # a character is cut
            return 'utf-8-sig', False
    if head.startswith(b'\xef\xbb\xbf') or b'\0' in head:
        return 'utf-8-sig', False
    lines = [line for line in re.split(b'[\r\n]+', head)
             if not line.isascii()]
    if 2 * sum(map(_is_utf8, lines)) > len(lines):
        return 'utf-8-sig', False
    beyond = sum(byte > 127 for byte in head)
    common = 2 * len(re.findall(b'[\xa1-\xa9\xb0-\xd7][\xa1-\xfe]', head))
    return ('gb18030' if common > 0.7 * beyond else 'cp1252'), True


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode('utf-8')
    except UnicodeDecodeError:
        return False
    return True


def diagnosis(images: Sequence[str]) -> str:
    """What is odd about the paths of a list whose pictures are not found."""
    first = images[0]
    if any(re.match(r'[A-Za-z]:[\\/]', image) for image in images):
        return ('the paths are those of a Windows machine. Cut off what comes '
                'before the folder that is here')
    if any('\\' in image for image in images):
        return 'the paths contain backslashes (and / in their place, too)'
    for suffix in IMAGE_SUFFIXES:
        at = first.lower().find(suffix)
        after = first[at + len(suffix):][:1] if at > 0 else ''
        if after and not after.isalnum() and after not in '/._-':
            return (f'what follows the name of the picture is {after!r} '
                    f'(U+{ord(after):04X}), and between path and label stands '
                    'a tab, a blank, a comma or a semicolon')
    if not any(map(_is_name, images)):
        return ('the first column names no picture: perhaps columns are '
                'swapped, or the list has a column too many. A line is '
                '`path<TAB>label`')
    return ''
