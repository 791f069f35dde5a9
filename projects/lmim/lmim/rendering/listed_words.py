"""Words of a vocabulary, and words made up after its statistics."""
from typing import Any, Dict, List, Optional, Tuple

import numpy as np

from .vocabulary import Vocabulary
from .words import Words


class ListedWords(Words):
    """The words of a vocabulary, each as often as it comes there.

    Args:
        vocabulary (Vocabulary): The words.
        part (str, optional): 'train' or 'test'; see
            :func:`.words.part_of_word`. None draws from all words.
        lengths (tuple[int, int]): Told in the settings; the vocabulary was
            read with them.

    Raises:
        ValueError: If no word belongs to the part.
    """

    def __init__(self, vocabulary: Vocabulary, part: Optional[str] = 'train',
                 lengths: Tuple[int, int] = (1, 25)) -> None:
        super().__init__(part, lengths)
        self.vocabulary = vocabulary
        wanted = np.fromiter(
            (self._is_wanted(word) for word in vocabulary), bool,
            len(vocabulary))
        if not wanted.any():
            raise ValueError(
                f'None of the {len(vocabulary)} word(s) of '
                f'{vocabulary.origin} belongs to the {part} part, which gets '
                'its words by chance. Give more words')
        # Words of the other part take no room in the sums.
        self._sums = np.cumsum(vocabulary.counts * wanted)

    @property
    def characters(self) -> str:
        """str: Every character of the vocabulary."""
        return self.vocabulary.characters

    def settings(self) -> Dict[str, Any]:
        """What tells the vocabulary from others."""
        return dict(words=self.vocabulary.digest(),
                    lengths=list(self.lengths))

    def draw(self, rng: np.random.Generator) -> str:
        """Draw one word of the part.

        Args:
            rng (np.random.Generator): The only source of chance.
        """
        at = np.searchsorted(self._sums, rng.random() * self._sums[-1],
                             side='right')
        return self.vocabulary[int(at)]


class ImitatedWords(Words):
    """Words made up after the statistics of a vocabulary.

    A Markov chain: each character follows the ``order`` before it as often as
    in the vocabulary's words, their ends included. So words look like those
    of the language, also rare ones and such as no list has.

    Args:
        vocabulary (Vocabulary): What is imitated.
        part (str, optional): 'train' or 'test'; see
            :func:`.words.part_of_word`. None draws from all words.
        lengths (tuple[int, int]): Least and greatest number of characters,
            both included.
        order (int): How many characters are looked back at. More come nearer
            to the vocabulary, up to its very words.

    Raises:
        ValueError: If the order is below 1.
    """

    END = '\0'

    def __init__(self, vocabulary: Vocabulary, part: Optional[str] = 'train',
                 lengths: Tuple[int, int] = (1, 25), order: int = 2) -> None:
        super().__init__(part, lengths)
        if order < 1:
            raise ValueError(f'order is 1 or more, not {order}')
        self.vocabulary = vocabulary
        self.order = order
        following: Dict[str, Dict[str, float]] = {}
        for word, count in zip(vocabulary, vocabulary.counts.tolist()):
            padded = self.END * order + word + self.END
            for at in range(len(word) + 1):
                after = following.setdefault(padded[at:at + order], {})
                char = padded[at + order]
                after[char] = after.get(char, 0) + count
        #: Context to the characters after it, and sums of their counts.
        self._chain: Dict[str, Tuple[str, np.ndarray]] = {
            context: (''.join(after), np.cumsum(list(after.values())))
            for context, after in following.items()
        }

    @property
    def characters(self) -> str:
        """str: Every character of the vocabulary."""
        return self.vocabulary.characters

    def settings(self) -> Dict[str, Any]:
        """What tells the vocabulary from others; order and lengths."""
        return dict(statistics=self.vocabulary.digest(), order=self.order,
                    lengths=list(self.lengths))

    def draw(self, rng: np.random.Generator) -> str:
        """Draw one word of the part.

        Args:
            rng (np.random.Generator): The only source of chance.

        Raises:
            ValueError: If the statistics and lengths allow (almost) no word
                of this part.
        """
        for _ in range(self.MAX_DRAWS):
            word = self._make(rng)
            if self.lengths[0] <= len(word) and self._is_wanted(word):
                return word
        raise ValueError(
            f'No {self.part or ""} word of {self.lengths[0]} to '
            f'{self.lengths[1]} characters was found after the statistics '
            f'of {self.vocabulary.origin}: give more words, or other lengths')

    def _make(self, rng: np.random.Generator) -> str:
        """Follow the chain to a word's end; '' if that is too far."""
        context = self.END * self.order
        word: List[str] = []
        while True:
            characters, sums = self._chain[context]
            at = np.searchsorted(sums, rng.random() * sums[-1], side='right')
            char = characters[int(at)]
            if char == self.END:
                # Labels may hold spaces, which pictures do not show at ends.
                return ''.join(word).strip()
            if len(word) == self.lengths[1]:
                return ''
            word.append(char)
            context = context[1:] + char
