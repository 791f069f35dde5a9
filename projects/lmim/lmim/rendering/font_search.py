"""Finds fonts, and parts them into those of training and of the test."""
import hashlib
import logging
from pathlib import Path
from typing import Dict, Iterable, List, Sequence, Union

import matplotlib
from matplotlib.font_manager import findSystemFonts
from mmengine.logging import print_log

from .fonts import Font, missing_characters, open_font

FONT_SUFFIXES = ('.otf', '.ttc', '.ttf')
PARTS = ('train', 'test')
#: Places that have a name.
BUNDLED, MACHINE = 'matplotlib', 'machine'

# Whole designs are held out, of each kind that training has: a serif in four
# styles (beside STIX General and Computer Modern), a sans (beside DejaVu
# Sans) and a typewriter face (beside DejaVu Sans Mono). STIX General instead
# of DejaVu Serif would make a harder test: no other italic is like its own.
HELD_OUT_FAMILIES = ('DejaVu Serif', 'cmss10', 'cmtt10')

Places = Union[str, Path, Sequence[Union[str, Path]]]


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
        ValueError: If no face has any of the characters.
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
        raise ValueError(
            f'No font has {_some(characters)}, of {len(paths)} in '
            f'{", ".join(map(str, places))}. Name a folder with a font that '
            'has the characters')
    return fonts


def _some(characters: str) -> str:
    """Characters to be shown to a person, not too many."""
    shown = ''.join(sorted(set(characters)))
    if len(shown) > 40:
        return f'any of {shown[:40]!r} and {len(shown) - 40} more'
    return f'any of {shown!r}'


def _font_files(place: str) -> List[Path]:
    """The font files of a place, sorted."""
    if place == MACHINE:
        found: Iterable[Path] = map(Path, findSystemFonts())
    elif place == BUNDLED:
        found = _bundled_folder().iterdir()
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


def _bundled_folder() -> Path:
    return Path(matplotlib.get_data_path()) / 'fonts' / 'ttf'


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
            f'training has not; found: {names}. Name more places with fonts, '
            'or let both parts use the same')
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
    if _bundled_folder() in Path(font.path).parents:
        return False
    return hashlib.sha256(font.family.encode()).digest()[0] % 4 == 0
