"""The operations against the libraries that define them."""
import colorsys

import imgaug.augmenters as iaa
import numpy as np
import pytest
import torchvision.transforms.functional as F
from PIL import Image

from lmim.datasets.transforms import guidance_ops as ops


@pytest.fixture
def img():
    return np.random.RandomState(0).randint(0, 256, (20, 50, 3), np.uint8)


def difference(one, other):
    return int(np.abs(one.astype(int) - other.astype(int)).max())


@pytest.mark.parametrize('ours, theirs, values', [
    (ops.contrast, iaa.LinearContrast, [(0.3, ), (0.5, ), (0.8, ), (1.3, )]),
    (ops.blur, iaa.GaussianBlur, [(0.5, ), (1.0, ), (1.5, ), (2.0, )]),
    (ops.sharpen, iaa.Sharpen, [(0, 0.3), (0.5, 0), (0.5, 0.5)])])
def test_what_imgaug_defines(img, ours, theirs, values):
    for value in values:
        assert difference(ours(img, *value), theirs(*value)(image=img)) <= 1


@pytest.mark.parametrize('threshold', [32, 100.7, 128])
@pytest.mark.parametrize('above', [True, False])
def test_solarize(img, threshold, above):
    wanted = iaa.Solarize(
        1, threshold=threshold, invert_above_threshold=above)(image=img)
    assert difference(ops.solarize(img, threshold, above), wanted) == 0
    values = np.array([[[31, 32, 200]]], np.uint8)
    assert ops.solarize(values, 32, above).tolist() == (
        [[[31, 223, 55]]] if above else [[[224, 32, 200]]])


@pytest.mark.parametrize('alpha', [0.0, 0.4, 1.0])
def test_grayscale(img, alpha):
    rgb = np.ascontiguousarray(img[..., ::-1])
    wanted = iaa.Grayscale(alpha)(image=rgb)[..., ::-1]
    assert difference(ops.grayscale(img, alpha), wanted) <= 1


@pytest.mark.parametrize('ours, theirs, factor, tolerance', [
    (ops.jitter_brightness, F.adjust_brightness, 1.4, 1),
    (ops.jitter_brightness, F.adjust_brightness, 0.6, 1),
    (ops.jitter_contrast, F.adjust_contrast, 0.6, 2),
    (ops.jitter_contrast, F.adjust_contrast, 1.4, 2),
    (ops.jitter_saturation, F.adjust_saturation, 0.8, 2),
    (ops.jitter_saturation, F.adjust_saturation, 1.2, 2),
])
def test_jitter(img, ours, theirs, factor, tolerance):
    wanted = theirs(Image.fromarray(img[..., ::-1]), factor)
    wanted = np.asarray(wanted)[..., ::-1]
    assert difference(ours(img, factor), wanted) <= tolerance


@pytest.mark.parametrize('turns', [-0.1, 0.0, 0.1, 1 / 3])
def test_hue(img, turns):
    def turned(pixel):
        hue, saturation, value = colorsys.rgb_to_hsv(*(pixel[::-1] / 255))
        rgb = colorsys.hsv_to_rgb((hue + turns) % 1, saturation, value)
        return 255 * np.array(rgb)[::-1]

    wanted = np.array([[turned(pixel) for pixel in row] for row in img])
    # Hue has 256 steps a turn here, each up to 6 grey values; torchvision's
    # own error is 11.
    error = np.abs(ops.jitter_hue(img, turns) - wanted)
    assert error.max() <= 11 and error.mean() < 1


def corners_marked(height=40, width=120, size=6):
    """Grey, with a mark of its own colour in each corner."""
    img = np.full((height, width, 3), 90, np.uint8)
    colors = [(255, 0, 0), (0, 255, 0), (0, 0, 255), (0, 255, 255)]
    for color, y, x in zip(colors, (0, 0, -size, -size),
                           (0, -size, 0, -size)):
        y, x = y % height, x % width
        img[y:y + size, x:x + size] = color
    return img, colors


