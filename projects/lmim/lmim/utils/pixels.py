"""From files and arrays to BGR pixels, with transparency laid on a ground.

It needs NumPy and OpenCV only: what `lmim export` writes reads pictures by a
copy of it.
"""
from typing import List, Optional, Sequence

import cv2
import numpy as np


def decode_pixels(value: bytes,
                  alpha_color: Optional[Sequence[int]] = None
                  ) -> Optional[np.ndarray]:
    """Decode an image file, upright as its EXIF says.

    Args:
        value (bytes): The file.
        alpha_color (Sequence[int], optional): As in :func:`lay_on_ground`.

    Returns:
        np.ndarray, optional: (H, W, 3), uint8, BGR; None if OpenCV cannot.
    """
    data = np.frombuffer(value, np.uint8)
    image = cv2.imdecode(data, cv2.IMREAD_COLOR)
    png = value.startswith(b'\x89PNG')
    # A key colour, or the alpha of a palette. The header ends with IDAT.
    key = value.find(b'tRNS', 0, value.find(b'IDAT')) if png else -1
    if (image is None or image.ndim != 3 or value.startswith(b'\xff\xd8')
            or png and key < 0 and value[25] not in (4, 6)):
        return image  # a JPEG, or a PNG of opaque colours
    whole = cv2.imdecode(data, cv2.IMREAD_UNCHANGED)
    if whole is None:
        return image
    if whole.ndim == 2 and key > 0:  # OpenCV forgets the key of grey ones
        grey = int.from_bytes(value[key + 4:key + 6], 'big')
        grey *= max(255 // (2**value[24] - 1), 1)  # of 1, 2 or 4 bits
        clear = whole == grey
        whole = cv2.cvtColor(whole, cv2.COLOR_GRAY2BGRA)
        whole[clear, 3] = 0
    if whole.ndim != 3 or whole.shape[2] != 4:
        return image
    deep = whole.dtype == np.uint16
    if deep:
        whole = np.right_shift(whole, 8, out=whole).astype(np.uint8)
    # OpenCV turns a picture as EXIF says without its alpha only.
    for turned in _turns(whole):
        if np.array_equal(turned[..., :3], image):
            whole = turned
            break
    if value[:4] in (b'II*\0', b'MM\0*') and not deep:
        # Of a TIFF, OpenCV gives colours times alpha.
        for part in _parts(whole):
            alpha = np.maximum(part[..., 3:], 1).astype(np.float32)
            part[..., :3] = (part[..., :3] / alpha * 255).clip(0, 255).round()
    return lay_on_ground(whole, alpha_color)


def lay_on_ground(image: np.ndarray,
                  alpha_color: Optional[Sequence[int]] = None) -> np.ndarray:
    """Lay a picture with transparency on a ground of one colour.

    Without it, ink in the alpha channel alone would be black on black.

    Args:
        image (np.ndarray): (H, W, 4), uint8, BGRA.
        alpha_color (Sequence[int], optional): Red, green and blue of the
            ground, as PaddleOCR's ``alphacolor``. Defaults to white, and to
            black where all that is to be seen is light.

    Returns:
        np.ndarray: (H, W, 3), uint8, BGR. Where nothing is to be seen, the
        alpha channel is held to be unused, and colours are as they are.
    """
    colours = np.ascontiguousarray(image[..., :3])
    if image[..., 3].min() == 255 or image[..., 3].max() == 0:
        return colours
    if alpha_color is None:
        # How much of each grey there is to be seen.
        seen = sum(np.bincount(
            cv2.cvtColor(part[..., :3].copy(), cv2.COLOR_BGR2GRAY).ravel(),
            part[..., 3].ravel(), 256) for part in _parts(image))
        greys = np.arange(256)
        mean = np.average(greys, weights=seen)
        spread = np.average((greys - mean)**2, weights=seen)**0.5
        # Light paper with dark ink on it has contrast of its own.
        alpha_color = [0 if mean > 127.5 and spread < 48 else 255] * 3
    ground = np.array(alpha_color[::-1], np.float32)
    for part, laid in zip(_parts(image), _parts(colours)):
        alpha = part[..., 3:].astype(np.float32) / 255
        laid[:] = (ground + (laid - ground) * alpha).round()
    return colours


def _parts(image: np.ndarray) -> List[np.ndarray]:
    """Views of neighbouring rows, of which some floats may be made.

    Of all of a picture of the size that is allowed, they would take 4 GB.
    """
    rows = max(1, 2**20 // image.shape[1])
    return [image[start:start + rows]
            for start in range(0, len(image), rows)]


def as_bgr(array: np.ndarray,
           alpha_color: Optional[Sequence[int]] = None) -> np.ndarray:
    """A picture in memory as recognizers take it.

    Args:
        array (np.ndarray): (H, W), (H, W, 1), (H, W, 2) grey and alpha,
            (H, W, 3) BGR or (H, W, 4) BGRA; uint8 or uint16.
        alpha_color (Sequence[int], optional): As in :func:`lay_on_ground`.

    Returns:
        np.ndarray: (H, W, 3), uint8, BGR.

    Raises:
        ValueError: If it is none of these, or has no pixels.
    """
    channels = array.shape[2] if array.ndim == 3 else 1
    if (array.dtype not in (np.uint8, np.uint16) or array.ndim not in (2, 3)
            or channels not in (1, 2, 3, 4) or array.size == 0):
        raise ValueError(
            f'an array of {array.dtype}, {array.shape}, is no picture: it '
            'takes uint8 or uint16 of shape (H, W), (H, W, 2) with alpha, '
            '(H, W, 3) in BGR or (H, W, 4) in BGRA')
    if array.dtype == np.uint16:
        array = (array >> 8).astype(np.uint8)
    if channels == 1:
        return cv2.cvtColor(array, cv2.COLOR_GRAY2BGR)
    if channels == 2:
        array = array[..., [0, 0, 0, 1]]
    if channels in (2, 4):
        return lay_on_ground(array, alpha_color)
    return np.ascontiguousarray(array)


def _turns(image: np.ndarray) -> List[np.ndarray]:
    """A picture, (H, W, C), the eight ways that EXIF knows."""
    return [turned[rows, columns]
            for turned in (image, image.transpose(1, 0, 2))
            for rows in (slice(None), slice(None, None, -1))
            for columns in (slice(None), slice(None, None, -1))]
