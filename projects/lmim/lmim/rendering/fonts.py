"""Finds font files, and knows which characters each of them can draw.

Pillow's basic layout puts one glyph for each character from left to right.
Scripts that run from right to left, that join or reorder letters, or that
stack marks on them would come out as wrong text under a right label:
:func:`needs_shaping` names their characters, which are left out.
"""
import hashlib
import logging
import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Dict, Iterable, List, Optional, Sequence, Tuple, Union

import matplotlib
import numpy as np
from fontTools import unicodedata as scripts
from fontTools.agl import toUnicode
from fontTools.ttLib import TTFont
from matplotlib.font_manager import findSystemFonts
from mmengine.logging import print_log
from PIL import ImageFont

from lmim.utils.errors import UserError

FONT_SUFFIXES = ('.otf', '.ttc', '.ttf')
PARTS = ('train', 'test')
#: Places that have a name.
BUNDLED, MACHINE = 'matplotlib', 'machine'
BUNDLED_FOLDER = Path(matplotlib.get_data_path()) / 'fonts' / 'ttf'

# Whole designs are held out, of each kind that training has: a serif in four
# styles (beside STIX General and Computer Modern), a sans (beside DejaVu
# Sans) and a typewriter face (beside DejaVu Sans Mono). STIX General instead
# of DejaVu Serif would make a harder test: no other italic is like its own.
HELD_OUT_FAMILIES = ('DejaVu Serif', 'cmss10', 'cmtt10')

# Glyph names that number the glyph and say nothing of the character.
NUMBERED = re.compile(r'(glyph|gid|cid|index|char|[A-Za-z])[._-]?\d+')
# Fonts whose glyph for a character has its name, and another shape: TeX's
# italic has a pound sign in the dollar's place.
WRONG_SHAPES = {'cmti10': '$'}

# ISO 15924 codes; 'Zyyy' are signs and digits that many scripts share.
SIMPLE_SCRIPTS = frozenset({
    'Armn', 'Bopo', 'Cans', 'Cher', 'Cyrl', 'Ethi', 'Geor', 'Grek', 'Hang',
    'Hani', 'Hira', 'Kana', 'Latn', 'Yiii', 'Zyyy'
})
# Letters of which Hangul syllables are composed, in three blocks.
JAMO = (range(0x1100, 0x1200), range(0xA960, 0xA980), range(0xD7B0, 0xD800))

# Faces that captions take last.
SPECIAL = ('bold', 'italic', 'oblique', 'light', 'mono', 'black')

Places = Union[str, Path, Sequence[Union[str, Path]]]


@dataclass(frozen=True)
class Font:
    """One face of a font file; of a collection, the first."""
    path: str
    family: str  # as the file names it

    @property
    def name(self) -> str:
        """The file's name without its suffix."""
        return Path(self.path).stem


@lru_cache(maxsize=1024)
def load_face(path: str, size: int) -> ImageFont.FreeTypeFont:
    """A face at a size in pixels, kept open.

    The basic layout is named explicitly: Pillow's other one (Raqm) is not in
    every build and places glyphs differently, which would change the bytes.
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


# A set asks three times for all characters of all fonts.
@lru_cache(maxsize=4096)
def missing_characters(path: Union[str, Path], text: str) -> str:
    """Characters of a text that a font cannot draw.

    A font has a character if it maps it to a glyph that leaves ink and whose
    name does not say another character.

    Args:
        path (str or Path): The font file.
        text (str): The characters wanted; spaces need no ink.

    Returns:
        str: The missing ones, each once, in order of code point.
    """
    _, cmap = open_font(str(path))
    face = load_face(str(path), 32)
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
    """Whether a glyph's name says that it is not the character."""
    # Fonts of TeX and of symbols put other signs in the places of ASCII and
    # Latin-1: with cmr10, `<` comes out as an inverted exclamation mark.
    # Beyond Latin-1 several names are good for one character, and no font is
    # known that misuses them.
    if ord(char) > 0xFF or char.isspace():
        return False
    named = toUnicode(glyph)
    # A name that is not of Adobe's list may still number the glyph.
    return named != char if named else not NUMBERED.fullmatch(glyph)


def needs_shaping(text: str) -> str:
    """Characters of a text that cannot be set one beside the other.

    Args:
        text (str): Any text. A letter and its accent as two characters need
            shaping; as one, they do not (``unicodedata.normalize('NFC', ...)``
            makes one of them).

    Returns:
        str: Each such character once, in order of code point.
    """
    return ''.join(char for char in sorted(set(text)) if not _is_simple(char))


def _is_simple(char: str) -> bool:
    if ' ' <= char <= '~':
        return True
    if (unicodedata.category(char)[0] in 'MC'  # marks, control and format
            or unicodedata.bidirectional(char) in ('R', 'AL', 'AN')
            or any(ord(char) in block for block in JAMO)):
        return False
    script = scripts.script(char)
    if script not in SIMPLE_SCRIPTS:
        return False
    # A sign such as the Arabic comma is shared, but not with ours.
    return script != 'Zyyy' or not SIMPLE_SCRIPTS.isdisjoint(
        scripts.script_extension(char))


