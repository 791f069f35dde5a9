"""Draws a level line of text, and knows where each character lies in it."""
from dataclasses import dataclass, field
from typing import List, Tuple

import numpy as np
from PIL import ImageFont

from .fonts import Font, load_face

#: At this size in pixels a line is measured.
MEASURE = 64
# A line of less ink, in parts of the em, is a dash or a dot and not a letter:
# cut out tight it would fill the picture. Letters without ascender have more
# than 0.43 in all fonts that matplotlib brings.
LEAST_INK = 0.4
X_HEIGHT = 0.45


@dataclass(frozen=True)
class Line:
    """A level line of text.

    Positions are in pixels of :attr:`ink`, from its upper left edge.

    Args:
        text (str): What it says.
        face (ImageFont.FreeTypeFont): The font at its size.
        spacing (int): Added between characters, in pixels.
        ink (np.ndarray): uint8 of shape (h, w), 255 where a glyph is.
        left (float): x of the pen at the first character, from the left edge
            of the ink.
        ink_top (float): y of the first row of the ink in the face's line.
        top (float): Upper edge of the line; outside of the ink where room is
            left for ascenders that the word lacks.
        bottom (float): Lower edge of the line.
    """
    text: str
    face: ImageFont.FreeTypeFont = field(repr=False)
    spacing: int
    ink: np.ndarray = field(repr=False)
    left: float
    ink_top: float
    top: float
    bottom: float

    @property
    def width(self) -> int:
        """Width of the ink in pixels."""
        return self.ink.shape[1]

    def boxes(self) -> np.ndarray:
        """Left, top, right and bottom of each character's ink.

        A space, which has none, gets the room that it takes, as high as the
        line.

        Returns:
            np.ndarray: float32 of shape (N, 4), in reading order.
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


def measure(text: str, font: Font, slack: float,
            spacing: float) -> Tuple[float, float]:
    """Width and height of a line, in parts of the font's size.

    Args:
        text (str): What it says.
        font (Font): Its face.
        slack (float): As of :func:`draw_line`.
        spacing (float): As of :func:`draw_line`.

    Raises:
        ValueError: If the text leaves no ink.
    """
    face = load_face(font.path, MEASURE)
    _, top, bottom = _line_box(text, face, slack)
    left, _, right, _ = face.getbbox(text)
    extra = round(spacing * MEASURE) * (len(text) - 1)
    return (right - left + extra) / MEASURE, (bottom - top) / MEASURE


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
        ValueError: If the text leaves no ink.
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
        raise ValueError(f'The text {text!r} leaves no ink')
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


def _draw_apart(text: str, face: ImageFont.FreeTypeFont,
                spacing: int) -> Tuple[np.ndarray, float, float]:
    """Draw a line glyph by glyph, with spacing between them.

    Returns:
        tuple: The ink, and its ``left`` and ``ink_top``.
    """
    glyphs = []
    for char, pen in zip(text, _pens(text, face, spacing)):
        core, (x, y) = face.getmask2(char, mode='L')
        if core.size[0] and core.size[1]:
            glyph = np.array(core, np.uint8).reshape(core.size[::-1])
            glyphs.append((round(pen) + x, y, glyph))
    left = min(x for x, _, _ in glyphs)
    top = min(y for _, y, _ in glyphs)
    right = max(x + glyph.shape[1] for x, _, glyph in glyphs)
    bottom = max(y + glyph.shape[0] for _, y, glyph in glyphs)
    ink = np.zeros((bottom - top, right - left), np.uint8)
    for x, y, glyph in glyphs:
        spot = ink[y - top:y - top + glyph.shape[0],
                   x - left:x - left + glyph.shape[1]]
        np.maximum(spot, glyph, out=spot)
    return ink, -left, top
