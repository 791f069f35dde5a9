"""Chooses a font that has what a word needs."""
from typing import Dict, List, Optional, Sequence

import numpy as np

from .fonts import Font, missing_characters


class FontPool:
    """Fonts, and which characters each of them can draw.

    A word gets any of the fonts that have all of its characters, so that a
    wide alphabet, which few fonts have as a whole, rules out none of them.

    Args:
        fonts (Sequence[Font]): The faces.
        characters (str): Every character that will be drawn.
    """

    def __init__(self, fonts: Sequence[Font], characters: str) -> None:
        self.fonts: List[Font] = list(fonts)
        wanted = sorted(set(characters))
        self._columns: Dict[str, int] = {
            char: column for column, char in enumerate(wanted)
        }
        # (fonts, characters): whether the font has the character.
        self._has = np.ones((len(self.fonts), len(wanted)), bool)
        for row, font in enumerate(self.fonts):
            for char in missing_characters(font.path, characters):
                self._has[row, self._columns[char]] = False
        self._has_all = bool(self._has.all())

    def __len__(self) -> int:
        return len(self.fonts)

    @property
    def missing(self) -> str:
        """str: The characters that none of the fonts has."""
        return ''.join(char for char, column in self._columns.items()
                       if not self._has[:, column].any())

    def pick(self, text: str, rng: np.random.Generator) -> Optional[Font]:
        """Draw one of the fonts that have all characters of a text.

        Args:
            text (str): Of the characters that the pool was made for.
            rng (np.random.Generator): The only source of chance.

        Returns:
            Font, optional: Each as likely as any other; None if no font has
            all of the characters.
        """
        if self._has_all:
            return self.fonts[int(rng.integers(len(self.fonts)))]
        columns = [self._columns[char] for char in text]
        able = np.flatnonzero(self._has[:, columns].all(axis=1))
        if not len(able):
            return None
        return self.fonts[able[int(rng.integers(len(able)))]]

    def has(self, font: Font, text: str) -> bool:
        """Whether one of the fonts has all characters of a text."""
        row = self._has[self.fonts.index(font)]
        return bool(row[[self._columns[char] for char in text]].all())
