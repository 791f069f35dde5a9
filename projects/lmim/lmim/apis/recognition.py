"""What was read in a picture."""
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Callable, Dict, List, Optional, Union

import numpy as np

from lmim.utils.atomic import write_atomic


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
    """
    text: str
    score: float
    char_scores: List[float]
    source: str
    error: Optional[str] = None
    polygon: Optional[List[float]] = None
    #: Reads the picture again: of a million words none is kept in memory.
    load: Optional[Callable[[], np.ndarray]] = field(
        default=None, repr=False, compare=False)

    @property
    def image(self) -> np.ndarray:
        """np.ndarray: The picture as it was given, (H, W, 3), uint8, BGR.

        Read anew each time, unless it was given as an array.

        Raises:
            ValueError: If it is unreadable (:attr:`error` says why).
            UnreadableRecordError: If its file has changed since.
        """
        if self.load is None:
            raise ValueError(f'{self.source} has no picture: {self.error}')
        return self.load()

    def to_dict(self) -> Dict[str, Any]:
        """What was read, of types that JSON has, scores to six digits.

        Returns:
            Dict[str, Any]: ``source``, ``text``, ``score``, ``char_scores``,
            and ``polygon`` and ``error`` where there are such.
        """
        result: Dict[str, Any] = dict(
            source=self.source,
            text=self.text,
            score=round(self.score, 6),
            char_scores=[round(score, 6) for score in self.char_scores])
        if self.polygon is not None:
            result['polygon'] = [round(number, 2) for number in self.polygon]
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
            ValueError: If its suffix is another, or there is no picture.
        """
        suffix = Path(path).suffix.lower()
        if suffix == '.json':
            text = json.dumps(self.to_dict(), ensure_ascii=False, indent=2)
            write_atomic(path, (text + '\n').encode('utf-8'))
        elif suffix == '.png':
            # matplotlib takes longer to import than a word to read.
            from lmim.visualization import save_figure

            from .drawing import draw_recognition
            save_figure(draw_recognition(self), path)
        else:
            raise ValueError(f'{path}: what was read is saved as .json or '
                             '.png, and the suffix tells which')
