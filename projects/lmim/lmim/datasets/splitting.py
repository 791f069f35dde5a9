"""Which part of a split a record belongs to, by its content alone."""
import hashlib
import unicodedata

from lmim.utils.errors import UserError


def part_of(key: bytes, share: float, salt: str = '') -> bool:
    """Whether a record is held out (for validation or test).

    It depends on the key alone: other records, their order and their number
    change nothing, and a larger share only adds to what is held out. Of many
    different keys about ``share`` are held out; of few it can be far off.

    Args:
        key (bytes): What decides: the bytes of the picture, or
            :func:`word_key` of the label where equal words are to stay
            together.
        share (float): The part to hold out, from 0 to 1.
        salt (str): Another salt gives another split.

    Raises:
        UserError: If the share is out of range.
    """
    if not 0 <= share <= 1:
        raise UserError(f'The share to hold out is from 0 to 1, not {share}')
    salted = hashlib.sha256(salt.encode('utf-8')).digest() + key
    number = int.from_bytes(hashlib.sha256(salted).digest()[:8], 'big')
    return number < share * 2**64


def word_key(label: str) -> bytes:
    """The same key for the same word, whatever its case and width.

    Args:
        label (str): The label.
    """
    return unicodedata.normalize('NFKC', label).casefold().encode('utf-8')
