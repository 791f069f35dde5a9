"""Images that a list names."""
import functools
import itertools
import json
import logging
import os
import os.path as osp
from pathlib import Path
from typing import Any, Callable, Iterator, List, Optional, Sequence, Tuple

from lmim.utils.errors import UserError

from .base import (PackedBytes, RecordSource, UnreadableRecordError,
                   log_message)
from .folder import IMAGE_SUFFIXES, printable, read_image_file
from .lines import Layout, diagnosis, encoding_of, layout_of
from .labels import checked, json_object, plain_label, shown

#: Names that the path and the text have in JSON.
PATH_KEYS = ('img_path', 'filename', 'image', 'file_name')
TEXT_KEYS = ('text', 'label')

#: So many lines (of this many bytes at most) tell the format.
HEAD_LINES = 100
HEAD_BYTES = 2**20
#: Folders above the list that may be the one its paths are relative to.
LEVELS = 3

#: Layouts of which a file is parsed as a whole.
_WHOLE = ('MMOCR JSON', 'JSON array')
#: An object in an entry may be bytes already, see :func:`_entry_as_bytes`.
_encode = json.JSONEncoder(ensure_ascii=False, separators=(',', ':'),
                           default=json.loads).encode


class ListSource(RecordSource):
    """Images that a list names, with their labels if it has them.

    A list is text (`path<TAB>label`, `path label` or `path` a line), a table
    (CSV, with or without heading), the lists of ICDAR, MJSynth and PaddleOCR,
    JSON lines (``filename``, ``img_path`` or ``image``; ``text`` or
    ``label``) or a JSON array of such objects, docTR's ``labels.json``, or
    MMOCR's JSON. It is read once; its entries are kept as bytes in shared
    memory, and one is parsed when it is asked for.

    Args:
        path (str): The list, in UTF-8 or UTF-16. Text in another encoding is
            read as GBK or cp1252, which the log says.
        image_root (str, optional): What its paths are relative to. Defaults
            to the list's own folder; or, where its images are not there, to
            the one of the folders above and in it that has them.

    Raises:
        UserError: If it is no such list, or empty, or none of its first
            images exists.
    """

    def __init__(self, path: str, image_root: Optional[str] = None) -> None:
        self.path = path
        head = _Head(path)
        self.layout, self._separator, layout = _recognise(path, head)
        if self.layout.startswith(_WHOLE):
            self._entries = PackedBytes(_json_entries(path, head.encoding))
        else:
            self._entries = PackedBytes(_lines(path, head, layout))
        #: What is done to a path that is not found as it stands.
        self._repair: Callable[[str], str] = str
        if not len(self):
            raise UserError(f'{path} is empty: it lists no image.')
        self.labelled = (
            bool(self._separator) if self._separator is not None else
            any(label is not None for label in self._first(self.label)))
        self.image_root = self._find_images(head.encoding, image_root)

    def __len__(self) -> int:
        return len(self._entries)

    def read(self, index: int) -> bytes:
        """The bytes of an image."""
        return read_image_file(self._image(index))

    def label(self, index: int) -> Optional[str]:
        """The text of an entry."""
        entry = self._entries[index]
        if self._separator is None:
            return _json_text(json_object(entry))
        parts = _split(entry, self._separator)
        return plain_label(parts[1]) if len(parts) > 1 else None

    def name(self, index: int) -> str:
        """The path of an image, or the entry where it names none."""
        try:
            return printable(self._image(index))
        except UnreadableRecordError:
            return f'{self.path} entry {index + 1}'

    def _image(self, index: int) -> str:
        return osp.join(self.image_root, self._path(index))

    def _path(self, index: int) -> str:
        """The path of an entry as the list has it."""
        entry = self._entries[index]
        path: Any
        if self._separator is None:
            value = json_object(entry)
            path = next((value[key] for key in PATH_KEYS if key in value), '')
        else:
            path = os.fsdecode(_split(entry, self._separator)[0])
        if isinstance(path, str):
            path = self._repair(path)
        if not isinstance(path, str) or not path:
            names = ('' if self._separator is not None else
                     f' (as one of {", ".join(PATH_KEYS)})')
            raise UnreadableRecordError(f'no path{names} in {shown(entry)}')
        return path

    def _find_images(self, encoding: str, given: Optional[str]) -> str:
        """The folder that paths are relative to; they may need a repair."""
        images = self._first_images()
        repairs: List[Callable[[str], str]] = [str]
        slashed = [image for image in images if '\\' in image]
        if slashed:  # of Windows, unless there are such names here
            own = osp.dirname(self.path) if given is None else given
            repairs.insert(_any_exists(own, slashed), _with_slashes)
        if encoding in ('gb18030', 'cp1252'):  # names of files, too
            repairs.append(functools.partial(_as_bytes_of, encoding))
        for self._repair in repairs:
            root = _find_image_root(self.path, [
                self._repair(image) for image in images], given)
            if root is not None:
                return root
        raise UserError(_not_found(self.path, images, given))

    def _first(self, read: Callable[[int], Any]) -> Iterator[Any]:
        """What is read of the first entries, without those at fault."""
        for index in range(min(len(self), HEAD_LINES)):
            try:
                yield read(index)
            except UnreadableRecordError:
                continue

    def _first_images(self) -> List[str]:
        """The first paths.

        Raises:
            UserError: If none of the first entries has one.
        """
        found = list(self._first(self._path))
        if not found:
            raise UserError(
                f'{self.path}: none of its first entries names an image. The '
                f'first: {shown(self._entries[0])}. JSON names it as one of '
                f'{", ".join(PATH_KEYS)}.')
        return found


