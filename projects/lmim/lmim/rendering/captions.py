"""Writes short lines of text in any script onto a picture."""
from functools import lru_cache
from itertools import groupby
from pathlib import Path
from typing import List, Optional, Tuple

import matplotlib
import numpy as np
from matplotlib import font_manager
from PIL import Image, ImageDraw, ImageFont

from .fonts import missing_characters

SIZE = 12  # pixels
#: No line of a contact sheet takes more characters.
LONGEST = 200


def draw_caption(image: np.ndarray, text: str, corner: Tuple[int, int],
                 width: int) -> None:
    r"""Write a line in black; where it is too long it ends in three dots.

    Each character is drawn with a face that has it, of those that matplotlib
    brings and the machine has. One that none has, or that cannot be seen, is
    written as its number: ``\u4e2d``.

    Args:
        image (np.ndarray): BGR uint8 of shape (H, W, 3); it is drawn on.
        text (str): What to write.
        corner (tuple[int, int]): x of the line's left end and y of its base
            line, in pixels.
        width (int): Pixels that it may take.
    """
    text = ''.join(map(_visible, text[:LONGEST]))
    if _width(text) > width:
        while text and _width(f'{text}…') > width:
            text = text[:-1]
        text += '…'
    canvas = Image.fromarray(image)
    pen = ImageDraw.Draw(canvas)
    x = float(corner[0])
    for face, run in _runs(text):
        pen.text((x, corner[1]), run, (0, 0, 0), face, 'ls')
        x += face.getlength(run)
    image[...] = np.asarray(canvas)


def _runs(text: str) -> List[Tuple[ImageFont.FreeTypeFont, str]]:
    """Pieces of a text, each with a face that has all of it."""
    return [(_load(path or _files()[0]), ''.join(run))
            for path, run in groupby(text, font_file_with)]


def _width(text: str) -> float:
    return sum(face.getlength(run) for face, run in _runs(text))


def _visible(char: str) -> str:
    if char.isprintable() and font_file_with(char) is not None:
        return char
    return char.encode('unicode_escape').decode()


@lru_cache(maxsize=None)
def font_file_with(char: str) -> Optional[str]:
    """The first font file that can draw a character.

    Args:
        char (str): One character.

    Returns:
        str, optional: Its path; None if no file can.
    """
    for path in _files():
        try:
            if not missing_characters(path, char):
                return path
        # A broken font file of the machine, for which fontTools and FreeType
        # raise many kinds of errors; the others are still there.
        except Exception:
            continue
    return None


@lru_cache(maxsize=None)
def _files() -> List[str]:
    """Font files: DejaVu Sans, which has most alphabets, then the machine's.

    Bold and slanted ones, and others that are not plain, come last.
    """
    bundled = Path(matplotlib.get_data_path()) / 'fonts' / 'ttf'
    found = font_manager.findSystemFonts()
    return [str(bundled / 'DejaVuSans.ttf'),
            *sorted(found, key=lambda path: (not _plain(path), path))]


def _plain(path: str) -> bool:
    name = Path(path).stem.lower()
    return not any(word in name for word in
                   ('bold', 'italic', 'oblique', 'light', 'mono', 'black'))


@lru_cache(maxsize=None)
def _load(path: str) -> ImageFont.FreeTypeFont:
    """A face, with the layout that joins and turns letters if it is there."""
    return ImageFont.truetype(path, SIZE)
