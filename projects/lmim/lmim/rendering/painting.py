"""Lays text on a background and ages the picture."""
import cv2
import numpy as np

from .colors import Color
from .patterns import draw_plane
from .style import Outline, Shadow, Style


def paint(mask: np.ndarray, style: Style) -> np.ndarray:
    """Lay coloured text on a background and age it.

    Args:
        mask (np.ndarray): uint8 of shape (H, W); 255 is ink.
        style (Style): Colours and strengths.

    Returns:
        np.ndarray: BGR uint8 of shape (H, W, 3).
    """
    height, width = mask.shape
    rng = np.random.default_rng(style.seed)
    light = _light(height, width, style, rng)
    # Colours lie in planes, (3, H, W), as sums over them are several times
    # faster than over pixels of three.
    alpha = mask.astype(np.float32) / 255
    ground = _background(height, width, style)
    if style.shadow is not None:
        ground = _throw(ground, mask, style.shadow, style.height)
    covered = alpha
    if style.outline is not None:
        covered = _rim(mask, style.outline, style.height)
        if style.outline.hollow:
            covered = covered * (1 - alpha)
        ground = _cover(ground, _planes(style.outline.color), covered)
        covered = np.maximum(covered, alpha)
    if style.outline is None or not style.outline.hollow:
        ground = _cover(ground, _ink(height, style), alpha)
    # The text lies on the background but in the same light, half as strong,
    # so that contrast is never lost.
    ground += light * (1 - covered / 2)
    image = cv2.merge(list(ground))
    if style.blur > 0.2:  # below, the kernel is a single pixel
        image = cv2.GaussianBlur(image, (0, 0), style.blur)
    noise = rng.standard_normal((height, width), dtype=np.float32)
    image += cv2.merge([noise * style.noise] * 3)
    image = np.clip(image, 0, 255).astype(np.uint8)
    _, data = cv2.imencode('.jpg', image,
                           (cv2.IMWRITE_JPEG_QUALITY, style.jpeg_quality))
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR))


def _light(height: int, width: int, style: Style,
           rng: np.random.Generator) -> np.ndarray:
    """One plane of brightness for all three channels: light, not colour."""
    across, down = style.gradient
    light = (
        np.linspace(-across / 2, across / 2, width, dtype=np.float32) +
        np.linspace(-down / 2, down / 2, height, dtype=np.float32)[:, None])
    blotches = rng.standard_normal((3, 6), dtype=np.float32) * style.texture
    light += cv2.resize(
        blotches, (width, height), interpolation=cv2.INTER_CUBIC)
    return light


def _background(height: int, width: int, style: Style) -> np.ndarray:
    """Its colour, (3, 1, 1), or (3, H, W) with a pattern on it."""
    background = _planes(style.background)
    if style.pattern is None:
        return background
    # Drawn from a generator of its own: noise is the same without it.
    plane = draw_plane(style.pattern, (height, width),
                       np.random.default_rng([style.seed, 1]))
    return background + plane * _planes(style.pattern.swing)


def _ink(height: int, style: Style) -> np.ndarray:
    """The text's colour, (3, 1, 1), or (3, H, 1) where it changes down."""
    ink = _planes(style.foreground)
    if style.shade is None:
        return ink
    down = np.linspace(0, 1, height, dtype=np.float32)[:, None]
    return ink + (_planes(style.shade) - ink) * down


def _throw(ground: np.ndarray, mask: np.ndarray, shadow: Shadow,
           unit: int) -> np.ndarray:
    """Lay a shadow on the background."""
    right, down = (share * unit for share in shadow.shift)
    height, width = mask.shape
    thrown = cv2.warpAffine(
        mask, np.array([[1, 0, right], [0, 1, down]], np.float32),
        (width, height))
    if shadow.blur * unit > 0.3:
        thrown = cv2.GaussianBlur(thrown, (0, 0), shadow.blur * unit)
    alpha = thrown.astype(np.float32) * (shadow.opacity / 255)
    return _cover(ground, _planes(shadow.color), alpha)


def _rim(mask: np.ndarray, outline: Outline, unit: int) -> np.ndarray:
    """How much letters with their rim cover, (H, W) in 0 to 1."""
    radius = max(round(outline.width * unit), 1)
    kernel = cv2.getStructuringElement(
        cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    return cv2.dilate(mask, kernel).astype(np.float32) / 255


def _cover(ground: np.ndarray, color: np.ndarray,
           alpha: np.ndarray) -> np.ndarray:
    """Lay a colour on the background where alpha, (H, W), is 1."""
    return ground + (color - ground) * alpha


def _planes(color: Color) -> np.ndarray:
    """A colour, to be added to planes: float32 of shape (3, 1, 1)."""
    return np.array(color, np.float32).reshape(3, 1, 1)
