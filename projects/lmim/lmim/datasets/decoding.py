"""From the bytes of an image file to pixels, wherever the bytes come from."""
import io
import warnings
from typing import Tuple

import cv2
import mmcv
import numpy as np
from PIL import Image
from PIL.TiffImagePlugin import ImageFileDirectory_v2

from .records.base import UnreadableRecordError

#: No picture of more pixels is decoded: 8192 x 8192, of which OpenCV would
#: make 200 MB. A photograph has fewer, a word far fewer.
MAX_PIXELS = 2**26

#: The JPEG markers that open a frame (ITU T.81, table B.1).
_JPEG_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
#: Those that stand alone, and a stuffed byte, which is no marker.
_JPEG_BARE = frozenset([0x00, 0x01, *range(0xD0, 0xD8)])
_TIFF_WIDTH, _TIFF_HEIGHT, _TIFF_TILE_WIDTH, _TIFF_TILE_HEIGHT = (256, 257,
                                                                  322, 323)


def decode_image(value: bytes,
                 color_type: str = 'color',
                 max_pixels: int = MAX_PIXELS) -> np.ndarray:
    """Decode an image file, unless it is a decompression bomb.

    A few bytes can claim a picture of a thousand million pixels, which takes
    a worker's memory. How many they are is read from the header first, in
    about half a microsecond for JPEG and PNG.

    Args:
        value (bytes): The encoded image, as its file holds it. What OpenCV
            decodes and Pillow knows: JPEG, PNG, BMP, TIFF, WebP, PPM and PGM,
            JPEG 2000, GIF ...
        color_type (str): As in :func:`mmcv.imfrombytes`. Defaults to
            'color': 16 bits become 8, grey becomes three equal channels,
            transparency is dropped, and the orientation of EXIF is applied.
        max_pixels (int): The most pixels it may have. Defaults to
            :data:`MAX_PIXELS`.

    Returns:
        np.ndarray: (H, W, 3), uint8, BGR; with another ``color_type`` as
        OpenCV gives it.

    Raises:
        UnreadableRecordError: If there are no bytes, or they are no image
            that can be decoded, or one with too many pixels.
    """
    height, width = image_size(value)
    if height * width > max_pixels:
        raise UnreadableRecordError(
            f'its header says {width:,} x {height:,} pixels, more than the '
            f'{max_pixels:,} of max_pixels: a decompression bomb, or no '
            'picture of a word')
    try:
        img = mmcv.imfrombytes(value, flag=color_type, backend='cv2')
    except cv2.error as error:
        reason = str(error).strip().splitlines()[0]
        raise UnreadableRecordError(f'OpenCV: {reason}') from error
    # Of one format of floating-point grey OpenCV makes no colour.
    if img is None or (img.ndim != 3 and color_type.startswith('color')):
        raise UnreadableRecordError(
            f'its {len(value):,} bytes are no image that OpenCV can decode')
    return img


def image_size(value: bytes) -> Tuple[int, int]:
    """Height and width as the header of an image file says.

    The orientation that EXIF may hold is not looked at: of a picture that
    stands on its side the two are swapped once it is decoded.

    Args:
        value (bytes): The encoded image, or its beginning.

    Raises:
        UnreadableRecordError: If there are no bytes, or no header that is
            understood.
    """
    if not value:
        raise UnreadableRecordError('no bytes')
    try:
        # By hand where Pillow takes longer than OpenCV does to decode a word.
        if value[:3] == b'\xff\xd8\xff':
            return _jpeg_size(value)
        if value[:8] == b'\x89PNG\r\n\x1a\n' and value[12:16] == b'IHDR':
            return (int.from_bytes(value[20:24], 'big'),
                    int.from_bytes(value[16:20], 'big'))
        if value[:4] in (b'II*\0', b'MM\0*', b'II+\0', b'MM\0+'):
            return _tiff_size(value)
        with warnings.catch_warnings():
            warnings.simplefilter('ignore', Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(value)) as image:
                return image.height, image.width
    except Image.DecompressionBombError as error:
        raise UnreadableRecordError(
            f'a decompression bomb: {error}') from error
    # Parsers of broken headers raise all sorts of errors.
    except Exception as error:
        raise UnreadableRecordError(
            f'its {len(value):,} bytes are no image whose header can be read '
            f'({type(error).__name__}); they begin with {value[:8]!r}'
        ) from error


def _jpeg_size(value: bytes) -> Tuple[int, int]:
    """What the first frame of a JPEG says, found as libjpeg finds it.

    A thumbnail, which has a frame of its own, lies within a segment.
    """
    at = 2
    while True:
        marker = value[at + 1]
        if value[at] != 0xFF:
            at = value.index(b'\xff', at)
        elif marker == 0xFF:  # filling
            at += 1
        elif marker in _JPEG_FRAMES:
            return (value[at + 5] << 8 | value[at + 6],
                    value[at + 7] << 8 | value[at + 8])
        elif marker in _JPEG_BARE:
            at += 2
        else:
            at += 2 + (value[at + 2] << 8 | value[at + 3])


def _tiff_size(value: bytes) -> Tuple[int, int]:
    """What the first page of a TIFF says, or its tiles if they are larger.

    ``Image.open`` refuses pixels that Pillow has no mode for, such as colour
    in 16 bits, which OpenCV reads.
    """
    big = value[2:4] in (b'+\0', b'\0+')
    tags = ImageFileDirectory_v2(value[:16 if big else 8])
    stream = io.BytesIO(value)
    stream.seek(tags.next)
    tags.load(stream)
    return (max(tags[_TIFF_HEIGHT], tags.get(_TIFF_TILE_HEIGHT, 0)),
            max(tags[_TIFF_WIDTH], tags.get(_TIFF_TILE_WIDTH, 0)))
