"""Cuts words out of scene images."""
from typing import Any, Callable, Dict, Optional

import cv2
import numpy as np

from lmim.utils.errors import UserError


#: Takes points, (N, 2), x and y in pixels, from a picture as its file holds
#: it to where they are when it is turned upright.
Turn = Callable[[np.ndarray], np.ndarray]


def read_polygon(instance: Dict[str, Any],
                 turn: Optional[Turn] = None) -> np.ndarray:
    """The outline of one instance of MMOCR's text detection format.

    Args:
        instance (dict): With ``polygon`` ([x, y, x, y, ...]) or ``bbox``
            ([x1, y1, x2, y2]).
        turn (Callable, optional): Turns the outline as the picture was
            turned.

    Returns:
        np.ndarray: float64 of shape (N, 2), N >= 3; a box gives its corners
        from top left clockwise.

    Raises:
        UserError: If there is neither, or it is not made of such numbers.
    """
    outline = instance.get('polygon', instance.get('bbox'))
    try:
        numbers = np.array(outline, np.float64).reshape(-1, 2)
    except (TypeError, ValueError):
        raise UserError('malformed polygon') from None
    if turn is not None:
        numbers = turn(numbers)
    if 'polygon' not in instance and len(numbers) == 2:
        left, top = numbers.min(axis=0)
        right, bottom = numbers.max(axis=0)
        numbers = np.array([[left, top], [right, top], [right, bottom],
                            [left, bottom]])
    if len(numbers) < 3 or not np.isfinite(numbers).all():
        raise UserError('malformed polygon')
    return numbers


def crop_box(image: np.ndarray, polygon: np.ndarray) -> Optional[np.ndarray]:
    """The upright box around a polygon, as Union14M crops its words.

    Args:
        image (np.ndarray): uint8 of shape (H, W, C).
        polygon (np.ndarray): Shape (N, 2), x and y in pixels.

    Returns:
        np.ndarray or None: uint8 of shape (h, w, C), what of the box lies in
        the image; None if nothing does.
    """
    height, width = image.shape[:2]
    left, top = np.maximum(np.floor(polygon.min(axis=0)), 0).astype(int)
    right, bottom = np.minimum(
        np.ceil(polygon.max(axis=0)), (width, height)).astype(int)
    if right <= left or bottom <= top:
        return None
    return image[top:bottom, left:right].copy()


def crop_rectified(image: np.ndarray,
                   polygon: np.ndarray) -> Optional[np.ndarray]:
    """The polygon's quadrilateral, straightened by a perspective transform.

    The polygon's first point comes to lie top left. What lies outside the
    image repeats its edge.

    Args:
        image (np.ndarray): uint8 of shape (H, W, C).
        polygon (np.ndarray): Shape (N, 2), x and y in pixels.

    Returns:
        np.ndarray or None: uint8 of shape (h, w, C), of the longer of each
        pair of sides; None if that is less than a pixel, or if the polygon
        lies outside the image.
    """
    quad = _as_quad(polygon)
    if crop_box(image, quad) is None:
        return None
    # Lengths of the top, right, bottom and left side.
    sides = np.linalg.norm(np.roll(quad, -1, axis=0) - quad, axis=1)
    width = int(round(max(sides[0], sides[2])))
    height = int(round(max(sides[1], sides[3])))
    if min(width, height) < 1:
        return None
    upright = np.array([[0, 0], [width, 0], [width, height], [0, height]],
                       np.float32)
    matrix = cv2.getPerspectiveTransform(quad.astype(np.float32), upright)
    return cv2.warpPerspective(
        image, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE)


def _as_quad(polygon: np.ndarray) -> np.ndarray:
    """Four corners, clockwise on the screen, of shape (4, 2).

    The first is the one nearest to the polygon's first point.
    """
    quad: np.ndarray = polygon.astype(np.float32)
    if len(quad) != 4 or not cv2.isContourConvex(quad):
        # Of a longer or crossed outline: the smallest box around it.
        quad = cv2.boxPoints(cv2.minAreaRect(quad))
    # y points down, so a positive area is clockwise. The other way round
    # the transform would mirror the text.
    if cv2.contourArea(quad, oriented=True) < 0:
        quad = quad[::-1]
    first = np.linalg.norm(quad - polygon[0], axis=1).argmin()
    return np.roll(quad, -int(first), axis=0).astype(np.float64)
