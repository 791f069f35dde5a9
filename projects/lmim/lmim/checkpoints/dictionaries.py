"""Dictionaries of recognizers: MMOCR's files, and what a checkpoint carries.

A file has one character a line, in UTF-8. In a checkpoint
``meta['dictionary']`` holds the characters themselves, in the order of their
classes, beside the options of MMOCR's ``Dictionary`` (``with_end`` ...), so
that it can be used where the file is not.
"""
import re
import string
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any, Dict, Iterable, List, Optional, Sequence, Union

from mmocr.models.common.dictionary import Dictionary

from lmim.utils.atomic import whole_file
from lmim.utils.errors import UserError, some
from .config_text import dicts_in

CHARACTERS = 'characters'

#: Digits, lower case, upper case and punctuation, as in ``english_94.txt``.
FIRST = string.digits + string.ascii_letters + string.punctuation

#: Ends of lines cannot stand in such a file.
IMPOSSIBLE = frozenset('\n\r')


def read_dict_file(path: Union[str, Path]) -> List[str]:
    """The characters of a dictionary file, as MMOCR reads it.

    A line that holds one blank is the blank; an empty line is nothing, as is
    a byte order mark at the beginning.

    Raises:
        FileNotFoundError: If there is no such file.
        UserError: If it is empty or MMOCR would refuse it; the message says
            why.
    """
    if not Path(path).is_file():
        raise FileNotFoundError(f'dictionary {path} does not exist')
    try:
        text = Path(path).read_bytes().decode('utf-8-sig')
        with tempfile.TemporaryDirectory() as folder:
            plain = Path(folder) / 'plain.txt'
            plain.write_bytes(text.encode())
            characters = list(Dictionary(str(plain)).dict)
    except UnicodeDecodeError as error:
        raise UserError(f'{path} is not in UTF-8 ({error}); save it as '
                        'such') from error
    except (ValueError, AssertionError) as error:
        raise UserError(f'{path} is no dictionary file, one character a '
                        f'line: {_why(text, error)}') from error
    if not characters:
        raise UserError(f'dictionary {path} is empty')
    return characters


def _why(text: str, error: Exception) -> str:
    """What MMOCR does not tell: the lines that are doubled or too long."""
    lines = re.split('\r\n|\r|\n', text)
    twice = [line for line, n in Counter(lines).items() if n > 1 and line]
    long = [f'line {number} holds {line!r}'
            for number, line in enumerate(lines, 1) if len(line) > 1]
    if long:
        return (f'{some(long)}. Write one code point a line; the marks of '
                'Thai, Arabic or Indic scripts have lines of their own')
    if twice:
        return f'these lines are there twice: {twice}; leave one of each'
    return str(error)


def in_order(characters: Iterable[str], base: Iterable[str] = ()) -> List[str]:
    """Characters in the order in which they come to stand in a file.

    First those of the base, a dictionary that is extended: they keep their
    places, so that a checkpoint's rows stay theirs. Then digits, lower case,
    upper case and punctuation of ASCII; then the rest by code point.
    """
    base = list(base)
    place = {char: number for number, char in enumerate(FIRST)}
    rest = set(characters).difference(base)
    return base + sorted(
        rest, key=lambda char: (place.get(char, len(FIRST)), char))


def write_dict_file(path: Union[str, Path],
                    characters: Iterable[str],
                    overwrite: bool = False) -> None:
    """Write a dictionary file; see :func:`~lmim.utils.atomic.whole_file`.

    None of the characters is one of :data:`IMPOSSIBLE`.
    """
    with whole_file(path, overwrite) as draft:
        draft.write_bytes(''.join(f'{char}\n'
                                  for char in characters).encode('utf-8'))


def dictionaries_of(model: Dict[str, Any]) -> List[Dict[str, Any]]:
    """The configs of all dictionaries in the config of a model."""
    return [part for part in dicts_in(model) if 'dict_file' in part]


def describe_dictionary(
        model: Dict[str, Any],
        characters: Optional[Sequence[str]] = None
) -> Optional[Dict[str, Any]]:
    """Make the entry of a checkpoint for the dictionary of a model's config.

    The characters are by default those of the file that the config names.
    None where the model has no dictionary, or its file is not there.
    """
    for part in dictionaries_of(model):
        if characters is None and Path(part['dict_file']).is_file():
            characters = read_dict_file(part['dict_file'])
        if characters is not None:
            options = {key: value for key, value in part.items()
                       if key not in ('type', 'dict_file', '_scope_')}
            return {CHARACTERS: list(characters), **options}
    return None
