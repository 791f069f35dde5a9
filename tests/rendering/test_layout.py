"""Where letters are: boxes and masks."""
import string
from dataclasses import replace

import cv2
import numpy as np
import pytest

from lmim.rendering import (RenderedWords, WordGenerator, WordRenderer,
                            find_fonts)

ALPHABET = string.ascii_letters + string.digits


@pytest.fixture(scope='module')
def fonts():
    return {font.name: font for font in find_fonts('a')}


@pytest.fixture(scope='module')
def clean():
    style = WordRenderer(difficulty=0, dark_text=True, min_contrast=200,
                         jpeg_quality=(100, 100)).draw_style(
                             np.random.default_rng(0))
    return replace(style, height=48)


def filled(boxes, shape, grow=0):
    """A mask of quadrilaterals, with fractions of pixels."""
    mask = np.zeros(shape, np.uint8)
    for box in boxes:
        cv2.fillPoly(mask, [np.round(box * 16).astype(np.int32)], 255,
                     shift=4)
    return cv2.dilate(mask, np.ones((2 * grow + 1, ) * 2)) > 0


def test_boxes_hold_each_letter_and_nothing_else(fonts, clean):
    """Of level letters that stand apart, they are the bounding boxes."""
    for name in ('DejaVuSans', 'cmr10', 'STIXGeneralBolIta'):
        word = WordRenderer().compose('Hgxo8', fonts[name],
                                      replace(clean, spacing=0.3))
        number, _, stats, _ = cv2.connectedComponentsWithStats(
            (word.mask > 15).astype(np.uint8))
        assert number == 6 and word.boxes.shape == (5, 4, 2)
        assert word.boxes.dtype == np.float32
        parts = sorted(stats[1:], key=lambda row: row[0])
        for box, (x, y, width, height, _) in zip(word.boxes, parts):
            # From top left clockwise, around centres of pixels.
            wanted = np.array([[x, y], [x + width, y],
                               [x + width, y + height], [x, y + height]])
            np.testing.assert_allclose(box, wanted - 0.5, atol=1.1)


def test_boxes_follow_curves_and_perspective():
    renderer = WordRenderer(bent=0.7, tilted=0.3, perspective=0.2)
    words = RenderedWords(25, WordGenerator('train', ALPHABET, (2, 9)),
                          renderer=renderer, seed=1)
    tight = []
    for word in words:
        ink = word.mask > 127
        boxes = word.boxes
        assert word.mask.shape == word.image.shape[:2]
        assert word.mask.dtype == np.uint8
        assert boxes.shape == (len(word.text), 4, 2)
        assert not (ink & ~filled(boxes, ink.shape, grow=1)).any(), word.text
        for box in boxes:
            own = ink & filled([box], ink.shape)
            assert own.any(), word.text
            tight.append(own.sum() / filled([box], ink.shape).sum())
        # In reading order, the right way up.
        centers = boxes.mean(axis=1)
        forward = np.diff(centers, axis=0) @ (centers[-1] - centers[0])
        assert (forward > 0).all(), word.text
        tops, feet = boxes[:, :2].mean(axis=1), boxes[:, 2:].mean(axis=1)
        assert (tops[:, 1] < feet[:, 1]).all()
        assert (boxes[:, 1, 0] > boxes[:, 0, 0]).all()
    assert 0.25 < np.mean(tight) < 0.7  # letters fill about half


@pytest.mark.parametrize('style', [
    dict(), dict(bent=0.7, tilted=0.3, perspective=0.2, spaced=0.5)])
def test_letters_tell_whose_ink_it_is(style):
    words = RenderedWords(20, WordGenerator('train', ALPHABET, (2, 9)),
                          renderer=WordRenderer(**style), seed=1)
    for word in words:
        letters, ink = word.letters, word.mask >= 128
        assert letters.dtype == np.uint8 and not letters[~ink].any()
        assert np.array_equal(letters > 0, ink)
        assert set(np.unique(letters)) == set(range(len(word.text) + 1))
        for number, box in enumerate(word.boxes, 1):
            room = filled([box], ink.shape, grow=1)
            assert room[letters == number].all()


def test_letters_of_apart_and_overlapping_glyphs(fonts, clean):
    """Apart, they are the parts of the ink; touching ones meet in a line."""
    word = WordRenderer().compose('Hgxo8', fonts['DejaVuSans'],
                                  replace(clean, spacing=0.3))
    _, parts = cv2.connectedComponents((word.mask >= 128).astype(np.uint8))
    for number in range(1, 6):
        found = np.unique(parts[word.letters == number])
        assert len(found) == 1 and (
            (parts == found[0]) & (word.letters != number)).sum() <= 2
    word = WordRenderer().compose('__', fonts['DejaVuSans'], clean)
    columns = [np.flatnonzero((word.letters == number).any(axis=0))
               for number in (1, 2)]
    assert columns[0].max() <= columns[1].min() + 1
    assert abs(len(columns[0]) - len(columns[1])) <= 3
