"""How labels are written."""
import json
from typing import Any, Optional, Sequence

from .base import UnreadableRecordError


def plain_label(value: bytes) -> str:
    """Text as it is, in UTF-8.

    Raises:
        UnreadableRecordError: If it is not UTF-8.
    """
    try:
        return value.decode('utf-8')
    except UnicodeDecodeError as error:
        raise UnreadableRecordError(
            f'the label is not UTF-8: {error}') from error


def json_label(value: bytes) -> str:
    """The `text` of an object, as MMOCR writes it into its LMDBs.

    Raises:
        UnreadableRecordError: If it is no such object.
    """
    entry = json_object(value)
    if 'text' not in entry:
        raise UnreadableRecordError(
            f'the label has no "text": {shown(value)}')
    return checked(entry['text'])


def json_object(value: bytes) -> dict:
    """Parse one JSON object.

    Raises:
        UnreadableRecordError: If it is none.
    """
    try:
        entry = json.loads(value.decode('utf-8'))
    except (ValueError, RecursionError) as error:
        raise UnreadableRecordError(
            f'malformed JSON: {error}: {shown(value)}') from error
    if not isinstance(entry, dict):
        raise UnreadableRecordError(f'no JSON object: {shown(value)}')
    return entry


def checked(text: Any) -> str:
    """Text out of a JSON file, if it is text.

    Raises:
        UnreadableRecordError: If it is a number or the like, or has half of a
            surrogate pair, which no UTF-8 can hold.
    """
    if not isinstance(text, str):
        raise UnreadableRecordError(
            f'the label is no string but {str(text)[:40]}')
    try:
        text.encode('utf-8')
    except UnicodeEncodeError as error:
        raise UnreadableRecordError(
            f'the label is no valid text: {error}') from error
    return text


def are_json_labels(values: Sequence[bytes]) -> bool:
    """Whether most labels are JSON objects with a `text`.

    Most, and not each: a word may look like JSON, and among JSON labels may
    be a damaged one.
    """
    return sum(_json_text(value) is not None
               for value in values) * 2 > len(values)


def _json_text(value: bytes) -> Optional[str]:
    if not value.lstrip().startswith(b'{'):
        return None
    try:
        return json_label(value)
    except UnreadableRecordError:
        return None


def shown(value: bytes) -> str:
    """The beginning of a value, for messages."""
    return repr(value[:60].decode('utf-8', 'replace'))