class _Head:
    """The beginning of a list: encoding, ends of lines, first lines."""

    def __init__(self, path: str) -> None:
        with open(path, 'rb') as file:
            head = file.read(HEAD_BYTES)
        whole = len(head) < HEAD_BYTES
        self.encoding, self.guessed = encoding_of(head, whole)
        text = head.decode(self.encoding, 'surrogateescape' if self.encoding
                           == 'utf-8-sig' else 'replace')
        if '\0' in text:
            raise UserError(
                f'{path} is a file, and no list of images: it is no text. '
                'Give an LMDB, a folder of images, or a list (a line is '
                '`path<TAB>label`, `path label` or `path`; or JSON).')
        if self.guessed and text.lstrip()[:1] in ('{', '['):
            # JSON is, but for lines that are damaged.
            self.encoding, self.guessed = 'utf-8-sig', False
        self.newline = '\n' if '\n' in text else '\r'
        lines = text.split(self.newline)
        if not whole:  # the last one may be cut
            lines = lines[:-1] or lines
        self.lines = [line.strip(' \r') for line in lines if line.strip()]
        if not self.lines:
            raise UserError(f'{path} is empty: it lists no image.')


def _recognise(path: str, head: _Head
               ) -> Tuple[str, Optional[bytes], Optional[Layout]]:
    """The layout of a list in words, what separates path and label, and how.

    What separates is empty where there are no labels, None where entries are
    JSON.
    """
    first = head.lines[0].lstrip()
    if first.startswith('{'):
        try:
            entry = json_object(_utf8(first))
            whole = 'data_list' in entry or _names_pictures(entry)
        except UnreadableRecordError:
            whole = True
        return ('MMOCR JSON' if whole else 'JSON lines'), None, None
    if first.startswith('[{') or first.startswith('[') and path.endswith(
            '.json'):
        return 'JSON array', None, None
    if path.endswith(('.json', '.jsonl')):
        raise UserError(
            f'{path} does not begin with an object. A list of images is '
            'MMOCR\'s JSON ({"metainfo": {...}, "data_list": [...]}), or one '
            'JSON object a line.')
    if head.guessed:
        log_message(
            f'{path} is not in UTF-8: it is read as {head.encoding}, of which '
            f'this is the first line: {head.lines[0][:80]!r}. If that is not '
            'right, save it as UTF-8.')
    lines = head.lines[:HEAD_LINES]
    layout = layout_of(path, lines)
    separator = (b'\t' if layout is not None else
                 _separator([_utf8(line) for line in lines]))
    return ('list of paths' + (' and labels' if separator else ''), separator,
            layout)


def _utf8(text: str) -> bytes:
    return text.encode('utf-8', 'surrogateescape')


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


def _split(line: bytes, separator: bytes) -> List[bytes]:
    """Path and label of a line; blanks around them are no part of them."""
    parts = line.split(separator, 1) if separator else [line]
    return [part.strip(b' \t\r') for part in parts]


def _lines(path: str, head: _Head,
           layout: Optional[Layout]) -> Iterator[bytes]:
    """Lines of a text that are not blank."""
    with open(path, encoding=head.encoding, newline=head.newline, errors=(
            'surrogateescape' if head.encoding == 'utf-8-sig' else 'replace')
              ) as file:
        lines = (line.strip(' \r\n') for line in file if line.strip())
        if layout is None:
            yield from map(_utf8, lines)
            return
        for line in itertools.islice(lines, layout.skipped, None):
            yield from map(_utf8, layout.convert(line))


