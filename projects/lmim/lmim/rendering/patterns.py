"""What backgrounds show: ramps, grain, streaks, stripes, shapes, plates.

Each pattern is a plane of numbers in -1 to 1, by which a colour is added to
the background's. So no pattern takes away more of the contrast to the text
than that colour allows.
"""
from dataclasses import dataclass
from typing import Callable, Dict, Tuple

import cv2
import numpy as np

from .colors import Color


@dataclass(frozen=True)
class Pattern:
    """A pattern on the background.

    Args:
        kind (str): One of :data:`PATTERNS`.
        swing (tuple[float, ...]): What is added to blue, green and red where
            the pattern is 1, and taken away where it is -1.
    """
    kind: str
    swing: Color


def draw_plane(pattern: Pattern, shape: Tuple[int, int],
               rng: np.random.Generator) -> np.ndarray:
    """Draw a pattern.

    Args:
        pattern (Pattern): What kind.
        shape (tuple[int, int]): Height and width.
        rng (np.random.Generator): The only source of chance.

    Returns:
        np.ndarray: float32 of that shape, in -1 to 1.
    """
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
