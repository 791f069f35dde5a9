"""Contact sheets, and captions in any script."""
import cv2
import numpy as np
import pytest

from lmim.visualization.sheet import (contact_sheet, draw_caption, draw_sheet,
                                      enlarge, save_picture)


def drawn(text: str, width: int = 190) -> np.ndarray:
    """Ink of a line of text, bool of shape (20, 200)."""
    image = np.full((20, 200, 3), 255, np.uint8)
    draw_caption(image, text, (3, 15), width)
    return (image < 128).any(axis=2)


def test_scripts_are_drawn_as_themselves():
    """Each has ink of its own, and none is a row of boxes."""
    inks = [drawn(text) for text in ('word', 'Wörd', 'слово', 'λόγος')]
    for at, ink in enumerate(inks):
        assert ink.sum() > 40
        assert all((ink != other).any() for other in inks[:at])
    assert (drawn('\U0010fffe') == drawn('\\U0010fffe')).all()
    assert (drawn('a\u200bb') == drawn('a\\u200bb')).all()
    assert not drawn('').any()


def test_contact_sheet(tmp_path):
    pictures = [np.full((60, 20, 3), 100, np.uint8)] * 5
    sheet = contact_sheet(zip(pictures, ['a', 'b', 'слово', '', 'e']), 4)
    assert sheet.shape == (2 * 68, 4 * 196, 3)
    # Shrunk to the height of a cell, 48.
    assert (sheet[2:50, 2:18] == 100).all() and (sheet[50:52] == 255).all()
    assert (sheet[54:68, 2 * 196:3 * 196] < 128).any()
    assert (sheet[68:, 196:] == 255).all()
    noted = contact_sheet(zip(pictures, 'abcde'), 4, note='word ' * 50)
    assert noted.shape[0] == 2 * 68 + 3 * 16
    assert (noted[2 * 68:] < 128).any()
    with pytest.raises(ValueError, match='one picture'):
        contact_sheet([])
    save_picture(sheet, tmp_path / 'sheet.png')
    assert np.array_equal(cv2.imread(str(tmp_path / 'sheet.png')), sheet)
    assert [file.name for file in tmp_path.iterdir()] == ['sheet.png']


def test_small_pictures_keep_their_pixels():
    """Each is repeated as often as there is room."""
    rng = np.random.default_rng(0)
    first, second = rng.integers(0, 255, (2, 2, 8, 16, 3), dtype=np.uint8)
    sheet = draw_sheet([('one', first), ('two', second)], ['a', 'b'],
                       'A note. ' * 9, width=40)
    step = 16 + 20 + 20  # a name, a picture (8 * 40 / 16 high), a caption
    for row in range(2):
        for column, pictures in enumerate((first, second)):
            y, x = 16 + 2 + row * step, 2 + column * 44
            assert np.array_equal(sheet[y:y + 16, x:x + 32],
                                  enlarge(pictures[row], 2))
    assert (sheet[2 * step:] < 128).any() and len(sheet) > 2 * step + 16
