"""What was read, written down."""
import csv
import io
import json
from pathlib import Path
from typing import Dict, Optional

from .recognition import Recognition

#: What each suffix of a file means.
SUFFIXES: Dict[str, str] = {
    '.txt': 'text', '.tsv': 'text', '.jsonl': 'jsonl', '.csv': 'csv'
}
FORMATS = ('text', 'jsonl', 'csv')
_COLUMNS = ('source', 'text', 'score', 'char_scores', 'polygon', 'error')


def format_for(path: Optional[Path], named: Optional[str]) -> str:
    """The format of an output.

    Args:
        path (Path, optional): The file, None for standard output.
        named (str, optional): One of :data:`FORMATS`, if it was named.

    Raises:
        ValueError: If the suffix of the file tells of none.
    """
    if named is not None:
        return named
    if path is None:
        return 'text'
    if path.suffix.lower() not in SUFFIXES:
        raise ValueError(
            f'{path}: the suffix tells the format, '
            f'{", ".join(SUFFIXES)}; or name it with --format')
    return SUFFIXES[path.suffix.lower()]


def header(kind: str) -> str:
    """What the output begins with."""
    return _csv_line(_COLUMNS) if kind == 'csv' else ''


def line(word: Recognition, kind: str) -> str:
    """A word in a format, with the end of the line.

    Args:
        word (Recognition): It. The text format leaves unreadable ones out:
            they are told on standard error.
        kind (str): One of :data:`FORMATS`. Text is source, text and score
            and, in a photograph, the polygon, with tabs between them.
    """
    held = word.to_dict()
    if kind == 'jsonl':
        return json.dumps(held, ensure_ascii=False) + '\n'
    numbers = ' '.join(map(str, held['char_scores']))
    polygon = ','.join(f'{number:g}' for number in held.get('polygon', []))
    if kind == 'csv':
        return _csv_line([
            word.source, word.text, held['score'], numbers, polygon,
            word.error or ''
        ])
    if word.error is not None:
        return ''
    fields = [word.source, word.text, f'{word.score:.4f}']
    return '\t'.join(fields + ([polygon] if polygon else [])) + '\n'


def _csv_line(fields: object) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator='\n').writerow(fields)  # type: ignore
    return text.getvalue()
