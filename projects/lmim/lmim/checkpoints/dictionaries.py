"""Dictionaries of recognizers: MMOCR's files, and what a checkpoint carries.

A file has one character a line, in UTF-8. In a checkpoint
``meta['dictionary']`` holds the characters themselves, in the order of their
classes, beside the options of MMOCR's ``Dictionary`` (``with_end`` ...), so
that it can be used where the file is not.
"""
import string
from collections import Counter
from pathlib import Path
from typing import Any, Dict, Iterable, List, Optional, Sequence, Union

from mmocr.models.common.dictionary import Dictionary

from lmim.utils.atomic import whole_file
from lmim.utils.errors import UserError
from .config_text import dicts_in

CHARACTERS = 'characters'

#: Digits, lower case, upper case and punctuation, as in ``english_94.txt``.
FIRST = string.digits + string.ascii_letters + string.punctuation

#: Ends of lines cannot stand in such a file.
IMPOSSIBLE = frozenset('\n\r')


def read_dict_file(path: Union[str, Path]) -> List[str]:
    """The characters of a dictionary file, as MMOCR reads it.

    A line that holds one blank is the blank; an empty line is nothing.

    Raises:
        FileNotFoundError: If there is no such file.
        UserError: If it is empty or MMOCR would refuse it; the message says
            why.
    """
    if not Path(path).is_file():
        raise FileNotFoundError(f'dictionary {path} does not exist')
    try:
        characters = list(Dictionary(str(path)).dict)
    except UnicodeDecodeError as error:
        raise UserError(f'{path} is not in UTF-8 ({error}); save it as '
                        'such, without byte order mark') from error
    except (ValueError, AssertionError) as error:
        raise UserError(f'{path} is no dictionary file, one character a '
                        f'line: {_why(path, error)}') from error
    if not characters:
        raise UserError(f'dictionary {path} is empty')
    return characters


def _why(path: Union[str, Path], error: Exception) -> str:
    """What MMOCR does not tell: a byte order mark, the doubled lines."""
    text = Path(path).read_text(encoding='utf-8')
    if text.startswith('\ufeff'):
        return 'it begins with a byte order mark; save it as UTF-8 without one'
    twice = [line for line, n in Counter(text.splitlines()).items()
             if n > 1 and line]
    if isinstance(error, AssertionError) and twice:
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
