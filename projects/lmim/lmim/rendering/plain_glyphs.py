"""Words in plain letters: in the place of styled ones, or filling a picture.

They are what ODM (CVPR 2024, arXiv 2403.00303) has an encoder paint: the
text of a picture, freed of its style.
"""
from functools import lru_cache
from typing import Iterator, List, Optional, Tuple

import cv2
import numpy as np

from lmim.utils.errors import UserError
from .fonts import BUNDLED_FOLDER, Font, load_face, missing_characters
from .layout import MEASURE, Line, Placement, draw_line, glyphs

#: The plain font unless another is named: it has most alphabets.
PLAIN_FONT = str(BUNDLED_FOLDER / 'DejaVuSans.ttf')
#: Size in pixels of letters that are to fill a picture, before they are
#: brought to its size.
STRAIGHT_SIZE = 48


class PlainGlyphs:
    """Draws words in one font, white on black.

    Args:
        font (str, optional): The font file. Defaults to DejaVu Sans, which
            matplotlib brings.

    Raises:
        UserError: If the file is missing, or is no font.
    """

    def __init__(self, font: Optional[str] = None) -> None:
        path = str(font or PLAIN_FONT)
        try:
            load_face(path, MEASURE)
        except OSError as error:
            raise UserError(
                f'The plain font {path} cannot be opened: {error}. '
                'Name a TrueType or OpenType file') from None
        self.font = Font(path, '')

    def in_place(self, line: Line, placement: Placement) -> np.ndarray:
        """Draw the letters of a styled line where these lie.

        Each has its own, plain width, and its middle where that of the styled
        letter is; base line and height of capitals are the styled ones'; bend
        and perspective are the line's. Of a line in the plain font itself it
        is the same ink.

        Args:
            line (Line): The styled line.
            placement (Placement): Its way into the picture.

        Returns:
            np.ndarray: uint8 (H, W), 255 where a letter is.

        Raises:
            UserError: If the font lacks a character.
        """
        self._refuse_missing(line.text)
        drawn: List[Tuple[int, int, np.ndarray]] = list(self._letters(line))
        height, width = line.ink.shape
        left, top, right, bottom = 0, 0, width, height
        for x, y, ink in drawn:
            left, top = min(left, x), min(top, y)
            right = max(right, x + ink.shape[1])
            bottom = max(bottom, y + ink.shape[0])
        plane = np.zeros((bottom - top, right - left), np.uint8)
        for x, y, ink in drawn:
            spot = plane[y - top:y - top + ink.shape[0],
                         x - left:x - left + ink.shape[1]]
            if line.spacing:
                np.maximum(spot, ink, out=spot)
            else:  # as Pillow draws a line whose glyphs meet
                both = (255 - spot.astype(np.uint32)) * ink + 128
                spot += ((both + (both >> 8)) >> 8).astype(np.uint8)
        return placement.warp(plane, origin=(left, top))

    def straight(self, text: str, size: Tuple[int, int],
                 margin: float = 0.1) -> np.ndarray:
        """Draw a level word that fills a picture, stretched as crops are.

        Args:
            text (str): What it says.
            size (tuple[int, int]): Height and width of the picture.
            margin (float): Room on each side, in heights of the letters.

        Returns:
            np.ndarray: uint8 (H, W), 255 where a letter is.

        Raises:
            UserError: If the font lacks a character, or the text leaves no
                ink.
        """
        self._refuse_missing(text)
        line = draw_line(text, self.font, STRAIGHT_SIZE)
        above, below = round(-line.top), round(line.bottom) - len(line.ink)
        room = round(margin * (above + len(line.ink) + below))
        left, _, width, _ = cv2.boundingRect(line.ink)
        ink = np.pad(line.ink[:, left:left + width],
                     ((above + room, below + room), (room, room)))
        return np.asarray(cv2.resize(ink, size[::-1],
                                     interpolation=cv2.INTER_AREA))

    def _letters(self, line: Line) -> Iterator[Tuple[int, int, np.ndarray]]:
        """X and y in the line's ink, and ink, of each letter."""
        size = line.face.size * (_capital(str(line.face.path), line.text) /
                                 _capital(self.font.path, line.text))
        face = load_face(self.font.path, max(round(size), 1))
        left = round(line.left)
        down = (line.face.getmetrics()[0] - face.getmetrics()[0] -
                round(line.ink_top))
        for number, x, _, styled in glyphs(line.text, line.face,
                                           line.spacing):
            core, (_, y) = face.getmask2(line.text[number], mode='L')
            ink = np.array(core, np.uint8).reshape(core.size[::-1])
            middle = x + left + styled.shape[1] / 2
            yield round(middle - ink.shape[1] / 2), y + down, ink

    def _refuse_missing(self, text: str) -> None:
        missing = missing_characters(self.font.path, text)
        if missing:
            raise UserError(
                f'{self.font.name} cannot draw {missing!r} of {text!r}. Name '
                'a font file that has these characters as the plain font')


def _capital(path: str, text: str) -> float:
    """Height of capitals; of a font without them, of the text's letters."""
    return _height(path, text if missing_characters(path, 'H') else 'H')


@lru_cache(maxsize=1024)
def _height(path: str, text: str) -> float:
    _, top, _, bottom = load_face(path, MEASURE).getbbox(text)
    return max(float(bottom - top), 1.)
