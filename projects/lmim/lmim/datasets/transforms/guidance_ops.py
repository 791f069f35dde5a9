"""What the guidance view does to a picture, one function each.

Each function takes a picture of shape (H, W, 3), uint8, BGR, and draws
nothing. The ten operations are defined as imgaug defines them, which the
authors compose; colour jitter as torchvision does.

Of those that change the geometry none flips, and but for the crop none cuts
anything away: a canvas grows or the picture shrinks in it. What is not
picture is black, as imgaug leaves it, or repeats the edge where that is said.
They take float32 as well.
"""
from functools import lru_cache
from math import ceil, cos, radians, sin, tan
from typing import Tuple

import cv2
import numpy as np
from numpy import ndarray

_WARP = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
_INVERSE = np.arange(255, -1, -1, dtype=np.uint8)
_SHARPEN = np.full((3, 3), -1, dtype=np.float32)
_IDENTITY = np.zeros((3, 3), dtype=np.float32)
_IDENTITY[1, 1] = 1
_MID_GREY = 127.5


def crop(img: ndarray, top: float = 0, bottom: float = 0, left: float = 0,
         right: float = 0) -> ndarray:
    """Cut off parts of the height and width, at least a pixel is left.

    Returns:
        ndarray: A view of the picture.
    """
    y0, y1, x0, x1 = crop_box(img.shape[:2], top, bottom, left, right)
    return img[y0:y1, x0:x1]


def crop_box(size: Tuple[int, int], top: float = 0, bottom: float = 0,
             left: float = 0, right: float = 0) -> Tuple[int, int, int, int]:
    """First row, row after the last, and columns likewise, of a crop."""
    height, width = size
    y0, x0 = round(top * height), round(left * width)
    y1, x1 = height - round(bottom * height), width - round(right * width)
    return y0, max(y1, y0 + 1), x0, max(x1, x0 + 1)


def rotate(img: ndarray, degrees: float) -> ndarray:
    """Turn clockwise about the centre, on a canvas grown to fit."""
    matrix, (height, width) = rotation(img.shape[:2], degrees)
    return cv2.warpAffine(img, matrix, (width, height), flags=_WARP)


def rotation(size: Tuple[int, int], degrees: float
             ) -> Tuple[ndarray, Tuple[int, int]]:
    """From the grown canvas to the picture, (2, 3); the canvas's size."""
    height, width = size
    c, s = cos(radians(degrees)), sin(radians(degrees))
    # Rounding must not add a pixel where nothing was turned.
    new_width = ceil((width - 1) * abs(c) + (height - 1) * abs(s) + 1 - 1e-6)
    new_height = ceil((width - 1) * abs(s) + (height - 1) * abs(c) + 1 - 1e-6)
    x, y = (new_width - 1) / 2, (new_height - 1) / 2
    # From the new canvas to the picture: turn back about its centre.
    matrix = np.array([[c, s, (width - 1) / 2 - c * x - s * y],
                       [-s, c, (height - 1) / 2 + s * x - c * y]])
    return matrix, (new_height, new_width)


def affine(img: ndarray, scale: Tuple[float, float],
           shift: Tuple[float, float], degrees: float,
           shear: Tuple[float, float]) -> ndarray:
    """Scale, lean, turn clockwise and move about the centre, at its size.

    Args:
        img (ndarray): The picture, (H, W, 3).
        scale (Tuple[float, float]): Factors of x and y.
        shift (Tuple[float, float]): In parts of the width and height.
        degrees (float): By which it is turned.
        shear (Tuple[float, float]): Degrees by which columns lean along x,
            and rows along y.
    """
    height, width = img.shape[:2]
    matrix = affine_matrix((height, width), scale, shift, degrees, shear)
    return cv2.warpAffine(img, matrix, (width, height),
                          flags=cv2.INTER_LINEAR)


