"""What the guidance view does to the values of a picture.

Each function takes and gives a picture of shape (H, W, 3), uint8, BGR, and
draws nothing. The ten operations are defined as imgaug defines them, which
the authors compose; colour jitter as torchvision does.
"""
import cv2
import numpy as np
from numpy import ndarray

_INVERSE = np.arange(255, -1, -1, dtype=np.uint8)
_SHARPEN = np.full((3, 3), -1, dtype=np.float32)
_IDENTITY = np.zeros((3, 3), dtype=np.float32)
_IDENTITY[1, 1] = 1
_MID_GREY = 127.5


def contrast(img: ndarray, factor: float) -> ndarray:
    """Scale the distance of each value from mid-grey."""
    return cv2.addWeighted(img, factor, img, 0, (1 - factor) * _MID_GREY)


def blur(img: ndarray, sigma: float) -> ndarray:
    """Gaussian blur; the kernel is as wide as imgaug's, at least 5."""
    size = max(5, int(3.3 * sigma)) | 1
    return cv2.GaussianBlur(img, (size, size), sigma)


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
