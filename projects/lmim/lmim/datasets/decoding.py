"""From the bytes of an image file to pixels, wherever the bytes come from."""
from typing import Optional, Sequence

import cv2
import mmcv
import numpy as np

from lmim.compat import MAX_PIXELS
from lmim.utils.pixels import decode_pixels

from .records.base import UnreadableRecordError


#: A progressive JPEG has some ten scans; each takes as long as a picture, and
#: as few bytes as one pleases.
MAX_SCANS = 100


def decode_image(value: bytes,
                 color_type: str = 'color',
                 alpha_color: Optional[Sequence[int]] = None) -> np.ndarray:
    """Decode an image file, unless it is a decompression bomb.

    A few bytes can claim a picture of a thousand million pixels, which takes
    a worker's memory. OpenCV refuses those of more than
    :data:`~lmim.compat.MAX_PIXELS` by their header; JPEGs of more than
    :data:`MAX_SCANS` scans, which would take minutes, are refused too.

    Args:
        value (bytes): The encoded image, as its file holds it: JPEG, PNG,
            BMP, TIFF, WebP, PPM and PGM, JPEG 2000, GIF ...
        color_type (str): As in :func:`mmcv.imfrombytes`. Defaults to
            'color': 16 bits become 8, grey becomes three equal channels,
            transparency is laid on a ground, and the orientation of EXIF is
            applied. 'grayscale' is made of this.
        alpha_color (Sequence[int], optional): The ground, as in
            :func:`~lmim.utils.pixels.lay_on_ground`.

    Returns:
        np.ndarray: (H, W, 3), uint8, BGR; with another ``color_type`` as
        OpenCV gives it.

    Raises:
        UnreadableRecordError: If there are no bytes, or they are no image
            that can be decoded, or one with too many pixels or scans.
    """
    if not value:
        raise UnreadableRecordError('no bytes')
    scans = value.count(b'\xff\xda') if value[:2] == b'\xff\xd8' else 0
    if scans > MAX_SCANS:
        raise UnreadableRecordError(
            f'a decompression bomb: a JPEG of {scans:,} scans, and at most '
            f'{MAX_SCANS} are decoded')
    try:
        if color_type in ('color', 'grayscale'):
            img = decode_pixels(value, alpha_color)
        else:
            img = mmcv.imfrombytes(value, flag=color_type, backend='cv2')
    except cv2.error as error:
        if 'CV_IO_MAX_IMAGE' in str(error):
            raise UnreadableRecordError(
                'a decompression bomb, or no picture of a word: its header '
                'says more pixels than OPENCV_IO_MAX_IMAGE_PIXELS allows '
                f'({MAX_PIXELS:,} unless set)') from error
        reason = str(error).strip().splitlines()[0]
        raise UnreadableRecordError(f'OpenCV: {reason}') from error
    # Of one format of floating-point grey OpenCV makes no colour.
    if img is None or (img.ndim != 3
                       and color_type.startswith(('color', 'gray'))):
        # Text is mostly a failed download: `<html`.
        begin = (f'; they begin with {value[:8]!r}' if value[:8].isascii()
                 else '')
        raise UnreadableRecordError(f'its {len(value):,} bytes are no image '
                                    f'that OpenCV can decode{begin}')
    if color_type == 'grayscale':
        return cv2.cvtColor(img, cv2.COLOR_BGR2GRAY)
    return img
