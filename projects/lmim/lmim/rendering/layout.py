"""Draws a line of text, bends and turns it, and knows where letters lie.

A :class:`Line` is level. A :class:`BentLine` maps its plane (u along the
line, v down) onto itself, along an arc or a wave; both ways have closed
forms: forwards for boxes, backwards for pixels. A :class:`Placement` fits
the line into a picture. Positions are in pixels, whole numbers at their
centres, as OpenCV has them.
"""
from dataclasses import dataclass, field, replace
from typing import Iterator, List, Optional, Sequence, Tuple

import cv2
import numpy as np
from PIL import ImageFont

from lmim.utils.errors import UserError
from .fonts import Font, load_face
from .style import Bend, Style

#: At this size in pixels a line is measured.
MEASURE = 64
# A line of less ink, in parts of the em, is a dash or a dot and not a letter:
# cut out tight it would fill the picture. Letters without ascender have more
# than 0.43 in all fonts that matplotlib brings.
LEAST_INK = 0.4
X_HEIGHT = 0.45
# The circle through the middle of the letters is at least so many times as
# wide as they are high, and rises at most so many times their height: letters
# stay readable, and large enough.
LEAST_RADIUS = 1.3
MOST_BENT_RISE = 1.3
# A wave is at most so steep; it leans letters by as much.
MOST_SLOPE = 0.4
# A turned line rises at most so many times its height from end to end.
MOST_TURNED_RISE = 1.5


@dataclass(frozen=True)
class Line:
    """A level line of text.

    Positions are in pixels of :attr:`ink`, from its upper left edge.
    """
    text: str
    face: ImageFont.FreeTypeFont = field(repr=False)
    spacing: int  # added between characters, in pixels
    ink: np.ndarray = field(repr=False)  # uint8 (h, w), 255 where a glyph is
    left: float  # x of the pen at the first character
    ink_top: float  # y of the first row of the ink in the face's line
    # Edges of the line; outside of the ink where room is left for ascenders
    # and descenders that the word lacks.
    top: float
    bottom: float

    @property
    def width(self) -> int:
        """Width of the ink in pixels."""
        return self.ink.shape[1]

    def boxes(self) -> np.ndarray:
        """Left, top, right and bottom of each character's ink.

        They are float32 (N, 4), in reading order. A space, which has no ink,
        gets the room that it takes, as high as the line.
        """
        boxes = []
        for char, pen in zip(self.text, _pens(self.text, self.face,
                                              self.spacing)):
            core, (x, y) = self.face.getmask2(char, mode='L')
            ink = core.getbbox()
            if ink is None:
                left, right = 0, self.face.getlength(char)
                top, bottom = self.top, self.bottom
            else:
                left, right = x + ink[0], x + ink[2]
                top, bottom = (y + row - self.ink_top for row in ink[1::2])
            boxes.append((left + pen + self.left, top,
                          right + pen + self.left, bottom))
        return np.array(boxes, np.float32).reshape(-1, 4)

    def letters(self) -> np.ndarray:
        """Which character each pixel of the ink belongs to, uint8 (h, w).

        It is i + 1 where the i-th character (of 255 at most) has the most
        ink, and so a pixel around it; 0 elsewhere.
        """
        letters, most = np.zeros_like(self.ink), np.zeros_like(self.ink)
        left, top = round(self.left), round(self.ink_top)
        for number, x, y, glyph in glyphs(self.text, self.face,
                                          self.spacing):
            x, y = max(x + left, 0), max(y - top, 0)
            spot = most[y:y + glyph.shape[0], x:x + glyph.shape[1]]
            glyph = glyph[:spot.shape[0], :spot.shape[1]]
            wins = glyph > spot
            letters[y:y + glyph.shape[0],
                    x:x + glyph.shape[1]][wins] = number + 1
            spot[wins] = glyph[wins]
        # A warp mixes neighbouring pixels: ink reaches one pixel further.
        spread = cv2.dilate(letters, np.ones((3, 3), np.uint8))
        return np.where(letters > 0, letters, spread)


def measure(texts: Sequence[str], font: Font, slack: float,
            spacing: float) -> Tuple[float, float]:
    """Width and height of lines laid on each other, in parts of the size.

    Arguments and errors are those of :func:`draw_lines`.
    """
    face = load_face(font.path, MEASURE)
    boxes = [face.getbbox(text) for text in texts]
    width = max(right - left + round(spacing * MEASURE) * (len(text) - 1)
                for text, (left, _, right, _) in zip(texts, boxes))
    spans = [_line_box(text, face, slack)[1:] for text in texts]
    tall = max(span[1] for span in spans) - min(span[0] for span in spans)
    return width / MEASURE, tall / MEASURE


