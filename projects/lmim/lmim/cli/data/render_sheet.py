"""A look at rendered words, and at what is known of their letters."""
from itertools import chain
from pathlib import Path
from typing import Dict, Tuple

import cv2
import numpy as np
from PIL import Image

from lmim.rendering import PARTS, RenderedWord, RenderedWords, contact_sheet

#: Pictures of each part.
SHOWN = 48
COLUMNS = 8
#: Pictures whose letters are shown, below the others and enlarged.
LETTERS = 4
ENLARGED = 2
CELL = (48, 192)


def save_sheet(sets: Dict[str, RenderedWords], path: Path) -> None:
    """Draw the first samples of both parts, training first.

    Below them, larger: boxes of the characters, and masks of the letters, of
    some that are not straight.

    Args:
        sets (Dict[str, RenderedWords]): Both parts.
        path (Path): The PNG file to write, of 256 colours: photographs make
            large ones, and this is for a look.
    """
    sheet = Image.fromarray(_draw(sets)[..., ::-1])
    sheet.quantize(256).save(path, optimize=True)


def _draw(sets: Dict[str, RenderedWords]) -> np.ndarray:
    """The sheet, BGR uint8 of shape (H, W, 3)."""
    shown = [sets[part][index] for part in PARTS
             for index in range(min(SHOWN, len(sets[part])))]
    words = contact_sheet(
        ((word.image, f'{word.text} {word.font}') for word in shown), COLUMNS,
        CELL)
    bent_first = sorted(
        shown, key=lambda word: word.rendering.style.bend is None)
    cell = (CELL[0] * ENLARGED, CELL[1] * ENLARGED)
    letters = contact_sheet(
        chain(map(_boxes, bent_first[:LETTERS]),
              map(_mask, bent_first[:LETTERS])), LETTERS, cell)
    width = max(words.shape[1], letters.shape[1])
    return np.concatenate([
        cv2.copyMakeBorder(sheet, 0, 0, 0, width - sheet.shape[1],
                           cv2.BORDER_CONSTANT, value=(255, 255, 255))
        for sheet in (words, letters)
    ])


def _boxes(word: RenderedWord) -> Tuple[np.ndarray, str]:
    image = _enlarge(word.image)
    # Pixels are counted from their centres.
    corners = (word.boxes + 0.5) * ENLARGED - 0.5
    cv2.polylines(image, list(corners.round().astype(np.int32)), True,
                  (0, 0, 255), 1, cv2.LINE_AA)
    return image, f'boxes of {word.text}'


def _mask(word: RenderedWord) -> Tuple[np.ndarray, str]:
    mask = cv2.cvtColor(word.mask, cv2.COLOR_GRAY2BGR)
    return _enlarge(mask), f'mask of {word.text}'


def _enlarge(image: np.ndarray) -> np.ndarray:
    return cv2.resize(image, None, fx=ENLARGED, fy=ENLARGED,
                      interpolation=cv2.INTER_CUBIC)
