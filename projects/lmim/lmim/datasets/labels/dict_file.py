"""MMOCR's dictionary files: one character a line, in UTF-8."""
import string
from collections import Counter
from pathlib import Path
from typing import Iterable, List, Union

from mmocr.models.common.dictionary import Dictionary

from lmim.utils.atomic import whole_file

#: Digits, lower case, upper case and punctuation, as in ``english_94.txt``.
FIRST = string.digits + string.ascii_letters + string.punctuation

#: Ends of lines cannot stand in such a file.
IMPOSSIBLE = frozenset('\n\r')


def read_dict_file(path: Union[str, Path]) -> List[str]:
    """The characters of a dictionary file, as MMOCR reads it.

    A line that holds one blank is the blank; an empty line is nothing.

    Args:
        path (str or Path): The file.

    Raises:
        OSError: If it cannot be opened.
        ValueError: If MMOCR would refuse it; the message says why.
    """
    try:
        return list(Dictionary(str(path)).dict)
    except UnicodeDecodeError as error:
        raise ValueError(f'{path} is not in UTF-8 ({error}); save it as '
                         'such, without byte order mark') from error
    except (ValueError, AssertionError) as error:
        raise ValueError(f'{path} is no dictionary file, one character a '
                         f'line: {_why(path, error)}') from error


def _why(path: Union[str, Path], error: Exception) -> str:
    """What MMOCR does not tell: a byte order mark, the doubled lines."""
    text = Path(path).read_text(encoding='utf-8')
    if text.startswith('\ufeff'):
        return ('it begins with a byte order mark; save it as UTF-8 without '
                'one')
    twice = [line for line, n in Counter(text.splitlines()).items()
             if n > 1 and line]
    if isinstance(error, AssertionError) and twice:
        return f'these lines are there twice: {twice}; leave one of each'
    return str(error)


def in_order(characters: Iterable[str], base: Iterable[str] = ()) -> List[str]:
    """Characters in the order in which they come to stand in a file.

    The same characters always come in the same order.

    Args:
        characters (Iterable[str]): What the dictionary is to hold.
        base (Iterable[str]): Characters of a dictionary that is extended:
            they keep their places, so that a checkpoint's rows stay theirs.

    Returns:
        List[str]: Those of the base; then digits, lower case, upper case and
        punctuation of ASCII; then the rest by code point.
    """
    base = list(base)
    place = {char: number for number, char in enumerate(FIRST)}
    rest = set(characters).difference(base)
    return base + sorted(
        rest, key=lambda char: (place.get(char, len(FIRST)), char))


def write_dict_file(path: Union[str, Path],
                    characters: Iterable[str],
                    overwrite: bool = False) -> None:
    """Write a dictionary file, whole or not at all.

    Args:
        path (str or Path): The file.
        characters (Iterable[str]): None of :data:`IMPOSSIBLE`.
        overwrite (bool): Whether a file that is there gives way.

    Raises:
        FileExistsError: If it is there and may not be replaced.
    """
    with whole_file(path, overwrite) as draft:
        draft.write_bytes(''.join(f'{char}\n'
                                  for char in characters).encode('utf-8'))
