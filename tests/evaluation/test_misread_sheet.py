"""The sheet of misread words: order, pictures, what a text may hold."""
import base64
import re
from pathlib import Path
from typing import Any, List, Optional

import cv2
import numpy as np
import pytest

from lmim.datasets.text_image_dataset import TextImageDataset
from lmim.evaluation.benchmark_evaluator import WordRecord
from lmim.evaluation.misread_sheet import (
    misread_sheet,
    picture_of,
)

from .oracle import write_words


def wrong(distance: float, label: str, read: str,
          confidence: Optional[float] = 0.5) -> WordRecord:
    return WordRecord(label, read, confidence, False, False, distance, False,
                      False, False)


RIGHT = WordRecord('x', 'x', 0.9, True, True, 0., False, False, False)
RECORDS = [
    wrong(0.5, 'c', 'third', 0.9),
    RIGHT,
    wrong(1., 'b', 'second', 0.3),
    wrong(0.5, 'd', 'last', None),
    wrong(1., 'a', 'first', 0.8),
]


def pictures(sheet: str) -> List[np.ndarray]:
    """The pictures in a sheet, decoded."""
    codes = re.findall(r'src="data:image/jpeg;base64,([^"]+)"', sheet)
    return [cv2.imdecode(np.frombuffer(base64.b64decode(code), 'uint8'),
                         cv2.IMREAD_COLOR) for code in codes]


@pytest.fixture
def words(tmp_path: Path) -> Any:
    """Five words; the picture of number n has the grey value 10 n."""
    return TextImageDataset(str(write_words(tmp_path / 'w.lmdb', 'cxbda')))


def test_pictures_stand_by_their_words(words: Any) -> None:
    sheet = misread_sheet('Misread by x.pth', 'by the rules',
                          [('IIIT5K', words, RECORDS)], 3)
    shown = re.findall(r'<td class="text">(.*?)<td class="text">(.*?)<td>',
                       sheet)
    assert shown == [('a', 'first'), ('b', 'second'), ('c', 'third')]
    assert [round(picture.mean()) for picture in pictures(sheet)] == [
        40, 20, 0]
    assert '<p>4 of 5 words were not read.</p>' in sheet
    assert '<p>And 1 more that are not shown.</p>' in sheet
    assert re.findall(r'<td>(1\.00|0\.50)\s*<td>([0-9.]*)<', sheet) == [
        ('1.00', '0.80'), ('1.00', '0.30'), ('0.50', '0.90')]
    assert words.describe(4) in sheet
    # It needs no other file.
    assert not re.search(r'https?:|(?:src|href)="(?!data:)', sheet)


def test_texts_are_shown_and_not_run(words: Any) -> None:
    evil = '<script>alert("x")</script>&'
    records = [wrong(1., evil, 'a\u202eb\x00\n')]
    sheet = misread_sheet(f'of {evil}', 'by <b>', [
        (f'set {evil}', words, records)], 5)
    assert '<script' not in sheet and '<b>' not in sheet
    assert sheet.count('&lt;script&gt;alert(&quot;x&quot;)') == 4
    assert 'a<i>U+202E</i>b<i>U+0000</i><i>U+000A</i>' in sheet
    assert 'not shown' not in sheet


def test_pictures_are_made_small(tmp_path: Path) -> None:
    for name, size in (('tall', (960, 40)), ('wide', (40, 4800)),
                       ('thin', (2000, 1))):
        cv2.imwrite(str(tmp_path / f'{name}.png'),
                    np.full((*size, 3), 99, 'uint8'))
    dataset = TextImageDataset(str(tmp_path))
    sheet = misread_sheet('x', 'y', [
        ('A', dataset, [wrong(1., 'a', 'b')] * 3)], 5)
    assert [picture.shape for picture in pictures(sheet)] == [
        (96, 4, 3), (96, 1, 3), (2, 240, 3)]


class FileSet:
    """A data set as MMOCR's, whose records name files."""

    def __init__(self, *paths: Any) -> None:
        self.paths = paths

    def get_data_info(self, index: int) -> dict:
        path = self.paths[index]
        return {} if path is None else dict(img_path=str(path))


def test_pictures_of_other_data_sets_come_from_their_files(
        tmp_path: Path) -> None:
    path = tmp_path / 'a.png'
    cv2.imwrite(str(path), np.full((8, 9, 3), 7, 'uint8'))
    assert picture_of(FileSet(path), 0).shape == (8, 9, 3)
    gone = tmp_path / 'gone.png'
    sheet = misread_sheet('x', 'y', [
        ('A', FileSet(gone, None), [wrong(1., 'a', 'b')] * 2)], 5)
    assert 'no picture: [Errno 2] No such file or directory: ' in sheet
    assert str(gone) in sheet
    assert 'no picture: its data set names no file' in sheet