def affine_matrix(size: Tuple[int, int], scale: Tuple[float, float],
                  shift: Tuple[float, float], degrees: float,
                  shear: Tuple[float, float]) -> ndarray:
    """From the picture to what :func:`affine` makes of it, (2, 3)."""
    height, width = size
    c, s = cos(radians(degrees)), sin(radians(degrees))
    lean = np.array([[1, tan(radians(shear[0]))], [tan(radians(shear[1])), 1]])
    linear = np.array([[c, -s], [s, c]]) @ lean @ np.diag(scale)
    center = np.array([(width - 1) / 2, (height - 1) / 2])
    moved = center + np.array(shift) * (width, height) - linear @ center
    return np.column_stack([linear, moved])


def perspective(img: ndarray, jitter: ndarray) -> ndarray:
    """See the picture at a slant, all of it, at its size.

    As in imgaug, a quadrilateral in the picture becomes a rectangle. imgaug
    then shows the rectangle only; here the canvas is fitted to what the
    whole picture becomes, so that no letter at the border is lost.

    Args:
        img (ndarray): The picture, (H, W, 3).
        jitter (ndarray): How far each corner of the quadrilateral (top left,
            top right, bottom right, bottom left) lies inside the picture, in
            parts of its width and height; (4, 2), from 0 to below 0.25.
    """
    height, width = img.shape[:2]
    return cv2.warpPerspective(
        img, perspective_matrix((height, width), jitter), (width, height),
        flags=cv2.INTER_LINEAR)


def perspective_matrix(size: Tuple[int, int], jitter: ndarray) -> ndarray:
    """From the picture to what :func:`perspective` makes of it, (3, 3)."""
    height, width = size
    corners = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], dtype=np.float32)
    corners *= (max(width - 1, 1), max(height - 1, 1))
    inside = np.where(_FAR_SIDE, 1 - jitter, jitter) * corners[2]
    forward = cv2.getPerspectiveTransform(
        inside.astype(np.float32), corners)
    reached = cv2.perspectiveTransform(corners[None], forward)[0]
    low = reached.min(axis=0)
    scale = corners[2] / (reached.max(axis=0) - low)
    fit = np.array([[scale[0], 0, -scale[0] * low[0]],
                    [0, scale[1], -scale[1] * low[1]], [0, 0, 1]])
    return fit @ forward


#: Whether a corner lies at the far end of the x and of the y axis.
_FAR_SIDE = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], dtype=bool)


def piecewise_affine(img: ndarray, shift: ndarray) -> ndarray:
    """Bend the picture by moving the points of a regular grid.

    Between the points the shift is interpolated bilinearly. Points at the
    border move along it or outwards only, so that the picture is bent in its
    frame and not cut; what lies outside repeats the edge.

    Args:
        img (ndarray): The picture, (H, W, 3).
        shift (ndarray): Where each point looks, from where it is, in parts
            of the width and height; (rows, columns, 2) of (x, y), with at
            least 2 rows and columns.
    """
    height, width = img.shape[:2]
    rows, columns = shift.shape[:2]
    shift = within_frame(shift)
    along_y, grid_y = _interpolation(rows, height)
    along_x, grid_x = _interpolation(columns, width)
    look_x = shift[:, :, 0] * width + grid_x
    look_y = shift[:, :, 1] * height + grid_y[:, None]
    return cv2.remap(
        img,
        along_y @ look_x @ along_x.T,
        along_y @ look_y @ along_x.T,
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE)


def within_frame(shift: ndarray) -> ndarray:
    """Shifts of a grid whose border points move along it or outwards."""
    shift = shift.astype(np.float32)
    shift[:, 0, 0] = -np.abs(shift[:, 0, 0])
    shift[:, -1, 0] = np.abs(shift[:, -1, 0])
    shift[0, :, 1] = -np.abs(shift[0, :, 1])
    shift[-1, :, 1] = np.abs(shift[-1, :, 1])
    return shift