def _json_entries(path: str, encoding: str) -> List[bytes]:
    """The entries of a whole JSON file, each as the bytes of an object.

    Raises:
        UserError: If it is no JSON, or none that lists images.
    """
    if encoding != 'utf-16':
        encoding = 'utf-8-sig'
    try:
        with open(path, encoding=encoding) as file:
            # An entry becomes bytes as soon as it is parsed: the dicts of
            # all of them would take three times the memory.
            content = json.load(file, object_hook=_entry_as_bytes)
    except UnicodeDecodeError as error:
        raise UserError(f'{path} is JSON, which is in UTF-8, and this is not: '
                        f'{error}. Save it as UTF-8.') from error
    except (ValueError, RecursionError) as error:
        raise UserError(
            f"{path} is neither JSON lines (an object a line) nor MMOCR's "
            f'JSON ({{"metainfo": {{...}}, "data_list": [...]}}): {error}.'
        ) from error
    entries = content
    if isinstance(content, dict):
        entries = content.get('data_list')
        if entries is None and _names_pictures(content) and all(
                isinstance(text, str) for text in content.values()):  # docTR
            return [_as_bytes(dict(filename=name, text=text))
                    for name, text in content.items()]
        if entries is None and content and all(
                isinstance(value, dict) and 'polygons' in value
                for value in content.values()):
            raise UserError(
                f'{path} is a list for text detection (of docTR). Cut the '
                "words out first; `lmim data crop` takes MMOCR's JSON.")
    if not isinstance(entries, list):
        raise UserError(
            f'{path} is one JSON object without a list "data_list". A list '
            'of images is MMOCR\'s JSON ({"metainfo": {...}, "data_list": '
            '[...]}), or JSON lines (an object a line).')
    return [entry if isinstance(entry, bytes) else _as_bytes(entry)
            for entry in entries]


def _names_pictures(entry: dict) -> bool:
    """Whether the keys of an object are names of pictures."""
    return bool(entry) and all(name.lower().endswith(IMAGE_SUFFIXES)
                               for name in entry)


def _entry_as_bytes(value: dict) -> Any:
    """An object as bytes if it names an image, and as it is otherwise."""
    if 'data_list' in value or not any(key in value for key in PATH_KEYS):
        return value
    return _as_bytes(value)


def _as_bytes(value: Any) -> bytes:
    return _encode(value).encode('utf-8', 'surrogatepass')


def _json_text(value: dict) -> Optional[str]:
    """The first of :data:`TEXT_KEYS` in an object or in its instance.

    Raises:
        UnreadableRecordError: If what is there is no text.
    """
    holders = [value]
    if not any(key in value for key in TEXT_KEYS) and 'instances' in value:
        holders = value['instances']
        if not isinstance(holders, list) or not all(
                isinstance(one, dict) for one in holders):
            raise UnreadableRecordError(
                f'"instances" is no list of objects but {str(holders)[:40]}')
        if len(holders) > 1:
            raise UnreadableRecordError(
                f'it has {len(holders)} instances, and a word image has one: '
                '`lmim data crop` cuts words out of scene images')
    for key in TEXT_KEYS:
        if holders and key in holders[0]:
            return checked(holders[0][key])
    return None


def _with_slashes(path: str) -> str:
    return path.replace('\\', '/')


def _as_bytes_of(encoding: str, path: str) -> str:
    """A name as the bytes that it has in another encoding."""
    return os.fsdecode(path.encode(encoding, 'replace'))


def _find_image_root(path: str, images: Sequence[str],
                     given: Optional[str] = None) -> Optional[str]:
    """The folder that the paths in a list are relative to; None if unknown.

    That is the list's own folder, unless the images are not there but
    relative to exactly one of: the folders above it, the folders in it, the
    working directory.
    """
    own = osp.dirname(path)
    likely = own if given is None else given
    if _any_exists(likely, images):
        return likely
    others = list(_others(own)) if given is None else []
    found = [root for root in others if _any_exists(root, images)]
    if len(found) == 1:
        log_message(f'{path}: its paths are relative to {found[0]}.',
                    logging.INFO)
        return found[0]
    if found:
        raise UserError(
            f'{path}: the images may be relative to any of '
            f'{", ".join(found)}. {_fix(path)}')
    return None


def _fix(path: str) -> str:
    return ('Give the folder that its paths are relative to as image_root: '
            f'dict(path={path!r}, image_root=FOLDER) in a config, '
            '`--image-root FOLDER` on the command line.')


def _not_found(path: str, images: Sequence[str],
               given: Optional[str]) -> str:
    """Why no picture of a list is found, as far as its paths tell."""
    told = diagnosis(images)
    if told:
        return (f'{path}: none of the first {len(images)} images exists, for '
                f'example {images[0]!r}: {told}.')
    own = osp.dirname(path)
    tried = ', '.join(root or 'the working directory' for root in (
        [own, *_others(own)] if given is None else [given]))
    return (f'{path}: none of the first {len(images)} images exists, for '
            f'example {images[0]!r}, relative to {tried}. {_fix(path)}')


def _any_exists(root: str, images: Sequence[str]) -> bool:
    return any(osp.isfile(osp.join(root, image)) for image in images)


def _others(own: str) -> Iterator[str]:
    """Other folders that paths may be relative to, each once."""
    above = list(Path(osp.abspath(own)).parents)[:LEVELS]
    below = sorted(path for path in Path(own or '.').iterdir()
                   if path.is_dir())
    seen = {osp.realpath(own)}
    for root in [*map(str, [*above, *below]), '']:
        if osp.realpath(root) not in seen:
            seen.add(osp.realpath(root))
            yield root
