"""Text and its regions, by grey values or by letters that are known."""
import cv2
import numpy as np
import pytest
from mmocr.registry import TRANSFORMS

from lmim.datasets import GlyphMap, RenderedTextDataset
from lmim.datasets.transforms.glyph_map import number_regions, text_mask
from lmim.utils.errors import UserError


def three_bars(text=200, ground=50):
    gray = np.full((20, 60), ground, np.uint8)
    for left in (5, 25, 45):
        gray[4:16, left:left + 8] = text
    return gray


def test_text_is_what_has_not_the_borders():
    bars = np.zeros((20, 60), np.uint8)
    for left in (5, 25, 45):
        bars[4:16, left:left + 8] = 1
    assert np.array_equal(text_mask(three_bars()), bars)
    assert np.array_equal(text_mask(three_bars(10, 240)), bars)
    # Text that fills one border is text still.
    gray = three_bars()
    gray[0] = 200
    bars[0] = 1
    assert np.array_equal(text_mask(gray), bars)
    for value in (0, 128, 255):
        assert not text_mask(np.full((9, 9), value, np.uint8)).any()


@pytest.mark.parametrize('shape', [(10, 40), (40, 10)])
def test_of_two_borders_each_the_longer_are_background(shape):
    gray = np.full(shape, 90, np.uint8)
    gray[:, :2] = gray[:, -2:] = 220
    # Left and right are bright, top and bottom are not.
    wide = shape[1] > shape[0]
    assert np.array_equal(text_mask(gray) == 1, (gray > 100) == wide)


def test_the_threshold_is_the_optimum_of_two_means():
    """No other leaves a smaller sum of squares in both parts."""
    gray = np.random.RandomState(0).gamma(4, 12, (30, 90)).clip(
        0, 255).astype(np.uint8)
    gray[5:25, 20:60] += 90

    def squares(bright):
        return sum(((part - part.mean())**2).sum()
                   for part in (gray[bright], gray[~bright]) if part.size)

    best = min(squares(gray > level) for level in range(255))
    assert squares(text_mask(gray) == 1) == pytest.approx(best, rel=1e-9)


def test_regions_are_numbered_from_left_to_right():
    mask = np.zeros((12, 40), np.uint8)
    mask[6:12, 2:8] = 1  # 36 pixels, below the next
    mask[0:5, 20:27] = 1  # 35
    mask[0:5, 30:33] = 1  # 15: too small
    mask[9, 33] = mask[10, 34] = 1  # they touch at a corner
    found = number_regions(mask)
    assert (found[6:12, 2:8] == 1).all() and (found[0:5, 20:27] == 2).all()
    assert (found[0:5, 30:33] == 255).all() and found[10, 34] == 255
    assert np.array_equal(found > 0, mask > 0)
    assert found.dtype == np.uint8
    # With less, all are; the corner is one region with two pixels.
    assert sorted(set(number_regions(mask, least=2).flat)) == [0, 1, 2, 3, 4]
    # The first row by row, not the first from the left.
    assert (number_regions(mask, most=1) == 1).sum() == 35


def test_a_map_is_of_the_size_of_the_views():
    image = cv2.cvtColor(three_bars(), cv2.COLOR_GRAY2BGR)
    found = TRANSFORMS.build(dict(type='GlyphMap'))(dict(img=image))
    assert found['img'] is image
    assert found['glyph_map'].shape == (32, 128)
    assert set(found['glyph_map'].flat) == {0, 1, 2, 3}
    # 4.5 is the middle of the bars' rows in 32, 9.5 / 20 of the height.
    assert (found['glyph_map'][15, [18, 61, 104]] == [1, 2, 3]).all()
    grey = GlyphMap(img_size=(20, 60))(dict(img=three_bars()))['glyph_map']
    assert np.array_equal(grey > 0, three_bars() > 100)


def test_letters_of_rendered_words_are_exact():
    words = RenderedTextDataset(
        length=4, with_text=True, with_letters='labels',
        pipeline=[GlyphMap('letters')])
    for sample in words:
        letters, text = sample['gt_seg_map'], sample['instances'][0]['text']
        assert np.array_equal(sample['glyph_map'], cv2.resize(
            letters, (128, 32), interpolation=cv2.INTER_NEAREST))
        assert set(sample['glyph_map'].flat) == set(range(len(text) + 1))
    many = np.arange(30, dtype=np.uint8)[None].repeat(4, 0)
    found = GlyphMap('letters', (4, 30))(dict(gt_seg_map=many))['glyph_map']
    assert found[0].tolist() == [*range(27), 255, 255, 255]


def test_what_is_missing_is_told():
    with pytest.raises(UserError, match="with_letters='labels'"):
        GlyphMap('letters')(dict(img=three_bars()))
    with pytest.raises(UserError, match="'otsu', 'letters'"):
        GlyphMap('kmeans')
