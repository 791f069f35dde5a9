"""The operations on values against the libraries that define them."""
import colorsys

import imgaug.augmenters as iaa
import numpy as np
import pytest
import torchvision.transforms.functional as F
from PIL import Image

from lmim.datasets.transforms import guidance_color as color


@pytest.fixture
def img():
    return np.random.RandomState(0).randint(0, 256, (20, 50, 3), np.uint8)


def difference(one, other):
    return int(np.abs(one.astype(int) - other.astype(int)).max())


@pytest.mark.parametrize('factor', [0.3, 0.5, 0.8, 1.0, 1.3])
def test_contrast(img, factor):
    wanted = iaa.LinearContrast(factor)(image=img)
    assert difference(color.contrast(img, factor), wanted) <= 1


@pytest.mark.parametrize('sigma', [0.5, 1.0, 1.5, 2.0])
def test_blur(img, sigma):
    wanted = iaa.GaussianBlur(sigma)(image=img)
    assert difference(color.blur(img, sigma), wanted) <= 1


@pytest.mark.parametrize('alpha, lightness', [(0, 0.3), (0.5, 0), (0.5, 0.5)])
def test_sharpen(img, alpha, lightness):
    wanted = iaa.Sharpen(alpha, lightness)(image=img)
    assert difference(color.sharpen(img, alpha, lightness), wanted) <= 1


@pytest.mark.parametrize('threshold', [32, 100.7, 128])
@pytest.mark.parametrize('above', [True, False])
def test_solarize(img, threshold, above):
    wanted = iaa.Solarize(
        1, threshold=threshold, invert_above_threshold=above)(image=img)
    assert difference(color.solarize(img, threshold, above), wanted) == 0
    values = np.array([[[31, 32, 200]]], np.uint8)
    assert color.solarize(values, 32, above).tolist() == (
        [[[31, 223, 55]]] if above else [[[224, 32, 200]]])


@pytest.mark.parametrize('alpha', [0.0, 0.4, 1.0])
def test_grayscale(img, alpha):
    rgb = np.ascontiguousarray(img[..., ::-1])
    wanted = iaa.Grayscale(alpha)(image=rgb)[..., ::-1]
    assert difference(color.grayscale(img, alpha), wanted) <= 1


@pytest.mark.parametrize('ours, theirs, factor, tolerance', [
    (color.jitter_brightness, F.adjust_brightness, 1.4, 1),
    (color.jitter_brightness, F.adjust_brightness, 0.6, 1),
    (color.jitter_contrast, F.adjust_contrast, 0.6, 2),
    (color.jitter_contrast, F.adjust_contrast, 1.4, 2),
    (color.jitter_saturation, F.adjust_saturation, 0.8, 2),
    (color.jitter_saturation, F.adjust_saturation, 1.2, 2),
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
    error = np.abs(color.jitter_hue(img, turns) - wanted)
    assert error.max() <= 11 and error.mean() < 1
