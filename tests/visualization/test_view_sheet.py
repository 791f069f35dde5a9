"""Sheets of views and masks."""
import cv2
import numpy as np

from lmim.visualization.pretraining_sheets import (draw_mask_sheet,
                                                   draw_view_sheet)
from lmim.visualization.sheet import (GAP, Row, draw_sheet, enlarge,
                                      figure_pixels, save_figure)


def test_sheet_shows_image_visible_patches_and_three_views():
    rng = np.random.default_rng(0)
    images = [rng.integers(0, 255, (20, 50, 3), dtype=np.uint8)
              for _ in range(3)]
    state = np.random.get_state()[1].copy()
    figure = draw_view_sheet(images, patch_size=(8, 8))
    assert np.array_equal(np.random.get_state()[1], state)
    titles = [text.get_text() for text in figure.texts]
    assert titles[:5] == [
        'image', 'visible 20%', 'guidance view, weak',
        'guidance view, medium', 'guidance view, strong']
    # Twice as large.
    shown = [np.asarray(image.get_array())[::2, ::2]
             for image in figure.images]
    assert len(shown) == 15 and {picture.shape for picture in shown} == {
        (32, 128, 3)}
    # The image is shown as RGB.
    assert np.array_equal(shown[0], cv2.resize(
        images[0], (128, 32))[..., ::-1])
    # 64 patches, of which int(64 * 0.2) are visible.
    same = (shown[0] == shown[1]).all(axis=2).reshape(4, 8, 16, 8)
    assert same.all(axis=(1, 3)).sum() == 12
    assert (shown[1][~same.reshape(4, 8, 16, 8).all(axis=(1, 3)).repeat(
        8, 0).repeat(8, 1)] == 128).all()


def test_same_seed_same_sheet():
    images = [np.arange(30 * 60 * 3, dtype=np.uint8).reshape(30, 60, 3)]

    def views(seed: int) -> np.ndarray:
        figure = draw_view_sheet(images, seed=seed)
        return np.stack([image.get_array() for image in figure.images])

    assert np.array_equal(views(1), views(1))
    assert not np.array_equal(views(1), views(2))


def test_pixels_are_drawn_one_for_one():
    """Pictures stand in the sheet pixel by pixel, and in their place."""
    rng = np.random.default_rng(0)
    first, second = rng.integers(0, 255, (2, 8, 16, 3), dtype=np.uint8)
    figure = draw_sheet([Row([first, second], 'a title with $ and $')],
                        ['one', 'two'], 'A note. ' * 30, width=32)
    sheet = figure_pixels(figure)[..., ::-1]
    assert sheet.shape[:2] == tuple(round(side * 120) for side in
                                    figure.get_size_inches()[::-1])
    places = []
    for picture in (first, second):
        large = enlarge(picture, 2)
        found = [(y, x) for y in range(sheet.shape[0] - 15)
                 for x in range(sheet.shape[1] - 31)
                 if np.array_equal(sheet[y, x], large[0, 0])
                 and np.array_equal(sheet[y:y + 16, x:x + 32], large)]
        assert len(found) == 1
        places += found
    assert places[0][0] == places[1][0]
    assert places[1][1] - places[0][1] == 32 + GAP


def test_mask_sheet_hides_what_the_generator_says():
    image = np.full((32, 128, 3), 7, np.uint8)
    figure = draw_mask_sheet([image], [
        dict(type='RandomMasking', ratio=0.75),
        dict(type='BlockMasking', ratio=0.5)])
    random, block = [np.asarray(each.get_array())[::2, ::2, 0]
                     for each in figure.images[1:]]
    assert (random == 128).mean() == 0.75
    assert (block == 128).mean() == 0.5
    changes = [(np.diff(each.astype(int)) != 0).sum()
               for each in (random, block)]
    assert changes[1] < changes[0]  # blocks have fewer edges
    assert 'BlockMasking 50%: 128 of 256' in ' '.join(
        text.get_text() for text in figure.texts)


def test_figure_is_written_whole(tmp_path):
    path = tmp_path / 'sheet.png'
    save_figure(draw_view_sheet([np.zeros((8, 8, 3), np.uint8)]), path)
    assert cv2.imread(str(path)) is not None
    assert [file.name for file in tmp_path.iterdir()] == ['sheet.png']
