"""Base lines that are not straight: arcs and waves.

A bend maps the plane of a level line (u along it, v down) onto itself. Both
ways are there in closed form: forwards for boxes, backwards for pixels.
"""
from dataclasses import dataclass
from typing import Tuple

import numpy as np

# The circle through the middle of the letters is at least so many times as
# wide as they are high, and rises at most so many times their height: letters
# stay readable, and large enough.
LEAST_RADIUS = 1.3
MOST_RISE = 1.3
# A wave is at most so steep; it leans letters by as much.
MOST_SLOPE = 0.4


@dataclass(frozen=True)
class Bend:
    """How a line is bent; a short or a long one is bent less.

    Args:
        kind (str): 'arc' or 'wave'.
        strength (float): Of an arc, the angle in degrees from its first to
            its last letter, positive where its ends hang down; of a wave, its
            amplitude in heights of the line.
        periods (float): Of a wave: how often it rises and falls.
        phase (float): Of a wave: where it begins, in radians.
    """
    kind: str
    strength: float
    periods: float = 1.
    phase: float = 0.


class BentLine:
    """A bend, fitted to a line.

    Args:
        bend (Bend): How the line is bent.
        width (float): The line's length.
        top (float): v of its upper edge.
        bottom (float): v of its lower edge.
    """

    def __init__(self, bend: Bend, width: float, top: float,
                 bottom: float) -> None:
        tall = bottom - top
        self._is_arc = bend.kind == 'arc'
        self._center = width / 2
        self._middle = (top + bottom) / 2
        if self._is_arc:
            angle = min(abs(np.deg2rad(bend.strength)),
                        width / (LEAST_RADIUS * tall),
                        8 * MOST_RISE * tall / width)
            self._radius = width / max(angle, 1e-3)
            self._sign = 1. if bend.strength >= 0 else -1.
        else:
            self._turns = 2 * np.pi * bend.periods / width
            self._phase = bend.phase
            self._amplitude = min(bend.strength * tall,
                                  MOST_SLOPE / self._turns)

    def forward(self, points: np.ndarray) -> np.ndarray:
        """Where points of the level line come to lie.

        Args:
            points (np.ndarray): (u, v), float of shape (N, 2).

        Returns:
            np.ndarray: (x, y), float of shape (N, 2).
        """
        u, v = points[:, 0], points[:, 1]
        if not self._is_arc:
            return np.stack([u, v + self._offset(u)], axis=1)
        # Measured from the middle, and with an arc that opens upwards turned
        # upside down.
        radius = self._radius - (v - self._middle) * self._sign
        angle = (u - self._center) / self._radius
        rise = self._radius - radius * np.cos(angle)
        return np.stack([
            self._center + radius * np.sin(angle),
            self._middle + rise * self._sign
        ], axis=1)

    def backward(self, x: np.ndarray,
                 y: np.ndarray) -> Tuple[np.ndarray, np.ndarray]:
        """Which points of the level line lie at some places.

        Args:
            x (np.ndarray): float of any shape.
            y (np.ndarray): float of the same shape.

        Returns:
            tuple[np.ndarray, np.ndarray]: u and v, of the same shape.
        """
        if not self._is_arc:
            return x, y - self._offset(x)
        across = x - self._center
        up = self._radius - (y - self._middle) * self._sign
        angle = np.arctan2(across, up)
        rise = self._radius - np.hypot(across, up)
        return (self._center + angle * self._radius,
                self._middle + rise * self._sign)

    def _offset(self, u: np.ndarray) -> np.ndarray:
        return self._amplitude * np.sin(u * self._turns + self._phase)

    def outline(self, width: float, top: float, bottom: float) -> np.ndarray:
        """Points around the bent line.

        Args:
            width (float): The line's length.
            top (float): v of its upper edge.
            bottom (float): v of its lower edge.

        Returns:
            np.ndarray: (x, y), float of shape (N, 2).
        """
        along = np.linspace(0, width, 17)
        return self.forward(np.concatenate([
            np.stack([along, np.full_like(along, v)], axis=1)
            for v in (top, bottom)
        ]))