@lru_cache(maxsize=1024)
def _interpolation(points: int, length: int) -> Tuple[ndarray, ndarray]:
    """Linear interpolation between points that are evenly spread.

    The weights, (length, points), and the places of the points in pixels.
    """
    grid = np.linspace(0, length - 1, points, dtype=np.float32)
    at = np.linspace(0, points - 1, length, dtype=np.float32)[:, None]
    weights = np.clip(1 - np.abs(at - np.arange(points)), 0, None)
    return weights.astype(np.float32), grid


def resize(img: ndarray, img_size: Tuple[int, int]) -> ndarray:
    """Bicubic resize that does not skip pixels of a large picture.

    Where the picture has more than twice the pixels wanted along an axis, it
    is averaged down to twice first: OpenCV's bicubic looks at four
    neighbours only, and thin strokes would break.

    Args:
        img (ndarray): The picture, (H, W, 3).
        img_size (Tuple[int, int]): (height, width) wanted.
    """
    height, width = img_size
    if img.shape[0] > 2 * height or img.shape[1] > 2 * width:
        between = (min(img.shape[1], 2 * width), min(img.shape[0], 2 * height))
        img = cv2.resize(img, between, interpolation=cv2.INTER_AREA)
    return cv2.resize(img, (width, height), interpolation=cv2.INTER_CUBIC)


def contrast(img: ndarray, factor: float) -> ndarray:
    """Scale the distance of each value from mid-grey."""
    return cv2.addWeighted(img, factor, img, 0, (1 - factor) * _MID_GREY)


def blur(img: ndarray, sigma: float) -> ndarray:
    """Gaussian blur; the kernel is as wide as imgaug's, at least 5."""
    size = blur_size(sigma)
    return cv2.GaussianBlur(img, (size, size), sigma)


def blur_size(sigma: float) -> int:
    """How many pixels the kernel of :func:`blur` spans."""
    return max(5, int(3.3 * sigma)) | 1


def sharpen(img: ndarray, alpha: float, lightness: float) -> ndarray:
    """Blend with a picture of its edges that keeps ``lightness`` of itself."""
    kernel = alpha * _SHARPEN + (1 - alpha) * _IDENTITY
    kernel[1, 1] = (1 - alpha) + alpha * (8 + lightness)
    return cv2.filter2D(img, -1, kernel)


def solarize(img: ndarray, threshold: float, above: bool) -> ndarray:
    """Invert the values from the threshold on, or those below it."""
    table = np.arange(256, dtype=np.uint8)
    part = slice(int(threshold), None) if above else slice(int(threshold))
    table[part] = _INVERSE[part]
    return cv2.LUT(img, table)


def grayscale(img: ndarray, alpha: float) -> ndarray:
    """Blend with the picture without colour."""
    gray = cv2.cvtColor(cv2.cvtColor(img, cv2.COLOR_BGR2GRAY),
                        cv2.COLOR_GRAY2BGR)
    return cv2.addWeighted(gray, alpha, img, 1 - alpha, 0)


def jitter_brightness(img: ndarray, factor: float) -> ndarray:
    """Scale each value."""
    return cv2.addWeighted(img, factor, img, 0, 0)


def jitter_contrast(img: ndarray, factor: float) -> ndarray:
    """Scale the distance of each value from the mean grey of the picture."""
    mean = round(cv2.mean(cv2.cvtColor(img, cv2.COLOR_BGR2GRAY))[0])
    return cv2.addWeighted(img, factor, img, 0, (1 - factor) * mean)


def jitter_saturation(img: ndarray, factor: float) -> ndarray:
    """Scale the distance of each colour from its grey."""
    return grayscale(img, 1 - factor)


def jitter_hue(img: ndarray, turns: float) -> ndarray:
    """Turn the hue of each colour."""
    hsv = cv2.cvtColor(img, cv2.COLOR_BGR2HSV_FULL)
    # Hue is a whole turn in 256 steps, and wraps around as uint8 does.
    hsv[..., 0] += np.uint8(round(turns * 256) % 256)
    return cv2.cvtColor(hsv, cv2.COLOR_HSV2BGR_FULL)
