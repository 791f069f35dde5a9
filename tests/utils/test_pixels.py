"""Transparent pictures: ink that only the alpha channel tells of."""
import io

import cv2
import numpy as np
import pytest
from PIL import Image

from lmim.datasets.decoding import decode_image
from lmim.datasets.pictures import from_array, from_pillow
from lmim.utils import pixels
from lmim.utils.pixels import as_bgr, decode_pixels, lay_on_ground

#: Where there is ink: a bar in the left half, the same in all pictures.
BAR = np.zeros((12, 40), bool)
BAR[2:10, 4:20] = True
EXIF = 0x0112


def inked(ink: int, alpha: int = 255) -> np.ndarray:
    """The bar in the alpha channel, of one grey everywhere: BGRA."""
    image = np.full((*BAR.shape, 4), ink, np.uint8)
    image[..., 3] = BAR * np.uint8(alpha)
    return image


def laid(ink: int, ground: int) -> np.ndarray:
    """The bar as it is to be seen: (H, W, 3)."""
    return np.where(BAR, ink, ground).astype(np.uint8)[..., None].repeat(3, 2)


def save(image: Image.Image, kind: str, **kwargs: object) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **kwargs)
    return file.getvalue()


def palette(ink: int) -> Image.Image:
    image = Image.fromarray(BAR.astype(np.uint8), 'P')
    image.putpalette([ink] * 6)
    return image


def files(ink: int) -> dict:
    rgba = Image.fromarray(inked(ink), 'RGBA')
    key = Image.fromarray(np.where(BAR, ink, ink ^ 1).astype(np.uint8))
    return {
        'png': save(rgba, 'PNG'),
        'png, grey and alpha': save(rgba.convert('LA'), 'PNG'),
        'png, palette': save(palette(ink), 'PNG', transparency=0),
        'png, several alphas in the palette': save(
            palette(ink), 'PNG', transparency=b'\0\xff'),
        'png, key colour': save(key.convert('RGB'), 'PNG',
                                transparency=(ink ^ 1, ) * 3),
        'png, key grey': save(key, 'PNG', transparency=ink ^ 1),
        'png of 16 bits': cv2.imencode(
            '.png', inked(ink).astype(np.uint16) * 257)[1].tobytes(),
        'webp': save(rgba, 'WEBP', lossless=True, exact=True),
        'gif': save(palette(ink), 'GIF', transparency=0),
        'tiff': save(rgba, 'TIFF'),
        'jpeg 2000': save(rgba, 'JPEG2000'),
    }


@pytest.mark.parametrize('ink, ground', [(0, 255), (20, 255), (120, 255),
                                         (140, 0), (200, 0), (255, 0)])
@pytest.mark.parametrize('kind', files(0))
def test_ink_in_the_alpha_channel(kind: str, ink: int, ground: int) -> None:
    value = files(ink)[kind]
    np.testing.assert_array_equal(decode_image(value), laid(ink, ground))
    np.testing.assert_array_equal(
        decode_image(value, 'grayscale'), laid(ink, ground)[..., 0])
    np.testing.assert_array_equal(
        from_pillow(Image.open(io.BytesIO(value)))
        if kind != 'png of 16 bits' else decode_pixels(value),
        laid(ink, ground))


def test_arrays_and_a_ground_of_ones_own() -> None:
    for image in (inked(30), inked(30).astype(np.uint16) * 257):
        np.testing.assert_array_equal(from_array(image), laid(30, 255))
        np.testing.assert_array_equal(as_bgr(image), laid(30, 255))
    # Red, green, blue, as PaddleOCR has it.
    found = decode_image(files(30)['png'], alpha_color=(255, 128, 0))
    assert found[0, 0].tolist() == [0, 128, 255]
    assert found[5, 5].tolist() == [30, 30, 30]
    assert from_pillow(palette(30), (1, 2, 3))[5, 5].tolist() == [30, 30, 30]


def test_what_half_covers_is_mixed() -> None:
    # 255 + (30 - 255) * 128 / 255, and 200 * 128 / 255.
    assert lay_on_ground(inked(30, 128))[5, 5].tolist() == [142] * 3
    assert lay_on_ground(inked(200, 128))[5, 5].tolist() == [100] * 3
    # OpenCV gives colours of a TIFF times alpha: 200 * 128 / 255 = 100.
    tiff = save(Image.fromarray(inked(200, 128), 'RGBA'), 'TIFF')
    assert decode_image(tiff)[5, 5].tolist() == [100] * 3


def test_large_pictures_are_laid_in_parts(
        monkeypatch: pytest.MonkeyPatch) -> None:
    """As a whole: parts of three rows, the ground from all of them."""
    rng = np.random.default_rng(3)
    image = rng.integers(0, 256, (50, 40, 4)).astype(np.uint8)
    image[20:, :, :3] //= 16
    wholes = lay_on_ground(image), lay_on_ground(image, (9, 8, 7))
    alpha = image[..., 3:].astype(np.float32) / 255
    for whole, ground in zip(wholes, ([255] * 3, [7, 8, 9])):
        np.testing.assert_array_equal(whole, (
            np.float32(ground) + (image[..., :3] - np.float32(ground))
            * alpha).round())
    monkeypatch.setattr(pixels, '_parts', lambda array: [
        array[start:start + 3] for start in range(0, len(array), 3)])
    for whole, parted in zip(wholes, (lay_on_ground(image),
                                      lay_on_ground(image, (9, 8, 7)))):
        np.testing.assert_array_equal(whole, parted)


def test_paper_with_ink_on_a_transparent_ground_stays_on_white() -> None:
    image = np.full((20, 60, 4), 255, np.uint8)
    image[:2, :, 3] = image[-2:, :, 3] = 0
    image[6:14, 10:20, :3] = 0
    assert lay_on_ground(image)[0, 0].tolist() == [255] * 3


def test_grey_and_alpha_in_an_array() -> None:
    image = inked(30)
    found = as_bgr(image[..., [0, 3]])
    assert np.array_equal(found, as_bgr(image)) and found.min() == 30


@pytest.mark.parametrize('alpha', [0, 255])
def test_an_alpha_channel_that_tells_nothing(alpha: int) -> None:
    colours = np.random.default_rng(0).integers(0, 256, (9, 14, 4), np.uint8)
    colours[..., 3] = alpha
    np.testing.assert_array_equal(lay_on_ground(colours), colours[..., :3])
    value = cv2.imencode('.png', colours)[1].tobytes()
    np.testing.assert_array_equal(decode_image(value), colours[..., :3])


@pytest.mark.parametrize('orientation', range(1, 9))
@pytest.mark.parametrize('kind', ['PNG', 'WEBP'])
def test_alpha_is_turned_with_the_picture(kind: str,
                                          orientation: int) -> None:
    rgba = np.random.default_rng(0).integers(0, 256, (12, 30, 4), np.uint8)
    exif = Image.Exif()
    exif[EXIF] = orientation
    value = save(Image.fromarray(rgba, 'RGBA'), kind, exif=exif,
                 **(dict(lossless=True, exact=True) if kind == 'WEBP' else {}))
    wanted = from_pillow(Image.open(io.BytesIO(value)))
    np.testing.assert_array_equal(decode_image(value), wanted)
    assert wanted.shape[0] == (12 if orientation < 5 else 30)