def find_fonts(characters: str, places: Places = BUNDLED) -> List[Font]:
    """Faces that can draw some of the characters (letters, if there are).

    Args:
        characters (str): Every character that will be drawn.
        places (str or Sequence[str]): Where to look: 'matplotlib' (the fonts
            that it brings), 'machine' (those that are installed), folders,
            which are searched with their sub-folders, or font files.

    Returns:
        list[Font]: Sorted by name; where two files share a name, the one of
        the earlier place is kept.

    Raises:
        FileNotFoundError: If a place does not exist or holds no font.
        UserError: If no face has any of the characters.
    """
    if isinstance(places, (str, Path)):
        places = [places]
    paths: Dict[str, Path] = {}
    for place in places:
        for path in _font_files(str(place)):
            paths.setdefault(path.stem, path)
    # A face that has nothing but brackets is one for formulas.
    wanted = {c for c in characters if c.isalnum()} or set(characters)
    fonts = []
    for file in (str(paths[name]) for name in sorted(paths)):
        try:
            missing = missing_characters(file, characters)
            family = open_font(file)[0]
        except Exception as error:  # fontTools and FreeType raise many kinds
            print_log(f'Font left out, it cannot be read: {file} ({error})',
                      'current', logging.WARNING)
            continue
        if not wanted.issubset(missing):
            fonts.append(Font(file, family))
    if not fonts:
        shown = ''.join(sorted(set(characters)))
        more = f' and {len(shown) - 40} more' if len(shown) > 40 else ''
        raise UserError(
            f'No font has any of {shown[:40]!r}{more}, of {len(paths)} in '
            f'{", ".join(map(str, places))}. Name a folder with a font that '
            'has the characters')
    return fonts


def _font_files(place: str) -> List[Path]:
    """The font files of a place, sorted."""
    if place == MACHINE:
        found: Iterable[Path] = map(Path, findSystemFonts())
    elif place == BUNDLED:
        found = BUNDLED_FOLDER.iterdir()
    elif Path(place).is_file():
        found = [Path(place)]
    elif Path(place).is_dir():
        found = Path(place).rglob('*')
    else:
        raise FileNotFoundError(
            f'The font folder {place} does not exist. Give a folder, a font '
            f'file, {BUNDLED!r} or {MACHINE!r}')
    paths = sorted(path for path in found
                   if path.suffix.lower() in FONT_SUFFIXES)
    if not paths:
        raise FileNotFoundError(
            f'No font in {place}: give a place that holds files ending in '
            f'{", ".join(FONT_SUFFIXES)}')
    return paths


@lru_cache(maxsize=None)
def font_file_with(char: str) -> Optional[str]:
    """The first font file of the machine that can draw a character.

    DejaVu Sans, which has most alphabets, comes first, then the installed
    fonts, plain ones before bold and slanted ones. None if no file can.
    """
    for path in _caption_files():
        try:
            if not missing_characters(path, char):
                return path
        # A broken font file of the machine, for which fontTools and FreeType
        # raise many kinds of errors; the others are still there.
        except Exception:
            continue
    return None


@lru_cache(maxsize=None)
def _caption_files() -> List[str]:
    """Font files of the machine, DejaVu Sans and plain ones first."""
    return [str(BUNDLED_FOLDER / 'DejaVuSans.ttf'),
            *sorted(findSystemFonts(), key=lambda path: (
                any(word in Path(path).stem.lower() for word in SPECIAL),
                path))]


def split_fonts(fonts: Sequence[Font]) -> Dict[str, List[Font]]:
    """Part the faces so that no design of the test part is seen in training.

    Whole families are held out: :data:`HELD_OUT_FAMILIES`, and of all others
    that matplotlib does not bring about one in four, by a hash of the name,
    so that a face stays in its part when others are added.

    Args:
        fonts (Sequence[Font]): The faces, two at least.

    Returns:
        dict[str, list[Font]]: The faces of 'train' and of 'test', none empty.

    Raises:
        UserError: If there are fewer than two faces.
    """
    if len(fonts) < 2:
        names = ', '.join(font.name for font in fonts) or 'none'
        raise UserError(
            'Two fonts are needed, so that the test part has one that '
            f'training has not; found: {names}. Name more places with fonts, '
            'or let both parts use the same')
    parts: Dict[str, List[Font]] = {part: [] for part in PARTS}
    for font in fonts:
        held_out = font.family in HELD_OUT_FAMILIES or (
            BUNDLED_FOLDER not in Path(font.path).parents and
            hashlib.sha256(font.family.encode()).digest()[0] % 4 == 0)
        parts['test' if held_out else 'train'].append(font)
    if not all(parts.values()):
        # All are of one part, as with few fonts: then the last family, or
        # the last face where there is one family only, goes to the other.
        everyone = parts['train'] or parts['test']
        last = [f for f in everyone if f.family == everyone[-1].family]
        if len(last) == len(everyone):
            last = everyone[-1:]
        parts['train'] = [f for f in everyone if f not in last]
        parts['test'] = last
    return parts


class FontPool:
    """Fonts, and which characters each of them can draw.

    A word gets any of the fonts that have all of its characters, so that a
    wide alphabet, which few fonts have as a whole, rules out none of them.
    ``characters`` are all that will be drawn.
    """

    def __init__(self, fonts: Sequence[Font], characters: str) -> None:
        self.fonts: List[Font] = list(fonts)
        self._wanted = frozenset(characters)
        self._has = [self._wanted.difference(
            missing_characters(font.path, characters)) for font in fonts]

    def __len__(self) -> int:
        return len(self.fonts)

    @property
    def missing(self) -> str:
        """str: The characters that none of the fonts has."""
        return ''.join(sorted(self._wanted.difference(*self._has)))

    def pick(self, text: str, rng: np.random.Generator) -> Optional[Font]:
        """Draw one of the fonts that have all characters of a text.

        Each is as likely as any other; None if there is none.
        """
        able = self.able(text)
        return able[int(rng.integers(len(able)))] if able else None

    def able(self, text: str) -> List[Font]:
        """The fonts that have all characters of a text."""
        return [font for font, has in zip(self.fonts, self._has)
                if has.issuperset(text)]
