"""What was read in a picture, and pictures of it."""
import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Callable, Dict, Iterable, List, Optional, Tuple, Union

import cv2
import numpy as np
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.patches import Rectangle

from lmim.datasets.records import UnreadableRecordError
from lmim.rendering.fonts import font_file_with
from lmim.utils.atomic import write_atomic
from lmim.utils.errors import UserError
from lmim.utils.json_text import to_json
from lmim.visualization.sheet import contact_sheet, fit_within, save_picture

#: Height and width of a picture in a sheet.
CELL = (48, 192)
COLUMNS = 6
_SURE, _UNSURE = '#2c7fb8', '#d95f0e'


@dataclass
class Recognition:
    """A word that was read, or why it was not.

    Attributes:
        text (str): The word; '' where the picture is unreadable.
        score (float): The probability of the whole word, 0 to 1. For
            recognizers that give only those of characters it is their
            product.
        char_scores (List[float]): The probability of each character.
        source (str): What the picture is called.
        error (str, optional): Why it could not be read.
        polygon (List[float], optional): Where the word is in a photograph:
            x, y, x, y ... in pixels.
        rotation (int, optional): By how many degrees the picture was turned,
            counter-clockwise, to be read so; None where no turn was tried.
        char_boxes (List[List[float]], optional): Where each character of the
            text is: left, top, right and bottom edge in pixels of
            :attr:`image`. None where nobody asked, or the decoder does not
            tell.
    """
    text: str
    score: float
    char_scores: List[float]
    source: str
    error: Optional[str] = None
    polygon: Optional[List[float]] = None
    rotation: Optional[int] = None
    char_boxes: Optional[List[List[float]]] = None
    #: Reads the picture again: of a million words none is kept in memory.
    load: Optional[Callable[[], np.ndarray]] = field(
        default=None, repr=False, compare=False)

    @property
    def image(self) -> np.ndarray:
        """np.ndarray: The picture as it was given, (H, W, 3), uint8, BGR.

        Read anew each time, unless it was given as an array.

        Raises:
            UserError: If it is unreadable (:attr:`error` says why).
            UnreadableRecordError: If its file has changed since.
        """
        if self.load is None:
            raise UserError(f'{self.source} has no picture: {self.error}')
        return self.load()

    @property
    def confidence(self) -> float:
        """float: The probability of the word as one character's share of it.

        It is the geometric mean, by which words of different lengths can be
        compared. A word of no character has none, however likely it is.
        """
        count = len(self.char_scores)
        return math.pow(self.score, 1 / count) if count else 0.

    def to_dict(self) -> Dict[str, Any]:
        """What was read, of types that JSON has, scores to six digits.

        Returns:
            Dict[str, Any]: ``source``, ``text``, ``score``, ``char_scores``,
            and ``polygon``, ``rotation``, ``char_boxes`` and ``error`` where
            there are such.
        """
        result: Dict[str, Any] = dict(
            source=self.source, text=self.text, score=round(self.score, 6),
            char_scores=[round(score, 6) for score in self.char_scores])
        if self.polygon is not None:
            result['polygon'] = [round(number, 2) for number in self.polygon]
        if self.rotation is not None:
            result['rotation'] = self.rotation
        if self.char_boxes is not None:
            result['char_boxes'] = [[round(edge, 2) for edge in box]
                                    for box in self.char_boxes]
        if self.error is not None:
            result['error'] = self.error
        return result

    def save(self, path: Union[str, Path]) -> None:
        """Write what was read, whole or not at all.

        Args:
            path (str or Path): A file that may be replaced: ``.json`` for
                :meth:`to_dict`, ``.png`` for the picture with its text and
                the score of each character.

        Raises:
            UserError: If its suffix is another, or there is no picture.
        """
        suffix = Path(path).suffix.lower()
        if suffix == '.json':
            text = to_json(self.to_dict(), ensure_ascii=False, indent=2)
            write_atomic(path, (text + '\n').encode('utf-8'))
        elif suffix == '.png':
            save_picture(draw_recognition(self), path)
        else:
            raise UserError(f'{path}: what was read is saved as .json or '
                            '.png, and the suffix tells which')


