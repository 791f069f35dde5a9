"""Where a level line of text comes to lie in its picture."""
from typing import Optional

import cv2
import numpy as np

from .bends import BentLine
from .style import Style

# A turned line rises at most so many times its height from end to end.
MOST_RISE = 1.5


class Placement:
    """Bends, turns, leans and tilts a line, and fits it into a picture.

    Positions are in pixels, whole numbers at their centres, as OpenCV has
    them.

    Args:
        width (float): The line's length.
        top (float): y of its upper edge.
        bottom (float): y of its lower edge.
        style (Style): How it lies.
    """

    def __init__(self, width: float, top: float, bottom: float,
                 style: Style) -> None:
        self._bent: Optional[BentLine] = None
        left, right = 0., float(width)
        tall = bottom - top
        if style.bend is not None:
            self._bent = BentLine(style.bend, width, top, bottom)
            outline = self._bent.outline(width, top, bottom)
            left, top = outline.min(axis=0)
            right, bottom = outline.max(axis=0)
        source = np.array([[left, top], [right, top], [right, bottom],
                           [left, bottom]])
        corners = _corners(right - left, bottom - top, style)
        reached = corners
        if self._bent is not None:
            # The corners of a bent line's box are empty.
            reached = cv2.perspectiveTransform(
                outline[None], _matrix(source, corners))[0]
        corners = corners - reached.min(axis=0)
        reached = reached - reached.min(axis=0)
        #: Height of the placed line, in heights of the level one.
        self.rise = float(reached[:, 1].max()) / tall
        grown = np.clip(self.rise, 1, style.max_growth)
        height = round(style.height * float(grown))
        scale = room(style, height) / float(reached[:, 1].max())
        offset = np.array([style.margins[0], style.margins[1]]) * style.height
        reach = float(reached[:, 0].max()) * scale + offset[0]
        #: Height and width of the picture.
        self.size = (height, max(round(
            reach + style.margins[2] * style.height), 1))
        self._matrix = _matrix(source, corners * scale + offset)

    def warp(self, ink: np.ndarray) -> np.ndarray:
        """Carry the line's ink into the picture.

        Args:
            ink (np.ndarray): uint8 of shape (h, w).

        Returns:
            np.ndarray: uint8 of shape (H, W).
        """
        height, width = self.size
        if self._bent is None:
            return cv2.warpPerspective(ink, self._matrix, (width, height))
        inverse = np.linalg.inv(self._matrix).astype(np.float32)
        x = np.arange(width, dtype=np.float32)
        y = np.arange(height, dtype=np.float32)[:, None]
        a, b, c = (row[0] * x + row[1] * y + row[2] for row in inverse)
        u, v = self._bent.backward(a / c, b / c)
        return cv2.remap(ink, u.astype(np.float32), v.astype(np.float32),
                         cv2.INTER_LINEAR)

    def points(self, points: np.ndarray) -> np.ndarray:
        """Carry points of the level line into the picture.

        Args:
            points (np.ndarray): float of shape (N, 2).

        Returns:
            np.ndarray: float64 of shape (N, 2).
        """
        points = points.astype(np.float64)
        if self._bent is not None:
            points = self._bent.forward(points)
        return cv2.perspectiveTransform(points[None], self._matrix)[0]

    def quadrilaterals(self, boxes: np.ndarray) -> np.ndarray:
        """Carry boxes into the picture.

        Under a bend the sides of a box are curved; its quadrilateral is
        widened to hold them.

        Args:
            boxes (np.ndarray): Left, top, right and bottom, of shape (N, 4).

        Returns:
            np.ndarray: Corners from top left clockwise (in reading
            direction), float32 of shape (N, 4, 2).
        """
        if not len(boxes):
            return np.zeros((0, 4, 2), np.float32)
        left, top, right, bottom = boxes.T
        middle = (left + right) / 2
        spots = np.stack([
            left, top, right, top, right, bottom, left, bottom, middle, top,
            middle, bottom
        ], axis=1).reshape(-1, 2)
        placed = self.points(spots).reshape(-1, 6, 2)
        quads = placed[:, :4]
        if self._bent is not None:
            for side, far, sagging in (((0, 1), (3, 2), 4),
                                       ((3, 2), (0, 1), 5)):
                chord = quads[:, side].mean(axis=1)
                outwards = chord - quads[:, far].mean(axis=1)
                bulge = placed[:, sagging] - chord
                out = (bulge * outwards).sum(axis=1) > 0
                quads[:, side] += (bulge * out[:, None])[:, None]
        return quads.astype(np.float32)


def room(style: Style, height: float) -> float:
    """Pixels of a picture's height that are left for text."""
    inside = style.height * (1 - style.margins[1] - style.margins[3])
    return inside + (height - style.height)


def _matrix(source: np.ndarray, target: np.ndarray) -> np.ndarray:
    return cv2.getPerspectiveTransform(
        source.astype(np.float32), target.astype(np.float32))


def _corners(width: float, tall: float, style: Style) -> np.ndarray:
    """Turn, lean and tilt a box.

    Returns:
        np.ndarray: Its corners from top left clockwise, of shape (4, 2).
    """
    lean = np.tan(np.deg2rad(style.shear)) * tall
    corners = np.array([[lean, 0], [width + lean, 0], [width, tall],
                        [0, tall]])
    angle = _turn(width, tall, style)
    turn = np.array([[np.cos(angle), -np.sin(angle)],
                     [np.sin(angle), np.cos(angle)]])
    corners = corners @ turn
    return corners + np.reshape(style.perspective, (4, 2)) * tall


def _turn(width: float, tall: float, style: Style) -> float:
    """The line's angle in radians: long lines are turned less."""
    most = np.arctan2(MOST_RISE * tall, width)
    return float(np.clip(np.deg2rad(style.rotation), -most, most))
