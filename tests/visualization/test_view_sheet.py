"""The picture of both branches' views."""
import cv2
import numpy as np

from lmim.visualization import draw_view_sheet, save_figure


def test_sheet_shows_image_visible_patches_and_three_views():
    rng = np.random.default_rng(0)
    images = [rng.integers(0, 255, (20, 50, 3), dtype=np.uint8)
              for _ in range(3)]
    state = np.random.get_state()[1].copy()
    figure = draw_view_sheet(images, patch_size=(8, 8))
    assert np.array_equal(np.random.get_state()[1], state)
    assert [axis.get_title() for axis in figure.axes[:5]] == [
        'image', 'visible 20%', 'guidance view, weak',
        'guidance view, medium', 'guidance view, strong']
    shown = [axis.images[0].get_array() for axis in figure.axes]
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
        return np.stack([axis.images[0].get_array() for axis in figure.axes])

    assert np.array_equal(views(1), views(1))
    assert not np.array_equal(views(1), views(2))


def test_figure_is_written_whole(tmp_path):
    path = tmp_path / 'sheet.png'
    save_figure(draw_view_sheet([np.zeros((8, 8, 3), np.uint8)]), path)
    assert cv2.imread(str(path)) is not None
    assert [file.name for file in tmp_path.iterdir()] == ['sheet.png']