def unreadable(source: str, reason: object) -> Recognition:
    """What stands for a picture that cannot be read."""
    return Recognition('', 0., [], source, str(reason))


def draw_recognition(word: Recognition) -> Figure:
    """Draw a word: its picture, and below it each character's probability."""
    picture = word.image
    tokens = tokens_of(word)
    figure = Figure(figsize=(max(4., 0.45 * len(tokens) + 1.), 3.2),
                    layout='constrained')
    above, below = figure.subplots(2, 1, height_ratios=[1, 1])
    above.imshow(picture[..., ::-1])
    for left, top, right, bottom in word.char_boxes or []:
        # Edges: matplotlib has whole numbers at the middles of pixels.
        above.add_patch(Rectangle((left - 0.5, top - 0.5), right - left,
                                  bottom - top, fill=False, color=_UNSURE))
    above.set_axis_off()
    above.set_title(f'probability of the word: {word.score:.3f}', fontsize=10)
    places = range(len(tokens))
    bars = below.bar(
        places, word.char_scores, width=0.7,
        color=[_SURE if score >= 0.5 else _UNSURE
               for score in word.char_scores])
    below.bar_label(bars, [f'{score:.2f}' for score in word.char_scores],
                    fontsize=8, padding=1)
    fonts = [font_file_with(token[0]) if token.isprintable() else None
             for token in tokens]
    below.set_xticks(places, [
        token if font else f'U+{ord(token[0]):04X}'
        for token, font in zip(tokens, fonts)], fontsize=8)
    for label, font in zip(below.get_xticklabels(), fonts):
        if font is not None:
            label.set_fontproperties(FontProperties(fname=font, size=16))
    below.set_ylim(0, 1.2)
    below.set_yticks([0, 0.5, 1])
    below.set_xlim(-0.6, max(len(tokens), 1) - 0.4)
    below.spines[['top', 'right']].set_visible(False)
    if not tokens:
        below.text(0, 0.5, 'no character was read', ha='center')
    return figure


def draw_boxes(word: Recognition, cell: Tuple[int, int]) -> np.ndarray:
    """Draw the boxes of a word's characters into its picture.

    It is BGR uint8, (H, W, 3), and fits into a cell of a height and width.
    """
    picture = word.image
    drawn = fit_within(picture, cell)
    scale = np.tile(np.divide(drawn.shape[1::-1], picture.shape[1::-1]), 2)
    for box in word.char_boxes or []:
        left, top, right, bottom = (scale * box).round().astype(int).tolist()
        cv2.rectangle(drawn, (left, top), (right - 1, bottom - 1),
                      (14, 95, 217))  # _UNSURE
    return drawn


def draw_sheet(words: Iterable[Recognition]) -> np.ndarray:
    """Lay pictures out in rows, each with what was read below.

    In place of an unreadable picture there is a grey one.

    Returns:
        np.ndarray: BGR uint8 of shape (H, W, 3).

    Raises:
        UserError: If there is no word.
    """
    samples = list(map(_sample, words))
    return contact_sheet(samples, min(COLUMNS, len(samples) or 1), CELL)


def _sample(word: Recognition) -> Tuple[np.ndarray, str]:
    """A picture, as large as its cell allows, and its caption."""
    try:
        return (fit_within(word.image, CELL),
                f'{word.text}   {word.score:.2f}')
    # Without a picture, or with one that has gone since it was read.
    except (ValueError, UnreadableRecordError):
        return np.full((*CELL, 3), 200, np.uint8), (
            f'unreadable: {Path(word.source).name}')


def tokens_of(word: Recognition) -> Tuple[str, ...]:
    """What each score is of: a character, where there are as many."""
    if len(word.text) == len(word.char_scores):
        return tuple(word.text.replace(' ', '\u2423'))  # an open box
    # MMOCR writes what is not in the dictionary as a token: <UKN>.
    return tuple(map(str, range(1, 1 + len(word.char_scores))))
