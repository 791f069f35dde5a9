"""Made-up words, and which part a word belongs to."""
import hashlib
import unicodedata
from typing import List, Tuple

import numpy as np

from .fonts import PARTS

LOWER_CASE = 'abcdefghijklmnopqrstuvwxyz'
KINDS = ('syllables', 'random')


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


class WordGenerator:
    """Draws words of one part; it has no state but its settings.

    Args:
        part (str): 'train' or 'test'; see :func:`part_of_word`.
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
    # A part that holds a quarter of all words is hit within so many draws
    # unless the alphabet and lengths allow hardly any word.
    MAX_DRAWS = 1000

    def __init__(self,
                 part: str = 'train',
                 alphabet: str = LOWER_CASE,
                 lengths: Tuple[int, int] = (3, 6),
                 kind: str = 'syllables') -> None:
        if part not in PARTS:
            raise ValueError(f'part is one of {PARTS}, not {part!r}')
        if kind not in KINDS:
            raise ValueError(f'kind is one of {KINDS}, not {kind!r}')
        if not alphabet or any(not c.isprintable() or c.isspace()
                               for c in alphabet):
            raise ValueError('The alphabet needs one visible character at '
                             f'least, and no spaces: {alphabet!r}')
        if not 1 <= lengths[0] <= lengths[1]:
            raise ValueError('Lengths are (least, greatest) with 1 <= least '
                             f'<= greatest, not {lengths}')
        self.part = part
        self.alphabet = ''.join(dict.fromkeys(alphabet))
        self.lengths = lengths
        self.vowels, self.consonants, self.others = _sort_letters(
            self.alphabet)
        speakable = bool(self.vowels and self.consonants)
        self.kind = kind if speakable else 'random'

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
            if part_of_word(word) == self.part:
                return word
        raise ValueError(
            f'No {self.part} word of {self.lengths[0]} to {self.lengths[1]} '
            f'characters was found with the alphabet {self.alphabet!r}: '
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
