"""The faces that words are drawn with, and which part they belong to."""
import hashlib
import logging
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from string import ascii_letters, digits
from typing import Dict, List, Optional, Sequence, Tuple, Union

import matplotlib
from fontTools.agl import toUnicode
from fontTools.ttLib import TTFont
from mmengine.logging import print_log
from PIL import ImageFont

FONT_SUFFIXES = ('.otf', '.ttc', '.ttf')
PARTS = ('train', 'test')
# Glyph names that number the glyph and say nothing of the character.
NUMBERED = re.compile(r'[A-Za-z]*\d+')

# Whole designs are held out, of each kind that training has: a serif in four
# styles (beside STIX General and Computer Modern), a sans (beside DejaVu
# Sans) and a typewriter face (beside DejaVu Sans Mono). STIX General instead
# of DejaVu Serif would make a harder test: no other italic is like its own.
HELD_OUT_FAMILIES = ('DejaVu Serif', 'cmss10', 'cmtt10')


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
def _open_font(path: str) -> Tuple[str, Dict[int, str]]:
    """Family name and character map (code point to glyph name) of a file."""
    with TTFont(path, lazy=True, fontNumber=0) as file:
        # Format 13 maps whole scripts to one glyph: a "last resort" face,
        # which claims every character and draws a box for each.
        if any(table.format == 13 for table in file['cmap'].tables):
            return Path(path).stem, {}
        names = file['name']
        family = names.getDebugName(16) or names.getDebugName(1)
        cmap = {
            code: glyph
            for code, glyph in (file.getBestCmap() or {}).items()
            if glyph != '.notdef'
        }
    return family or Path(path).stem, cmap


def missing_characters(path: Union[str, Path], text: str) -> str:
    """Characters of a text that a font cannot draw.

    A character is there if the font maps it to a glyph that leaves ink and,
    for ASCII letters and digits, whose name (where it has one) says the same
    character: symbol faces (cmex10, cmsy10) put other signs in their places.

    Args:
        path (str or Path): The font file.
        text (str): The characters wanted; spaces need no ink.

    Returns:
        str: The missing ones, each once, in order of code point.
    """
    _, cmap = _open_font(str(path))
    face = load_face(str(path), 32)
    missing = []
    for char in sorted(set(text)):
        glyph = cmap.get(ord(char))
        if glyph is None:
            missing.append(char)
            continue
        disguised = (
            char in ascii_letters + digits and toUnicode(glyph) != char
            and not NUMBERED.fullmatch(glyph))
        blank = not char.isspace() and face.getmask(char).getbbox() is None
        if disguised or blank:
            missing.append(char)
    return ''.join(missing)


def find_fonts(characters: str,
               folder: Optional[Union[str, Path]] = None) -> List[Font]:
    """Faces that can draw all of the characters.

    Args:
        characters (str): Every character that will be drawn.
        folder (str or Path, optional): A folder of fonts (searched with its
            sub-folders) to use beside those that matplotlib brings.

    Returns:
        list[Font]: Sorted by name; where two files share a name, the one in
        ``folder`` is kept.

    Raises:
        FileNotFoundError: If the folder does not exist or holds no font.
        ValueError: If no face has all of the characters.
    """
    bundled = Path(matplotlib.get_data_path()) / 'fonts' / 'ttf'
    paths = {path.stem: path for path in _font_files(bundled)}
    if folder is not None:
        own = _font_files(Path(folder))
        if not own:
            raise FileNotFoundError(
                f'No font in {folder}: give a folder that holds files ending '
                f'in {", ".join(FONT_SUFFIXES)}')
        paths.update((path.stem, path) for path in own)
    fonts = []
    best, fewest = '', characters
    for name in sorted(paths):
        path = str(paths[name])
        try:
            missing = missing_characters(path, characters)
            family = _open_font(path)[0]
        except Exception as error:  # fontTools and FreeType raise many kinds
            print_log(f'Font left out, it cannot be read: {path} ({error})',
                      'current', logging.WARNING)
            continue
        if not missing:
            fonts.append(Font(path, family))
        elif len(missing) < len(fewest):
            best, fewest = name, missing
    if not fonts:
        near = f'; {best} lacks only {fewest!r}' if best else ''
        raise ValueError(
            f'No font has all of the characters {characters!r}{near}. Leave '
            'characters out, or give a folder with a font that has them')
    return fonts


def _font_files(folder: Path) -> List[Path]:
    """Font files in a folder and below, sorted."""
    if not folder.is_dir():
        raise FileNotFoundError(f'The font folder {folder} does not exist')
    return sorted(path for path in folder.rglob('*')
                  if path.suffix.lower() in FONT_SUFFIXES)


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
        ValueError: If there are fewer than two faces.
    """
    if len(fonts) < 2:
        names = ', '.join(font.name for font in fonts) or 'none'
        raise ValueError(
            'Two fonts are needed, so that the test part has one that '
            f'training has not; found: {names}. Add fonts to the folder, or '
            'leave out the characters that other fonts lack')
    parts: Dict[str, List[Font]] = {part: [] for part in PARTS}
    for font in fonts:
        parts['test' if _held_out(font) else 'train'].append(font)
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


def _held_out(font: Font) -> bool:
    """Whether a face belongs to the test part."""
    if font.family in HELD_OUT_FAMILIES:
        return True
    bundled = Path(matplotlib.get_data_path())
    if bundled in Path(font.path).parents:
        return False
    return hashlib.sha256(font.family.encode()).digest()[0] % 4 == 0
