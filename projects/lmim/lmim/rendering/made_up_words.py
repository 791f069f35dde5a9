"""Words made up from an alphabet."""
import unicodedata
from typing import Any, Dict, List, Optional, Tuple

import numpy as np

from .words import Words

LOWER_CASE = 'abcdefghijklmnopqrstuvwxyz'
KINDS = ('syllables', 'random')


class WordGenerator(Words):
    """Words made up from an alphabet.

    Args:
        part (str, optional): 'train' or 'test'; see
            :func:`.words.part_of_word`. None draws from all words.
        alphabet (str): The characters to use; doubled ones count once.
        lengths (tuple[int, int]): Least and greatest number of characters,
            both included.
        kind (str): 'syllables' for words that can be pronounced (where the
            alphabet has vowels and consonants; characters that are neither
            are strewn in by their share of the alphabet), or 'random' for
            plain strings.

    Raises:
        ValueError: If a setting is not one of the above.
    """

    # Chances, chosen by eye: words begin with a vowel now and then, two
    # vowels or two consonants in a row are rare and never first, three never
    # come.
    VOWEL_FIRST = 0.25
    DOUBLED = 0.15

    def __init__(self,
                 part: Optional[str] = 'train',
                 alphabet: str = LOWER_CASE,
                 lengths: Tuple[int, int] = (3, 6),
                 kind: str = 'syllables') -> None:
        super().__init__(part, lengths)
        if kind not in KINDS:
            raise ValueError(f'kind is one of {KINDS}, not {kind!r}')
        if not alphabet or any(not c.isprintable() or c.isspace()
                               for c in alphabet):
            raise ValueError('The alphabet needs one visible character at '
                             f'least, and no spaces: {alphabet!r}')
        self.alphabet = ''.join(dict.fromkeys(alphabet))
        self.vowels, self.consonants, self.others = _sort_letters(
            self.alphabet)
        speakable = bool(self.vowels and self.consonants)
        self.kind = kind if speakable else 'random'

    @property
    def characters(self) -> str:
        """str: The alphabet."""
        return self.alphabet

    def settings(self) -> Dict[str, Any]:
        """Alphabet, lengths and kind."""
        return dict(alphabet=self.alphabet, lengths=list(self.lengths),
                    kind=self.kind)

    def draw(self, rng: np.random.Generator) -> str:
        """Draw one word of the part.

        Args:
            rng (np.random.Generator): The only source of chance.

        Raises:
            ValueError: If the alphabet and lengths allow (almost) no word of
                this part.
        """
        for _ in range(self.MAX_DRAWS):
            length = int(
                rng.integers(self.lengths[0], self.lengths[1] + 1))
            if self.kind == 'syllables':
                word = self._speakable(length, rng)
            else:
                word = ''.join(_pick(self.alphabet, rng)
                               for _ in range(length))
            if self._is_wanted(word):
                return word
        raise ValueError(
            f'No {self.part} word of {self.lengths[0]} to {self.lengths[1]} '
            f'characters was found with the alphabet {self.alphabet[:40]!r}: '
            'allow more characters or longer words')

    def _speakable(self, length: int, rng: np.random.Generator) -> str:
        """Vowels and consonants in turn, in one style of capitals."""
        is_vowel = rng.random() < self.VOWEL_FIRST
        doubled = False
        word: List[str] = []
        for place in range(length):
            word.append(_pick(self.vowels if is_vowel else self.consonants,
                              rng))
            doubled = (
                place > 0 and not doubled and rng.random() < self.DOUBLED)
            is_vowel = is_vowel == doubled
        word = _capitalise(word, self.alphabet, rng)
        if self.others:
            share = len(self.others) / len(self.alphabet)
            strewn = rng.random(length) < share
            word = [_pick(self.others, rng) if swap else char
                    for char, swap in zip(word, strewn)]
        return ''.join(word)


def _pick(characters: str, rng: np.random.Generator) -> str:
    """One character, each as likely as any other."""
    return characters[int(rng.integers(len(characters)))]


def _sort_letters(alphabet: str) -> Tuple[str, str, str]:
    """Vowels and consonants of the Latin script, and all others."""
    kinds: Tuple[List[str], List[str], List[str]] = ([], [], [])
    for char in alphabet:
        base = unicodedata.normalize('NFD', char)[0].lower()
        kind = 0 if base in 'aeiou' else 1 if base in LOWER_CASE else 2
        kinds[kind].append(char)
    return ''.join(kinds[0]), ''.join(kinds[1]), ''.join(kinds[2])


def _capitalise(word: List[str], alphabet: str,
                rng: np.random.Generator) -> List[str]:
    """Make a word lower, Capitalised or UPPER case.

    A character stays as it is where the alphabet lacks its other form.
    """
    style = int(rng.integers(3))
    capitals = len(word) if style == 2 else style  # from the left
    cased = [char.upper() for char in word[:capitals]]
    cased += [char.lower() for char in word[capitals:]]
    return [new if new in alphabet else old for old, new in zip(word, cased)]
