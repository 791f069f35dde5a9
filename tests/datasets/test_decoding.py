"""Bytes of image files: what comes out, and what is refused unread."""
import io
import struct
import tracemalloc
import warnings

import cv2
import numpy as np
import pytest
from PIL import Image

from lmim.datasets import decoding
from lmim.datasets.decoding import decode_image, image_size
from lmim.datasets.records import UnreadableRecordError

RNG = np.random.default_rng(0)
GREY = RNG.integers(0, 255, (20, 50), 'uint8')
COLOUR = RNG.integers(0, 255, (20, 50, 3), 'uint8')
ALPHA = RNG.integers(0, 255, (20, 50, 4), 'uint8')


def encode(suffix, image):
    return cv2.imencode(suffix, image)[1].tobytes()


def save(image, kind, **kwargs):
    file = io.BytesIO()
    image.save(file, kind, **kwargs)
    return file.getvalue()


PILLOW = Image.fromarray(COLOUR)
FILES = {
    'jpeg': encode('.jpg', COLOUR),
    'grey jpeg': encode('.jpg', GREY),
    'progressive jpeg': save(PILLOW, 'JPEG', progressive=True),
    'cmyk jpeg': save(Image.fromarray(ALPHA, 'CMYK'), 'JPEG'),
    'jpeg with an icc profile': save(
        PILLOW, 'JPEG', icc_profile=b'\xff\xc0' * 40000),
    'png': encode('.png', COLOUR),
    'grey png': encode('.png', GREY),
    'png with alpha': encode('.png', ALPHA),
    '16-bit png': encode('.png', COLOUR.astype('uint16') * 257),
    'palette png': save(PILLOW.quantize(7), 'PNG', transparency=3),
    'one-bit png': save(Image.fromarray(GREY).convert('1'), 'PNG'),
    'tiff': encode('.tiff', COLOUR),
    '16-bit tiff': encode('.tiff', COLOUR.astype('uint16') * 257),
    'group 4 tiff': save(
        Image.fromarray(GREY).convert('1'), 'TIFF', compression='group4'),
    'bmp': encode('.bmp', COLOUR),
    'webp': encode('.webp', COLOUR),
    'ppm': encode('.ppm', COLOUR),
    'pgm': encode('.pgm', GREY),
}
EXACT = {'png', '16-bit png', 'tiff', '16-bit tiff', 'bmp', 'ppm'}


@pytest.mark.parametrize('kind', FILES)
def test_everything_comes_out_as_colour(kind):
    value = FILES[kind]
    assert image_size(value) == (20, 50)
    image = decode_image(value)
    assert image.shape == (20, 50, 3) and image.dtype == np.uint8
    wanted = cv2.imdecode(np.frombuffer(value, np.uint8), cv2.IMREAD_COLOR)
    np.testing.assert_array_equal(image, wanted)
    if kind in EXACT:
        np.testing.assert_array_equal(image, COLOUR)


def test_orientation_and_other_colour_types():
    exif = Image.Exif()
    exif[0x0112] = 6
    value = save(PILLOW, 'JPEG', exif=exif)
    assert image_size(value) == (20, 50)
    assert decode_image(value).shape == (50, 20, 3)
    assert decode_image(
        value, 'color_ignore_orientation').shape == (20, 50, 3)
    grey = decode_image(FILES['grey png'], 'grayscale')
    np.testing.assert_array_equal(grey, GREY)


def claim(kind, width=30000, height=30000):
    """A small file whose header claims a large picture."""
    value = bytearray(FILES[kind])
    if 'jpeg' in kind:
        frame = value.index(b'\xff\xc2' if 'progressive' in kind else
                            b'\xff\xc0\x00\x11')
        struct.pack_into('>HH', value, frame + 5, height, width)
    elif 'png' in kind:
        struct.pack_into('>II', value, 16, width, height)
    elif kind == 'bmp':
        struct.pack_into('<ii', value, 18, width, height)
    elif kind == 'webp':  # lossless: 14 bits each, less one
        struct.pack_into('<I', value, 21, 16383 | 16383 << 14)
    elif kind == 'ppm':
        value = value.replace(b'50 20', b'%d %d' % (width, height))
    else:
        raise NotImplementedError(kind)
    return bytes(value)