def visible(img, color, tolerance=60):
    """How many pixels have about this colour."""
    far = np.abs(img.astype(int) - np.array(color)).max(axis=2)
    return int((far < tolerance).sum())


def test_crop_cuts_what_it_says_and_leaves_a_pixel():
    img = np.arange(40 * 100 * 3).reshape(40, 100, 3).astype(np.uint8)
    cut = ops.crop(img, 0.1, 0.05, 0.02, 0.01)
    assert (cut == img[4:38, 2:99]).all()
    assert ops.crop(img[:1, :1], 0.4, 0.4, 0.4, 0.4).shape == (1, 1, 3)
    assert ops.crop(img[:2], 0.5, 0.5, 0, 0).shape == (1, 100, 3)


@pytest.mark.parametrize('degrees', [-15, -3.3, 0, 10])
def test_rotate_is_imgaugs_with_a_grown_canvas(degrees):
    img = np.random.RandomState(0).randint(0, 256, (20, 60, 3), np.uint8)
    img = np.repeat(np.repeat(img[::5, ::5], 5, axis=0), 5, axis=1)
    ours = ops.rotate(img, degrees)
    wanted = iaa.Rotate(degrees, fit_output=True)(image=img)
    assert ours.shape == wanted.shape
    # The two differ by a part of a pixel in where the canvas begins.
    error = np.abs(ours.astype(int) - wanted)
    assert np.percentile(error, 80) <= 20 and error.mean() < 7


def test_rotate_by_right_angles_is_exact():
    img = np.random.RandomState(0).randint(0, 256, (20, 60, 3), np.uint8)
    assert (ops.rotate(img, 0) == img).all()
    assert (ops.rotate(img, 90) == np.rot90(img, -1)).all()
    assert (ops.rotate(img, 180) == np.rot90(img, 2)).all()


def test_perspective_keeps_every_corner_and_the_size():
    img, colors = corners_marked()
    random = np.random.RandomState(0)
    assert np.abs(ops.perspective(img, np.zeros((4, 2))).astype(int) -
                  img).max() <= 1
    for _ in range(50):
        out = ops.perspective(img, random.uniform(0, 0.2, (4, 2)))
        assert out.shape == img.shape
        for color in colors:
            assert visible(out, color, 130) > 0
    # The top side moved inwards, the whole must look narrower below.
    out = ops.perspective(
        np.full_like(img, 200), np.array([[.2, 0], [.2, 0], [0, 0], [0, 0]]))
    assert (out[1, :, 0] > 100).sum() >= 118
    assert 60 < (out[-2, :, 0] > 100).sum() < 90


def test_piecewise_affine_moves_its_points_as_asked():
    ramp = np.tile(np.arange(0, 240, 2, dtype=np.uint8)[None, :, None],
                   (40, 1, 3))
    nothing = ops.piecewise_affine(ramp, np.zeros((3, 4, 2)))
    assert (nothing == ramp).all()
    shift = np.zeros((3, 3, 2))
    shift[1, 1, 0] = 0.05
    out = ops.piecewise_affine(ramp, shift).astype(int)
    # 5 % of 120 pixels at the centre, 2 grey values a pixel.
    assert out[19:21, 59:61].mean() - ramp[19:21, 59:61].mean() == (
        pytest.approx(12, abs=1))
    assert (out[0] == ramp[0]).all() and (out[:, 0] == ramp[:, 0]).all()
    # A quarter of the way the shift is a half of that.
    assert out[19:21, 30].mean() - 60 == pytest.approx(6, abs=1)


def test_resize_keeps_thin_strokes_of_a_large_picture():
    # One black line in every eight: a resize that skips pixels would give
    # stripes; the mean is 7 / 8.
    img = np.full((256, 1024, 3), 240, np.uint8)
    img[:, ::8] = 0
    out = ops.resize(img, (32, 128))
    assert out.shape == (32, 128, 3)
    assert np.abs(out.astype(int) - 210).max() <= 8
    small = np.random.RandomState(0).randint(0, 256, (32, 128, 3), np.uint8)
    assert (ops.resize(small, (32, 128)) == small).all()
