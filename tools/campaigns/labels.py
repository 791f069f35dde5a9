"""Labels to break readers with, and the places in which they stand."""
import csv
import io
import json
import re
from pathlib import Path
from typing import Any, Callable, Dict, List, Optional, Sequence

import lmdb

from .harness import Broken

#: Labels that are odd, and may be read as they are.
TEXTS: Dict[str, Any] = {
    'empty': '', 'a blank': ' ', 'blanks': ' \u3000\xa0 ',
    'a tab': 'a\tb', 'a line feed': 'a\nb', 'a carriage return': 'a\rb',
    'a line separator': 'a\u2028b', 'a next line': 'a\x85b',
    'a form feed': 'a\x0cb\x1cc', 'NUL': 'a\0b', 'NUL alone': '\0',
    'a byte order mark': '\ufeffword', 'right-to-left marks':
    '\u202eword\u202c\u200f', 'Arabic': '\u0643\u062a\u0627\u0628',
    'combining marks': 'e' + '\u0301' * 500, 'joined emoji':
    '\U0001f469\u200d\U0001f469\u200d\U0001f467', 'no character of Unicode':
    '\uffff\U0010ffff', '10,000 characters': 'word' * 2500, '10,000,000 '
    'characters': 'x' * 10**7, 'quotation marks': '"a" ""b', 'a quotation '
    'mark': '"', 'apostrophes': "'a'", 'commas': 'a,b;c', 'backslashes':
    'a\\nb\\', 'a path': '../../etc/passwd', 'a file': 'bad.png',
    'markup': '<script>alert(1)</script>', 'JSON': '{"text": "other"}',
    'JSON of more': '{"text": 1}', 'a formula': '=cmd|"/c calc"!A1',
    'a template': '{{ 1 + 1 }} {0} %s', 'a number': '007', 'true': 'true',
    'a hash': '###', 'null': 'null',
}
#: What is no text; in JSON alone, but for bytes.
NONE: Dict[str, Any] = {
    'a number of JSON': 7, 'no text': None, 'a list': ['a'], 'an object':
    {'text': 'a'}, 'half a surrogate pair': 'a\ud800', 'surrogates the wrong '
    'way round': '\udc00\ud800', 'a byte that is no UTF-8': b'a\xff\xfeb',
    'a surrogate as bytes': b'\xed\xa0\x80', 'a character cut off':
    b'a\xe4\xb8', 'an overlong slash': b'\xc0\xaf', 'UTF-16': 'word'.encode(
        'utf-16'), 'JSON 1,000 objects deep': b'{"text": ' * 1000,
    'JSON of a number of 5,000 digits': b'{"text": ' + b'1' * 5000 + b'}',
}


def write_lmdb(path: Path, pictures: Sequence[bytes],
               labels: Sequence[Any], as_json: bool) -> Path:
    """An LMDB as of PARSeq, or as of MMOCR."""
    env = lmdb.open(str(path), map_size=2**26)
    with env.begin(write=True) as transaction:
        transaction.put(b'num-samples', b'%d' % len(pictures))
        for number, (picture, label) in enumerate(zip(pictures, labels), 1):
            transaction.put(b'image-%09d' % number, picture)
            value = (label if isinstance(label, bytes) else
                     json.dumps(dict(text=label)).encode() if as_json else
                     label.encode())
            transaction.put(b'label-%09d' % number, value)
    env.close()
    return path


def _tabs(names: Sequence[str], labels: Sequence[Any]) -> bytes:
    return b''.join(name.encode() + b'\t' + _bytes(label) + b'\n'
                    for name, label in zip(names, labels))


def _bytes(label: Any) -> bytes:
    return label if isinstance(label, bytes) else label.encode()


def _commas(names: Sequence[str], labels: Sequence[Any]) -> bytes:
    file = io.StringIO()
    csv.writer(file).writerows([('filename', 'text'), *zip(names, labels)])
    return file.getvalue().encode()


def _lines(names: Sequence[str], labels: Sequence[Any]) -> bytes:
    return b''.join(
        b'{"filename": "%s", "text": %s}\n' % (name.encode(), _json(label))
        for name, label in zip(names, labels))


def _mmocr(names: Sequence[str], labels: Sequence[Any]) -> bytes:
    entries = b', '.join(
        b'{"img_path": "%s", "instances": [{"text": %s}]}' % (
            name.encode(), _json(label))
        for name, label in zip(names, labels))
    return (b'{"metainfo": {"dataset_type": "TextRecogDataset", "task_name": '
            b'"textrecog"}, "data_list": [' + entries + b']}')


def _json(label: Any) -> bytes:
    return (b'"' + label + b'"' if isinstance(label, bytes)
            else json.dumps(label).encode())


#: Formats of a list, by its name.
LISTS: Dict[str, Callable[[Sequence[str], Sequence[Any]], bytes]] = {
    'list.txt': _tabs, 'list.csv': _commas, 'list.jsonl': _lines,
    'list.json': _mmocr}


def can_hold(name: str, label: Any) -> bool:
    """Whether a label can be written into a list of a format."""
    if isinstance(label, bytes):
        return name not in ('list.csv', 'list.json')
    if name in ('list.txt', 'list.csv'):
        # A line of them is a record, and blanks around are no part of it.
        return isinstance(label, str) and '\n' not in label and (
            label.isprintable() or name == 'list.txt' and not
            re.search('[\r\ud800-\udfff]', label))
    return True


def right(label: Any, found: Optional[str], name: str) -> None:
    """Check what was read of a label that was written.

    Raises:
        Broken: If it is another text.
    """
    wanted = label if isinstance(label, str) else None
    if isinstance(label, bytes) and 'json' not in name:
        wanted = label.decode(errors='ignore')  # another, unless it is valid
        wanted = wanted if wanted.encode() == label else None
    allowed: List[Any] = [wanted]
    if name in ('list.txt', 'list.csv') and wanted is not None:
        allowed += [wanted.strip(' \t\r'), wanted.strip(), wanted.strip('"')]
    if found not in allowed:
        raise Broken(f'{name}: {found!r:.80} was read of {label!r:.80}')
