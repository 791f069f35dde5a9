"""What is to be told of a single character, for it may be invisible."""
import re
import unicodedata
from functools import lru_cache
from typing import Dict, Optional

#: Characters that people and programs write in place of those of ASCII, and
#: which Unicode's compatibility forms (NFKC) leave alone.
_MEANT: Dict[str, str] = {
    **dict.fromkeys('\u2018\u2019\u201a\u201b\u2032\u00b4\u02b9\u02bc\u02c8',
                    "'"),
    **dict.fromkeys('\u201c\u201d\u201e\u201f\u2033\u02ba', '"'),
    **dict.fromkeys('\u2010\u2011\u2012\u2013\u2014\u2015\u2043\u2212', '-'),
    **dict.fromkeys('\u2044\u2215', '/'),
    '\u2217': '*',
    '\u2223': '|',
    '\u223c': '~',
    '\u301c': '~',
    '\u00d7': 'x',
    '\t': ' ',
    '\u2028': ' ',
    '\u2029': ' ',
}

#: Those that Unicode does not class as formats: fillers of Hangul and Khmer,
#: the grapheme joiner, variation selectors.
_INVISIBLE = re.compile('[\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0'
                        '\ufe00-\ufe0f\U000e0100-\U000e01ef]')


def named_character(char: str) -> str:
    """A character with its code point."""
    return f'{char!r} (U+{ord(char):04X})'


@lru_cache(maxsize=None)
def oddity(char: str) -> Optional[str]:
    """What is odd about a character in the label of a picture.

    Args:
        char (str): One character.

    Returns:
        str, optional: Its kind in words; None if it is an ordinary one.
    """
    category = unicodedata.category(char)
    if char == '\ufffd':
        return 'sign of text that was decoded wrongly'
    if category == 'Cc':
        return 'control character'
    if category == 'Cf' or _INVISIBLE.match(char):
        return 'invisible character'
    if category in ('Co', 'Cn', 'Cs'):
        return 'code point without a character'
    if category in ('Zs', 'Zl', 'Zp'):
        return None if char == ' ' else 'blank other than U+0020'
    if category in ('Mn', 'Mc', 'Me'):
        return 'combining mark'
    if unicodedata.decomposition(char).startswith(('<wide>', '<narrow>')):
        return 'full-width or half-width form'
    return None


@lru_cache(maxsize=None)
def meant_as(char: str) -> Optional[str]:
    """What a character is a look-alike or a compatibility form of.

    A typographer's quotation marks, dashes and blanks, full-width forms,
    ligatures.

    Args:
        char (str): One character.

    Returns:
        str, optional: The plain text that is mostly meant, '' if nothing is
        to be seen of the character; None if it stands for itself.
    """
    if char in _MEANT:
        return _MEANT[char]
    if oddity(char) in ('control character', 'invisible character'):
        return ''
    plain = unicodedata.normalize('NFKC', char)
    return None if plain == char else plain
