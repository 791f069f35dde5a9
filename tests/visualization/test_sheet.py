"""Contact sheets, and captions in any script."""
import numpy as np
import pytest

from lmim.visualization.sheet import contact_sheet, draw_caption


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


def test_long_lines_are_cut():
    ink = drawn('word ' * 30, width=100)
    assert not ink[:, 104:].any()
    assert (ink[:, :60] == drawn('word ' * 30)[:, :60]).all()
    # The dots are low, unlike letters.
    last = np.flatnonzero(ink.any(axis=0))[-1]
    assert not ink[:12, last - 5:].any()


def test_contact_sheet():
    pictures = [np.full((60, 20, 3), 100, np.uint8)] * 5
    sheet = contact_sheet(zip(pictures, ['a', 'b', 'слово', '', 'e']), 4)
    assert sheet.shape == (2 * 68, 4 * 196, 3)
    # Shrunk to the height of a cell, 48.
    assert (sheet[2:50, 2:18] == 100).all() and (sheet[50:52] == 255).all()
    assert (sheet[54:68, 2 * 196:3 * 196] < 128).any()
    assert (sheet[68:, 196:] == 255).all()
    with pytest.raises(ValueError, match='one picture'):
        contact_sheet([])
