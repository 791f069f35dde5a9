"""Words to draw, and which part a word belongs to."""
import hashlib
from abc import ABCMeta, abstractmethod
from typing import Any, Dict, Optional, Tuple

import numpy as np

from .font_search import PARTS


def part_of_word(word: str, test_share: float = 0.25) -> str:
    """The part, 'train' or 'test', that a word belongs to.

    It hangs on the word alone, so a test word is unseen in training whatever
    the seeds, sizes and alphabets of the two parts are.

    Args:
        word (str): The word.
        test_share (float): Share of all words that is held out.
    """
    digest = hashlib.sha256(word.encode()).digest()
    share = int.from_bytes(digest[:4], 'big') / 2**32
    return 'test' if share < test_share else 'train'


class Words(metaclass=ABCMeta):
    """Draws words of one part; it has no state but its settings.

    Args:
        part (str, optional): 'train' or 'test'; see :func:`part_of_word`.
            None draws from all words.
        lengths (tuple[int, int]): Least and greatest number of characters,
            both included.

    Raises:
        ValueError: If a setting is not one of the above.
    """

    # A part that holds a quarter of all words is hit within so many draws
    # unless there is hardly any word.
    MAX_DRAWS = 1000

    def __init__(self, part: Optional[str], lengths: Tuple[int, int]) -> None:
        if part is not None and part not in PARTS:
            raise ValueError(f'part is one of {PARTS}, not {part!r}')
        if not 1 <= lengths[0] <= lengths[1]:
            raise ValueError('Lengths are (least, greatest) with 1 <= least '
                             f'<= greatest, not {lengths}')
        self.part = part
        self.lengths = lengths

    @property
    @abstractmethod
    def characters(self) -> str:
        """str: Every character that a word may have, each once."""

    @abstractmethod
    def settings(self) -> Dict[str, Any]:
        """All that the words hang on besides part and seed, as JSON has it."""

    @abstractmethod
    def draw(self, rng: np.random.Generator) -> str:
        """Draw one word of the part.

        Args:
            rng (np.random.Generator): The only source of chance.

        Raises:
            ValueError: If there is (almost) no word of this part.
        """

    def _is_wanted(self, word: str) -> bool:
        return self.part is None or part_of_word(word) == self.part
