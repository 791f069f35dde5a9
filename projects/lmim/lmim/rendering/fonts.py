"""Faces of font files, and which characters each can draw."""
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Dict, Tuple, Union

from fontTools.agl import toUnicode
from fontTools.ttLib import TTFont
from PIL import ImageFont

# Glyph names that number the glyph and say nothing of the character.
NUMBERED = re.compile(r'(glyph|gid|cid|index|char|[A-Za-z])[._-]?\d+')
# Fonts whose glyph for a character has its name, and another shape: TeX's
# italic has a pound sign in the dollar's place.
WRONG_SHAPES = {'cmti10': '$'}


@dataclass(frozen=True)
class Font:
    """One face of a font file.

    Args:
        path (str): The font file; of a collection, its first face is used.
        family (str): The family that the file names.
    """
    path: str
    family: str

    @property
    def name(self) -> str:
        """The file's name without its ending."""
        return Path(self.path).stem


@lru_cache(maxsize=1024)
def load_face(path: str, size: int) -> ImageFont.FreeTypeFont:
    """A face at a size in pixels, kept open.

    The basic layout is asked for by name: Pillow's other one (Raqm) is not in
    every build and places glyphs differently, and so would change the bytes.
    """
    return ImageFont.truetype(
        path, size, layout_engine=ImageFont.Layout.BASIC)


@lru_cache(maxsize=None)
def open_font(path: str) -> Tuple[str, Dict[int, str]]:
    """Family name and character map (code point to glyph name) of a file."""
    with TTFont(path, lazy=True, fontNumber=0) as file:
        # Format 13 maps whole scripts to one glyph: a "last resort" face,
        # which claims every character and draws a box for each.
        if any(table.format == 13 for table in file['cmap'].tables):
            return Path(path).stem, {}
        names = file['name']
        family = names.getDebugName(16) or names.getDebugName(1)
        nothing = {'.notdef', file.getGlyphName(0)}
        cmap = {
            code: glyph
            for code, glyph in (file.getBestCmap() or {}).items()
            if glyph not in nothing
        }
    return family or Path(path).stem, cmap


def missing_characters(path: Union[str, Path], text: str) -> str:
    """Characters of a text that a font cannot draw.

    A character is there if the font maps it to a glyph that leaves ink and
    whose name does not say another character; see :func:`_is_disguised`.

    Args:
        path (str or Path): The font file.
        text (str): The characters wanted; spaces need no ink.

    Returns:
        str: The missing ones, each once, in order of code point.
    """
    return _missing(str(path), text)


# A set asks three times for all characters of all fonts.
@lru_cache(maxsize=4096)
def _missing(path: str, text: str) -> str:
    _, cmap = open_font(path)
    face = load_face(path, 32)
    wrong = WRONG_SHAPES.get(Path(path).stem, '')
    missing = []
    for char in sorted(set(text)):
        glyph = cmap.get(ord(char))
        if (glyph is None or char in wrong or _is_disguised(char, glyph)
                or not char.isspace()
                and face.getmask(char).getbbox() is None):
            missing.append(char)
    return ''.join(missing)


def _is_disguised(char: str, glyph: str) -> bool:
    """Whether a glyph's name says that it is not the character.

    Fonts of TeX and of symbols put other signs in the places of ASCII and
    Latin-1: with cmr10, ``<`` comes out as an inverted exclamation mark.
    Beyond Latin-1 several names are good for one character, and no font is
    known that misuses them.
    """
    if ord(char) > 0xFF or char.isspace():
        return False
    named = toUnicode(glyph)
    # A name that is not of Adobe's list may still number the glyph.
    return named != char if named else not NUMBERED.fullmatch(glyph)