def draw_lines(texts: Sequence[str], font: Font, size: int,
               slack: float = 0., spacing: float = 0.) -> List[Line]:
    """Draw level lines on one plane: each in the middle, on one base line.

    Their ink has one shape, and :attr:`Line.top` and :attr:`Line.bottom` are
    the same. One text gives what :func:`draw_line` does, whose arguments and
    errors these are.
    """
    lines = [draw_line(text, font, size, slack, spacing) for text in texts]
    width = max(line.width for line in lines)
    ink_top = min(line.ink_top for line in lines)
    # From the top of the highest ink.
    downs = [round(line.ink_top - ink_top) for line in lines]
    height = max(down + len(line.ink) for down, line in zip(downs, lines))
    top = min(down + line.top for down, line in zip(downs, lines))
    bottom = max(down + line.bottom for down, line in zip(downs, lines))
    laid = []
    for down, line in zip(downs, lines):
        left = (width - line.width) // 2
        ink = np.pad(line.ink, ((down, height - down - len(line.ink)),
                                (left, width - left - line.width)))
        laid.append(replace(line, ink=ink, left=line.left + left,
                            ink_top=ink_top, top=top, bottom=bottom))
    return laid


def draw_line(text: str, font: Font, size: int, slack: float = 0.,
              spacing: float = 0.) -> Line:
    """Draw a level line.

    Args:
        text (str): What it says.
        font (Font): Its face; it must have every character.
        size (int): The font's size in pixels.
        slack (float): 0 for a line as high as its ink, 1 for one with room
            for ascenders and descenders.
        spacing (float): Added between characters, in parts of the size.

    Raises:
        UserError: If the text leaves no ink.
    """
    face = load_face(font.path, size)
    ink_top, top, bottom = _line_box(text, face, slack)
    pixels = round(spacing * size)
    if pixels:
        ink, left, ink_top = _draw_apart(text, face, pixels)
    else:
        core, _ = face.getmask2(text, mode='L')
        ink = np.array(core, np.uint8).reshape(core.size[::-1])
        left = -face.getbbox(text)[0]
    return Line(text, face, pixels, ink, left, ink_top, top - ink_top,
                bottom - ink_top)


def _line_box(text: str, face: ImageFont.FreeTypeFont,
              slack: float) -> Tuple[float, float, float]:
    """Top of the ink, and top and bottom of the line, in face pixels."""
    _, ink_top, right, ink_bottom = face.getbbox(text)
    if ink_bottom <= ink_top or right <= 0:
        raise UserError(f'The text {text!r} leaves no ink')
    _, line_top, _, line_bottom = face.getbbox('bp')
    top = ink_top + min(line_top - ink_top, 0) * slack
    bottom = ink_bottom + max(line_bottom - ink_bottom, 0) * slack
    if ink_bottom - ink_top < LEAST_INK * face.size:
        base = face.getmetrics()[0]
        top = min(top, base - X_HEIGHT * face.size)
        bottom = max(bottom, base)
    return ink_top, top, bottom


def _pens(text: str, face: ImageFont.FreeTypeFont,
          spacing: float) -> List[float]:
    """X of the pen at each character, kerning and spacing included."""
    return [
        face.getlength(text[:end]) - face.getlength(text[end - 1]) +
        (end - 1) * spacing for end in range(1, len(text) + 1)
    ]


def glyphs(text: str, face: ImageFont.FreeTypeFont, spacing: float
           ) -> Iterator[Tuple[int, int, int, np.ndarray]]:
    """Number, left, top (in face pixels) and ink of each character."""
    for number, pen in enumerate(_pens(text, face, spacing)):
        core, (x, y) = face.getmask2(text[number], mode='L')
        if core.size[0] and core.size[1]:
            glyph = np.array(core, np.uint8).reshape(core.size[::-1])
            yield number, round(pen) + x, y, glyph


def _draw_apart(text: str, face: ImageFont.FreeTypeFont,
                spacing: int) -> Tuple[np.ndarray, float, float]:
    """The ink of a line with spacing; its ``left`` and ``ink_top``."""
    drawn = [glyph[1:] for glyph in glyphs(text, face, spacing)]
    left = min(x for x, _, _ in drawn)
    top = min(y for _, y, _ in drawn)
    right = max(x + glyph.shape[1] for x, _, glyph in drawn)
    bottom = max(y + glyph.shape[0] for _, y, glyph in drawn)
    ink = np.zeros((bottom - top, right - left), np.uint8)
    for x, y, glyph in drawn:
        spot = ink[y - top:y - top + glyph.shape[0],
                   x - left:x - left + glyph.shape[1]]
        np.maximum(spot, glyph, out=spot)
    return ink, -left, top


