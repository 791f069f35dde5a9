"""A sheet of the words that were not read, with their pictures."""
import base64
import html
from pathlib import Path
from typing import Any, List, Sequence, Tuple

import cv2
import numpy as np

from lmim.datasets.decoding import decode_image
from lmim.datasets.labels.reading import Label
from lmim.datasets.records import UnreadableRecordError

from .benchmark_evaluator import WordRecord

#: Most pixels of a picture in the sheet, (height, width).
PICTURE_SIZE = (96, 240)
STYLE = ('body{font-family:sans-serif;margin:2em}'
         'table{border-collapse:collapse}'
         'td,th{border:1px solid #bbb;padding:.3em .7em;text-align:left}'
         'td.text{font-family:monospace;font-size:1.2em;white-space:pre-wrap}'
         'td.text i{color:#b00;font-size:.7em}'
         'td.name{color:#666;font-size:.8em;word-break:break-all}')

#: What the set is called, the data set, and all its words in its order.
MisreadSet = Tuple[str, Any, Sequence[WordRecord]]


def picture_of(dataset: Any, number: int) -> np.ndarray:
    """Read the picture of a word again, as it was before any transform.

    Args:
        dataset (Any): A :class:`TextImageDataset`, or a data set of MMOCR
            whose records name a file.
        number (int): The word.

    Returns:
        np.ndarray: (H, W, 3), uint8, BGR, or (H, W) where it is read so.

    Raises:
        UnreadableRecordError: If it cannot be read.
    """
    if hasattr(dataset, 'load'):
        return dataset.load(number)['img']
    path = dataset.get_data_info(number).get('img_path')
    if path is None:
        raise UnreadableRecordError('its data set names no file')
    try:
        value = Path(path).read_bytes()
    except OSError as error:
        raise UnreadableRecordError(str(error)) from error
    return decode_image(value)


def misread_sheet(heading: str, protocol: str, sets: Sequence[MisreadSet],
                  limit: int) -> str:
    """The sheet, a web page without other files.

    Under a heading that says what was tested stands the protocol by which
    words count as read, then of each set so many words at most.
    """
    title = html.escape(heading)
    parts = [
        '<!DOCTYPE html>\n<html><head><meta charset="utf-8">'
        f'<title>{title}</title><style>{STYLE}</style></head>'
        f'<body>\n<h1>{title}</h1>\n<p>Words that were not '
        f'read ({html.escape(protocol)}), worst first: by edit distance, as a '
        'part of the longer text, and then by the confidence with which they '
        'were misread.</p>\n'
    ]
    for one in sets:
        parts += _section(*one, limit)
    return ''.join([*parts, '</body></html>\n'])


def _section(title: str, dataset: Any, records: Sequence[WordRecord],
             limit: int) -> List[str]:
    """The lines of a set."""
    # With their numbers: the most distant first, and of those the surest.
    wrong = sorted(
        (one for one in enumerate(records) if not one[1].correct),
        key=lambda one: (-one[1].distance, -(one[1].confidence or 0.)))
    parts = [f'<h2>{html.escape(title)}</h2>\n<p>{len(wrong):,} of '
             f'{len(records):,} words were not read.</p>\n']
    if not wrong:
        return parts
    parts.append('<table>\n<tr><th>Picture<th>Label<th>Read<th>Distance'
                 '<th>Confidence<th>Name</tr>\n')
    for number, word in wrong[:limit]:
        sure = word.confidence
        name = Label(dataset, number, None).picture
        parts.append(
            f'<tr><td>{_image(dataset, number)}'
            f'<td class="text">{_text(word.label)}'
            f'<td class="text">{_text(word.read)}<td>{word.distance:.2f}'
            f'<td>{"" if sure is None else f"{sure:.2f}"}'
            f'<td class="name">{html.escape(name)}</tr>\n')
    parts.append('</table>\n')
    if len(wrong) > limit:
        parts.append(f'<p>And {len(wrong) - limit:,} more that are not '
                     'shown.</p>\n')
    return parts


def _image(dataset: Any, number: int) -> str:
    """The picture of a word, made small, or why there is none."""
    try:
        picture = picture_of(dataset, number)
    except UnreadableRecordError as error:
        return html.escape(f'no picture: {error}')
    height, width = picture.shape[:2]
    scale = min(PICTURE_SIZE[0] / height, PICTURE_SIZE[1] / width)
    if scale < 1:
        size = max(1, round(width * scale)), max(1, round(height * scale))
        picture = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    code = cv2.imencode('.jpg', picture, [cv2.IMWRITE_JPEG_QUALITY, 85])[1]
    text = base64.b64encode(code.tobytes()).decode('ascii')
    return f'<img src="data:image/jpeg;base64,{text}" alt="">'


def _text(text: str) -> str:
    """A text, with the code points of what cannot be seen of it."""
    return ''.join(
        html.escape(char) if char.isprintable() else
        f'<i>U+{ord(char):04X}</i>' for char in text)
