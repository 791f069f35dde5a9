"""Bytes of image files: what comes out, and what is refused."""
import io
import os
import resource
import struct
import zlib
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from PIL import Image

from lmim import compat
from lmim.cli.data.inspect import _read_header
from lmim.datasets.decoding import decode_image
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


def header(value):
    """What `lmim data inspect` sees of a file."""
    return _read_header(SimpleNamespace(read=lambda index: value), 0)


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
    if kind != '16-bit tiff':  # Pillow has no mode for it
        assert header(value)[1:] == (len(value), 50, 20)
    image = decode_image(value)
    assert image.shape == (20, 50, 3) and image.dtype == np.uint8
    if kind not in ('png with alpha', 'palette png'):
        wanted = cv2.imdecode(np.frombuffer(value, np.uint8),
                              cv2.IMREAD_COLOR)
        np.testing.assert_array_equal(image, wanted)
    if kind in EXACT:
        np.testing.assert_array_equal(image, COLOUR)


def test_orientation_and_other_colour_types():
    exif = Image.Exif()
    exif[0x0112] = 6
    value = save(PILLOW, 'JPEG', exif=exif)
    assert header(value) == ('JPEG', len(value), 50, 20)
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
        struct.pack_into('>I', value, 29, zlib.crc32(value[12:29]))
    elif kind == 'bmp':
        struct.pack_into('<ii', value, 18, width, height)
    elif kind == 'ppm':
        value = value.replace(b'50 20', b'%d %d' % (width, height))
    else:
        raise NotImplementedError(kind)
    return bytes(value)


@pytest.mark.parametrize('kind', ['jpeg', 'progressive jpeg', 'png', 'bmp',
                                  'ppm'])
def test_bombs_are_not_decoded(kind):
    """OpenCV refuses them by their header, as lmim asks it to."""
    assert os.environ['OPENCV_IO_MAX_IMAGE_PIXELS'] == str(2**26)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for size in ((30000, 30000), (10000, 9000)):
        with pytest.raises(UnreadableRecordError,
                           match='bomb|no image that OpenCV can decode'):
            decode_image(claim(kind, *size))
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert after - before < 100 * 2**10  # of 270 MB for the smaller one


def test_jpegs_of_many_scans_are_not_decoded():
    """Each costs a decoder as much as a picture, and a file 60 bytes."""
    value = FILES['progressive jpeg']
    start = value.rindex(b'\xff\xda')
    scan = value[start:-2]
    assert 1 < value.count(b'\xff\xda') < 20
    many = value[:start] + scan * 200 + value[-2:]
    scans = many.count(b'\xff\xda')
    with pytest.raises(UnreadableRecordError, match=f'bomb: a JPEG of {scans} '
                       'scans, and at most 100'):
        decode_image(many)
    few = value[:start] + scan * (100 - value.count(b'\xff\xda') + 1)
    assert decode_image(few + value[-2:]).shape == (20, 50, 3)


def test_a_limit_that_the_user_has_set_stays(monkeypatch):
    name = 'OPENCV_IO_MAX_IMAGE_PIXELS'
    for before, after in (('12345', '12345'), (None, str(2**26))):
        monkeypatch.delenv(name)
        if before:
            monkeypatch.setenv(name, before)
        compat.limit_image_size()
        assert os.environ[name] == after


@pytest.mark.parametrize('value, message', [
    (b'', 'no bytes'),
    (b'<html>not found</html>', 'its 22 bytes are no image that OpenCV can '
     "decode; they begin with b'<html>no'"),
    *((FILES[kind][:40], 'its 40 bytes are no image that OpenCV can decode')
      for kind in ('jpeg', 'png', 'tiff')),
    (b'\xff\xd8\xff\xe0' + b'\0' * 5000, 'its 5,004 bytes are no image'),
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
        for _ in range(40):
            value = bytearray(FILES[kind])
            value[rng.integers(len(value)) % 200] = rng.integers(256)
            value = bytes(value[:rng.integers(1, len(value) + 1)])
            try:
                image = decode_image(value)
            except UnreadableRecordError:
                continue
            assert image.ndim == 3 and image.dtype == np.uint8