@pytest.mark.parametrize('kind', ['jpeg', 'progressive jpeg', 'png', 'bmp',
                                  'ppm'])
def test_bombs_are_not_decoded(kind, monkeypatch):
    monkeypatch.setattr(decoding.mmcv, 'imfrombytes',
                        lambda *args, **kwargs: pytest.fail('was decoded'))
    tracemalloc.start()
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        with pytest.raises(UnreadableRecordError, match='bomb'):
            decode_image(claim(kind))
        # Below Pillow's limit, and above ours.
        with pytest.raises(UnreadableRecordError, match='10,000 x 9,000 pixels'
                           ', more than the 67,108,864 of max_pixels'):
            decode_image(claim(kind, 10000, 9000))
    assert tracemalloc.get_traced_memory()[1] < 2**20
    tracemalloc.stop()


def test_the_limit_is_exact():
    value = FILES['png']
    assert decode_image(value, max_pixels=1000).shape == (20, 50, 3)
    with pytest.raises(UnreadableRecordError, match='50 x 20 pixels, more '
                       'than the 999 of'):
        decode_image(value, max_pixels=999)


def test_a_thumbnail_does_not_hide_a_bomb():
    """Nor do fill bytes, or bytes that belong to no segment."""
    thumbnail = b'Exif\0\0' + FILES['jpeg']
    segment = b'\xff\xe1' + struct.pack('>H', len(thumbnail) + 2) + thumbnail
    whole = claim('jpeg')
    for between in (segment, b'\xff\xff\xff', b'\xff\x01', b'\xff\xd0',
                    b'\xff\x00', b'junk'):
        value = whole[:2] + b'\xff\xfe\x00\x04ok' + between + whole[2:]
        assert image_size(value) == (30000, 30000), between
        value = value.replace(b'\x75\x30\x75\x30', b'\0\x14\0\x32')
        assert image_size(value) == (20, 50)


@pytest.mark.parametrize('value, message', [
    (b'', 'no bytes'),
    (b'<html>not found</html>', r'its 22 bytes are no image whose header can '
     r"be read \(UnidentifiedImageError\); they begin with b'<html>no'"),
    (FILES['jpeg'][:40], 'its 40 bytes are no image whose header'),
    (b'\xff\xd8\xff', 'its 3 bytes are no image'),
    (b'\xff\xd8\xff\xe0' + b'\0' * 5000, 'its 5,004 bytes are no image'),
    (FILES['png'][:20], 'its 20 bytes are no image'),
    (FILES['png'][:40], 'its 40 bytes are no image that OpenCV can decode'),
    (FILES['tiff'][:40], 'its 40 bytes are no image'),
    (b'II*\0\xff\xff\xff\xff', 'its 8 bytes are no image'),
    (FILES['bmp'][:20], 'its 20 bytes are no image'),
])
def test_what_is_no_image_is_named(value, message):
    with pytest.raises(UnreadableRecordError, match=message):
        decode_image(value)


def test_every_beginning_of_a_file_is_refused_or_read():
    """Cut short or damaged anywhere: one kind of error, or a picture."""
    rng = np.random.default_rng(1)
    for kind in ('jpeg', 'png', 'tiff', 'bmp', 'webp', 'ppm'):
        for _ in range(60):
            value = bytearray(FILES[kind])
            value[rng.integers(len(value)) % 200] = rng.integers(256)
            value = bytes(value[:rng.integers(1, len(value) + 1)])
            try:
                image = decode_image(value, max_pixels=2**20)
            except UnreadableRecordError:
                continue
            assert image.ndim == 3 and image.dtype == np.uint8