class BentLine:
    """A bend, fitted to a line of a length, between v of its two edges."""

    def __init__(self, bend: Bend, width: float, top: float,
                 bottom: float) -> None:
        tall = bottom - top
        self._is_arc = bend.kind == 'arc'
        self._center = width / 2
        self._middle = (top + bottom) / 2
        if self._is_arc:
            angle = min(abs(np.deg2rad(bend.strength)),
                        width / (LEAST_RADIUS * tall),
                        8 * MOST_BENT_RISE * tall / width)
            self._radius = width / max(angle, 1e-3)
            self._sign = 1. if bend.strength >= 0 else -1.
        else:
            self._turns = 2 * np.pi * bend.periods / width
            self._phase = bend.phase
            self._amplitude = min(bend.strength * tall,
                                  MOST_SLOPE / self._turns)

    def forward(self, points: np.ndarray) -> np.ndarray:
        """Where points (u, v) of the level line come to lie, both (N, 2)."""
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
        """Which points, u and v, lie at places x and y (of one shape)."""
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


class Placement:
    """Bends, turns, leans and tilts a line, and fits it into a picture.

    The line is of a length, from v of its top to v of its bottom.
    """

    def __init__(self, width: float, top: float, bottom: float,
                 style: Style) -> None:
        self._bent: Optional[BentLine] = None
        left, right = 0., float(width)
        tall = bottom - top
        if style.bend is not None:
            self._bent = BentLine(style.bend, width, top, bottom)
            along = np.linspace(0, width, 17)
            outline = self._bent.forward(np.concatenate([
                np.stack([along, np.full_like(along, v)], axis=1)
                for v in (top, bottom)]))
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

    def warp(self, ink: np.ndarray,
             interpolation: int = cv2.INTER_LINEAR,
             origin: Tuple[int, int] = (0, 0)) -> np.ndarray:
        """Carry ink, uint8 (h, w), from the line's plane into the picture.

        Args:
            ink (np.ndarray): The ink.
            interpolation (int): OpenCV's.
            origin (tuple[int, int]): x and y of its upper left pixel in the
                line's own ink.

        Returns:
            np.ndarray: uint8 (H, W).
        """
        height, width = self.size
        left, top = origin
        if self._bent is None:
            matrix = self._matrix
            if origin != (0, 0):
                matrix = matrix @ np.array([[1, 0, left], [0, 1, top],
                                            [0, 0, 1.]])
            return cv2.warpPerspective(ink, matrix, (width, height),
                                       flags=interpolation)
        inverse = np.linalg.inv(self._matrix).astype(np.float32)
        x = np.arange(width, dtype=np.float32)
        y = np.arange(height, dtype=np.float32)[:, None]
        a, b, c = (row[0] * x + row[1] * y + row[2] for row in inverse)
        u, v = self._bent.backward(a / c, b / c)
        return cv2.remap(ink, (u - left).astype(np.float32),
                         (v - top).astype(np.float32), interpolation)

    def quadrilaterals(self, boxes: np.ndarray) -> np.ndarray:
        """Carry boxes (left, top, right, bottom), (N, 4), into the picture.

        They become corners from top left clockwise (in reading direction),
        float32 (N, 4, 2). Under a bend the sides of a box are curved; its
        quadrilateral is widened to hold them.
        """
        left, top, right, bottom = boxes.T
        middle = (left + right) / 2
        spots = np.stack([
            left, top, right, top, right, bottom, left, bottom, middle, top,
            middle, bottom
        ], axis=1).reshape(-1, 2).astype(np.float64)
        if self._bent is not None:
            spots = self._bent.forward(spots)
        placed = cv2.perspectiveTransform(
            spots[None], self._matrix)[0].reshape(-1, 6, 2)
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
    """Corners, (4, 2), from top left clockwise, of a box as it lies."""
    lean = np.tan(np.deg2rad(style.shear)) * tall
    corners = np.array([[lean, 0], [width + lean, 0], [width, tall],
                        [0, tall]])
    # Long lines are turned less.
    most = np.arctan2(MOST_TURNED_RISE * tall, width)
    angle = float(np.clip(np.deg2rad(style.rotation), -most, most))
    turn = np.array([[np.cos(angle), -np.sin(angle)],
                     [np.sin(angle), np.cos(angle)]])
    corners = corners @ turn
    return corners + np.reshape(style.perspective, (4, 2)) * tall
