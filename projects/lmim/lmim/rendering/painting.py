"""Lays text on a background and ages the picture.

Backgrounds show ramps, grain, streaks, stripes, shapes, plates. Each pattern
is a plane of numbers in -1 to 1, by which a colour is added to the
background's. So no pattern takes away more of the contrast to the text than
that colour allows.
"""
from typing import Callable, Dict, Sequence, Tuple

import cv2
import numpy as np

from .style import Color, Outline, Pattern, Shadow, Style


#: Where neighbours of a word may be.
SIDES = ('left', 'right', 'above', 'below')


def paint(mask: np.ndarray, style: Style) -> np.ndarray:
    """Lay coloured text on a background and age it.

    The mask is uint8 (H, W), 255 where ink is; the picture BGR uint8
    (H, W, 3).
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


def add_neighbors(mask: np.ndarray, sides: Sequence[str]) -> np.ndarray:
    """Let letters of neighbouring words reach into a picture.

    They are the word's own letters of its other end, moved to where there is
    nothing but background: half of its margin, so that they stay apart.
    Masks are uint8 (H, W), 255 where ink is; sides are of :data:`SIDES`.
    """
    if not sides:
        return mask
    rows, columns = (np.flatnonzero((mask > 127).any(axis=axis))
                     for axis in (1, 0))
    if not len(rows):
        return mask
    left, right = int(columns[0]), int(columns[-1]) + 1
    top, bottom = int(rows[0]), int(rows[-1]) + 1
    found = mask.copy()
    if 'left' in sides and left > 1:
        found[:, :left // 2] = mask[:, right - left // 2:right]
    if 'right' in sides and mask.shape[1] - right > 1:
        room = (mask.shape[1] - right) // 2
        found[:, -room:] = mask[:, left:left + room]
    if 'above' in sides and top > 1:
        found[:top // 2] = mask[bottom - top // 2:bottom]
    if 'below' in sides and mask.shape[0] - bottom > 1:
        room = (mask.shape[0] - bottom) // 2
        found[-room:] = mask[top:top + room]
    return found


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


def draw_plane(pattern: Pattern, shape: Tuple[int, int],
               rng: np.random.Generator) -> np.ndarray:
    """Draw a pattern: float32 of a shape (height, width), in -1 to 1."""
    plane = PATTERNS[pattern.kind](shape[0], shape[1], rng)
    return np.clip(plane, -1, 1, out=plane)


def _soft(height: int, width: int, rows: int, columns: int,
          rng: np.random.Generator) -> np.ndarray:
    """Blotches of a size: random numbers, some of them, enlarged."""
    few = rng.standard_normal((max(rows, 1), max(columns, 1)),
                              dtype=np.float32)
    return cv2.resize(few, (width, height), interpolation=cv2.INTER_CUBIC)


def _slope(height: int, width: int, rng: np.random.Generator,
           length: float) -> np.ndarray:
    """Distance along a direction, in parts of a length in pixels."""
    angle = rng.uniform(0, 2 * np.pi)
    x = np.arange(width, dtype=np.float32) - width / 2
    y = np.arange(height, dtype=np.float32)[:, None] - height / 2
    return (x * np.float32(np.cos(angle) / length) +
            y * np.float32(np.sin(angle) / length))


def _ramp(height: int, width: int, rng: np.random.Generator) -> np.ndarray:
    """From one colour to another, in any direction."""
    plane = _slope(height, width, rng, 1.)
    return plane / max(float(plane.max()), 1e-6)


def _grain(height: int, width: int, rng: np.random.Generator) -> np.ndarray:
    """Plaster, stone: blotches of several sizes."""
    plane = _soft(height, width, 2, width * 2 // height, rng)
    plane += _soft(height, width, 6, width * 6 // height, rng) * 0.6
    plane += _soft(height, width, height // 2, width // 2, rng) * 0.4
    return plane * 0.6


def _streaks(height: int, width: int, rng: np.random.Generator) -> np.ndarray:
    """Wood, brushed metal: blotches drawn out along one side."""
    if rng.random() < 0.7:
        plane = _soft(height, width, height // 2, 2, rng)
        plane += _soft(height, width, 3, 3, rng)
    else:
        plane = _soft(height, width, 2, width // 2, rng)
        plane += _soft(height, width, 2, max(width // 16, 1), rng)
    return plane * 0.6


def _stripes(height: int, width: int, rng: np.random.Generator) -> np.ndarray:
    """Stripes in any direction, soft or sharp."""
    plane = _slope(height, width, rng, height * rng.uniform(0.08, 0.3))
    plane += np.float32(rng.uniform(0, 6))
    return np.clip(np.sin(plane) * np.float32(rng.uniform(1, 6)), -1, 1)


def _shapes(height: int, width: int, rng: np.random.Generator) -> np.ndarray:
    """Lines, discs and blocks, as of things behind the text."""
    plane = np.full((height, width), rng.uniform(-0.5, 0.5), np.float32)
    for _ in range(int(rng.integers(2, 6))):
        x, y, far_x, far_y = (int(share * side) for share, side in zip(
            rng.random(4), (width, height, width, height)))
        value = float(rng.uniform(-1, 1))
        kind = int(rng.integers(3))
        if kind == 0:
            cv2.line(plane, (x, y), (far_x, far_y), value,
                     int(rng.integers(1, max(height // 6, 2))), cv2.LINE_AA)
        elif kind == 1:
            cv2.rectangle(plane, (x, y), (far_x, far_y), value, -1)
        else:
            cv2.circle(plane, (x, y), int(rng.uniform(0.1, 0.6) * height),
                       value, -1, cv2.LINE_AA)
    return cv2.blur(plane, (3, 3))


def _plate(height: int, width: int, rng: np.random.Generator) -> np.ndarray:
    """A sign: its edge, and what lies outside of it."""
    inset = rng.uniform(0.01, 0.1) * height
    rim = max(rng.uniform(0.02, 0.07) * height, 1)
    x = np.arange(width, dtype=np.float32)
    y = np.arange(height, dtype=np.float32)[:, None]
    # Distance of each pixel from the picture's nearest edge.
    depth = np.minimum(np.minimum(x, width - 1 - x),
                       np.minimum(y, height - 1 - y))
    edge = np.clip(depth - np.float32(inset) + 0.5, 0, 1)
    inner = np.clip(depth - np.float32(inset + rim) + 0.5, 0, 1)
    outside = np.float32(rng.uniform(-1, 1))
    return outside * (1 - edge) + (edge - inner) - inner * np.float32(
        rng.uniform(0, 0.5))


PATTERNS: Dict[str, Callable[[int, int, np.random.Generator], np.ndarray]] = {
    'ramp': _ramp,
    'grain': _grain,
    'streaks': _streaks,
    'stripes': _stripes,
    'shapes': _shapes,
    'plate': _plate,
}
