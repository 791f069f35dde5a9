"""Words to draw: made up from an alphabet, or listed."""
import hashlib
import unicodedata
from abc import ABCMeta, abstractmethod
from collections import Counter
from typing import (Any, Callable, Dict, Iterable, Iterator, List, Optional,
                    Tuple)

import numpy as np

from lmim.utils.errors import UserError
from .fonts import PARTS, needs_shaping

LOWER_CASE = 'abcdefghijklmnopqrstuvwxyz'

#: Words, and how often each comes.
Counts = Iterable[Tuple[str, float]]
#: Reads the words of a path.
ReadWords = Callable[[str], Counts]
Lengths = Tuple[int, int]


def part_of_word(word: str) -> str:
    """The part that a word belongs to: 'test' has a quarter of all words.

    It depends on the word alone, so a test word is unseen in training
    whatever the seeds, sizes and alphabets of the two parts are.
    """
    digest = hashlib.sha256(word.encode()).digest()
    share = int.from_bytes(digest[:4], 'big') / 2**32
    return 'test' if share < 0.25 else 'train'


class Words(metaclass=ABCMeta):
    """Draws words of one part; it has no state but its settings.

    Args:
        part (str, optional): 'train' or 'test'; see :func:`part_of_word`.
            None draws from all words.
        lengths (tuple[int, int]): Least and greatest number of characters,
            both included.
        characters (str): Every character that a word may have, each once.

    Raises:
        UserError: If a setting is not one of the above.
    """

    def __init__(self, part: Optional[str], lengths: Lengths,
                 characters: str) -> None:
        if part is not None and part not in PARTS:
            raise UserError(f'part is one of {PARTS}, not {part!r}')
        if not 1 <= lengths[0] <= lengths[1]:
            raise UserError('Lengths are (least, greatest) with 1 <= least '
                            f'<= greatest, not {lengths}')
        self.part = part
        self.lengths = lengths
        self.characters = characters

    @abstractmethod
    def settings(self) -> Dict[str, Any]:
        """All that words depend on besides part and seed, as JSON has it."""

    @abstractmethod
    def draw(self, rng: np.random.Generator) -> str:
        """Draw one word of the part, by chance from ``rng`` alone.

        Raises:
            UserError: If there is (almost) no word of this part.
        """

    def _is_wanted(self, word: str) -> bool:
        return self.part is None or part_of_word(word) == self.part


class WordGenerator(Words):
    """Words made up from an alphabet.

    They can be pronounced where it has vowels and consonants; characters that
    are neither are mixed in by their share of it. Else they are any strings.

    Args:
        part (str, optional): As of :class:`Words`.
        alphabet (str): The characters to use; doubled ones count once.
        lengths (tuple[int, int]): As of :class:`Words`.

    Raises:
        UserError: If a setting is not one of the above.
    """

    # Chances, chosen by eye: words begin with a vowel now and then, two
    # vowels or two consonants in a row are rare and never first, three never
    # come.
    VOWEL_FIRST = 0.25
    DOUBLED = 0.15
    # A part that holds a quarter of all words is hit within so many draws
    # unless there is hardly any word.
    MAX_DRAWS = 1000

    def __init__(self,
                 part: Optional[str] = 'train',
                 alphabet: str = LOWER_CASE,
                 lengths: Lengths = (3, 6)) -> None:
        super().__init__(part, lengths, ''.join(dict.fromkeys(alphabet)))
        if not alphabet or any(not c.isprintable() or c.isspace()
                               for c in alphabet):
            raise UserError('The alphabet needs one visible character at '
                            f'least, and no spaces: {alphabet!r}')
        # Vowels and consonants of the Latin script, and all others.
        sorted_: Tuple[List[str], List[str], List[str]] = ([], [], [])
        for char in self.characters:
            base = unicodedata.normalize('NFD', char)[0].lower()
            sorted_[0 if base in 'aeiou' else
                    1 if base in LOWER_CASE else 2].append(char)
        self.vowels, self.consonants, self.others = map(''.join, sorted_)
        self.kind = ('syllables' if self.vowels and self.consonants else
                     'random')

    def settings(self) -> Dict[str, Any]:
        """Alphabet, lengths and kind."""
        return dict(alphabet=self.characters, lengths=list(self.lengths),
                    kind=self.kind)

    def draw(self, rng: np.random.Generator) -> str:
        """Draw one word of the part; see :meth:`Words.draw`."""
        for _ in range(self.MAX_DRAWS):
            length = int(rng.integers(self.lengths[0], self.lengths[1] + 1))
            if self.kind == 'syllables':
                word = self._speakable(length, rng)
            else:
                word = ''.join(_pick(self.characters, rng)
                               for _ in range(length))
            if self._is_wanted(word):
                return word
        raise UserError(
            f'No {self.part or ""} word of {self.lengths[0]} to '
            f'{self.lengths[1]} characters was found with the alphabet '
            f'{self.characters[:40]!r}: allow more characters or longer words')

    def _speakable(self, length: int, rng: np.random.Generator) -> str:
        """Vowels and consonants in turn; lower, Capitalised or UPPER case."""
        is_vowel = rng.random() < self.VOWEL_FIRST
        doubled = False
        word: List[str] = []
        for place in range(length):
            word.append(_pick(self.vowels if is_vowel else self.consonants,
                              rng))
            doubled = (
                place > 0 and not doubled and rng.random() < self.DOUBLED)
            is_vowel = is_vowel == doubled
        style = int(rng.integers(3))
        capitals = length if style == 2 else style  # from the left
        cased = [char.upper() for char in word[:capitals]]
        cased += [char.lower() for char in word[capitals:]]
        # The alphabet may lack the other form of a character.
        word = [new if new in self.characters else old
                for old, new in zip(word, cased)]
        if self.others:
            share = len(self.others) / len(self.characters)
            swapped = rng.random(length) < share
            word = [_pick(self.others, rng) if swap else char
                    for char, swap in zip(word, swapped)]
        return ''.join(word)


class RunWords(WordGenerator):
    """Words of which half have characters that repeat: '1111', 'kkkab5'.

    The other half are those of :class:`WordGenerator`, whose arguments and
    errors are these. What loses or doubles characters shows in them.
    """
    #: Chance that a character of such a word repeats, and how often at most.
    REPEATED = 0.5
    MOST = 8

    def settings(self) -> Dict[str, Any]:
        """Alphabet, lengths and manner."""
        return dict(super().settings(), manner='runs')

    def draw(self, rng: np.random.Generator) -> str:
        """Draw one word of the part; see :meth:`Words.draw`."""
        if rng.random() < 0.5:
            return super().draw(rng)
        for _ in range(self.MAX_DRAWS):
            length = int(rng.integers(self.lengths[0], self.lengths[1] + 1))
            word = ''
            while len(word) < length:
                repeated = rng.random() < self.REPEATED
                word += _pick(self.characters, rng) * int(
                    rng.integers(2, self.MOST + 1) if repeated else 1)
            if self._is_wanted(word[:length]):
                return word[:length]
        return super().draw(rng)  # it names what is wrong


def _pick(characters: str, rng: np.random.Generator) -> str:
    """One character, each as likely as any other."""
    return characters[int(rng.integers(len(characters)))]


class Vocabulary:
    """Different words and how often each comes.

    A million words are three Python objects: one string, and arrays.

    Args:
        words (Iterable[tuple[str, float]]): Words and how often each comes,
            above 0; the counts of a word that comes again are added up.
        origin (str): Where they are from, for messages.
        lengths (tuple[int, int]): Shorter and longer words are left out, as
            are those that :func:`~.fonts.needs_shaping` names.

    Raises:
        UserError: If no word is left.
    """

    def __init__(self, words: Counts, origin: str,
                 lengths: Lengths = (1, 25)) -> None:
        counts: Dict[str, float] = {}
        refused: Dict[str, Counter] = {}
        for word, count in words:
            # Accents as characters of their own could not be set.
            word = unicodedata.normalize('NFC', word.strip())
            reason = _refuse(word, lengths)
            if reason is None:
                counts[word] = counts.get(word, 0) + count
            elif word:
                refused.setdefault(reason, Counter())[word] += 1
        #: What is not in it: the reason, and the first words, as text.
        self.left_out: List[str] = [
            f'{len(found)} word(s) left out, {reason}: '
            f'{", ".join(map(repr, list(found)[:5]))}'
            for reason, found in refused.items()
        ]
        if not counts:
            reasons = '; '.join(self.left_out) or 'there are none'
            raise UserError(f'No word of {origin} can be drawn: {reasons}')
        self.origin = origin
        self._text = ''.join(counts)
        self._ends = np.cumsum([0] + [len(word) for word in counts])
        #: float64 of shape (N, ).
        self.counts = np.fromiter(counts.values(), np.float64, len(counts))

    def __len__(self) -> int:
        return len(self.counts)

    def __getitem__(self, index: int) -> str:
        if not 0 <= index < len(self):
            raise IndexError(f'Word {index} of {len(self)}')
        return self._text[self._ends[index]:self._ends[index + 1]]

    def __iter__(self) -> Iterator[str]:
        return (self[index] for index in range(len(self)))

    @property
    def characters(self) -> str:
        """str: Every character of the words, in order of code point."""
        return ''.join(sorted(set(self._text)))

    def digest(self) -> str:
        """A number that tells it from other vocabularies."""
        hashed = hashlib.sha256(self._text.encode())
        for array in (self._ends, self.counts):
            hashed.update(array.astype('<f8').tobytes())
        return hashed.hexdigest()[:16]


def _refuse(word: str, lengths: Lengths) -> Optional[str]:
    """Why a word cannot be drawn."""
    if not lengths[0] <= len(word) <= lengths[1]:
        return f'not of {lengths[0]} to {lengths[1]} characters'
    if not word.isprintable():
        return 'with characters that cannot be printed'
    if needs_shaping(word):
        return ('of scripts that run from right to left or need shaping, '
                'which cannot be drawn')
    return None


def read_word_list(path: str) -> Iterator[Tuple[str, float]]:
    """Words and counts of a UTF-8 file, a word or ``word<TAB>count`` a line.

    Raises:
        FileNotFoundError: If there is no such file.
        UserError: If it is not of such a form.
    """
    with open(path, encoding='utf-8-sig') as file:
        try:
            for number, line in enumerate(file, 1):
                word, tab, text = line.rstrip('\r\n').partition('\t')
                try:
                    count = float(text) if tab else 1.
                except ValueError:
                    count = 0.
                if not 0 < count < float('inf'):
                    raise UserError(
                        f'{path}, line {number}: {text!r} is no count above '
                        '0. A line is a word, or a word, a tab and how often '
                        'it comes')
                yield word, count
        except UnicodeDecodeError as error:
            raise UserError(f'{path} is no UTF-8 text: {error}. Save it as '
                            'UTF-8') from error


class ListedWords(Words):
    """The words of a vocabulary, each as often as it comes there.

    Args:
        vocabulary (Vocabulary): The words.
        part (str, optional): As of :class:`Words`.
        lengths (tuple[int, int]): Told in the settings; the vocabulary was
            read with them.

    Raises:
        UserError: If no word belongs to the part.
    """

    def __init__(self, vocabulary: Vocabulary, part: Optional[str] = 'train',
                 lengths: Lengths = (1, 25)) -> None:
        super().__init__(part, lengths, vocabulary.characters)
        self.vocabulary = vocabulary
        wanted = np.fromiter(
            (self._is_wanted(word) for word in vocabulary), bool,
            len(vocabulary))
        if not wanted.any():
            raise UserError(
                f'None of the {len(vocabulary)} word(s) of '
                f'{vocabulary.origin} belongs to the {part} part, which gets '
                'its words by chance. Give more words')
        # Words of the other part take no room in the sums.
        self._sums = np.cumsum(vocabulary.counts * wanted)

    def settings(self) -> Dict[str, Any]:
        """What tells the vocabulary from others."""
        return dict(words=self.vocabulary.digest(),
                    lengths=list(self.lengths))

    def draw(self, rng: np.random.Generator) -> str:
        """Draw one word of the part, as often as it comes."""
        at = rng.random() * self._sums[-1]
        return self.vocabulary[int(np.searchsorted(self._sums, at, 'right'))]


class SceneWords(ListedWords):
    """The words of a vocabulary as signs show them, and what is no word.

    Most are listed words in capitals, capitalised or in lower case; the rest
    are numbers (prices, years, dates, telephone numbers), made-up words, and
    any characters in any order. Some have punctuation. The shares are those
    of the labels of IIIT5K, SVT, ICDAR 2003 and 2015 for training, rounded.

    Arguments and errors are those of :class:`ListedWords`.
    """

    #: Chances of a listed word, a number, a made-up word and any characters.
    KINDS = (0.72, 0.10, 0.13, 0.05)
    #: Chances of CAPITALS, Capitalised, lower case, and as listed.
    CASES = (0.5, 0.25, 0.2, 0.05)
    PUNCTUATED = 0.1
    #: Printable ASCII without the space: the usual 94 characters.
    CHARACTERS = ''.join(map(chr, range(33, 127)))
    #: Formats of numbers; each # becomes a digit.
    NUMBERS = ('#', '##', '###', '####', '#####', '######', '#.##', '##.##',
               '#,###', '$#.##', '$##', '##%', '#%', '##/##', '##.##.####',
               '##:##', '#:##', '###-####', '#-###-###-####', '20##', '19##',
               '#x#', '##-##', '+##', '#st', '#th', '##A', 'A#', '(###)')
    ENDINGS = (',', '.', '!', '?', ':', ';', "'s", '...', '"', ')', '-')
    WRAPS = (('(', ')'), ('"', '"'), ("'", "'"), ('[', ']'))

    def __init__(self, vocabulary: Vocabulary, part: Optional[str] = 'train',
                 lengths: Lengths = (1, 25)) -> None:
        super().__init__(vocabulary, part, lengths)
        self.characters = ''.join(
            sorted({*self.characters, *self.CHARACTERS}))
        self._made_up = WordGenerator(part, LOWER_CASE, (2, 10))

    def settings(self) -> Dict[str, Any]:
        """What tells the vocabulary from others, and the manner."""
        return dict(super().settings(), manner='scene')

    def draw(self, rng: np.random.Generator) -> str:
        """Draw a text of the part; see :meth:`Words.draw`."""
        while True:
            word = self._any(rng)
            if self.lengths[0] <= len(word) <= self.lengths[1]:
                return word

    def _any(self, rng: np.random.Generator) -> str:
        kind = int(rng.choice(len(self.KINDS), p=self.KINDS))
        if kind == 3:
            return ''.join(_pick(self.CHARACTERS, rng)
                           for _ in range(int(rng.integers(1, 9))))
        if kind == 1:
            form = self.NUMBERS[int(rng.integers(len(self.NUMBERS)))]
            return ''.join(_pick('0123456789', rng) if char == '#' else char
                           for char in form)
        word = super().draw(rng) if kind == 0 else self._made_up.draw(rng)
        case = int(rng.choice(len(self.CASES), p=self.CASES))
        if case < 3:
            word = (word.upper(), word[:1].upper() + word[1:].lower(),
                    word.lower())[case]
        if rng.random() < self.PUNCTUATED:
            word = self._punctuated(word, rng)
        return word

    def _punctuated(self, word: str, rng: np.random.Generator) -> str:
        if rng.random() < 0.7:
            return word + self.ENDINGS[int(rng.integers(len(self.ENDINGS)))]
        if rng.random() < 0.5:
            first, last = self.WRAPS[int(rng.integers(len(self.WRAPS)))]
            return first + word + last
        return word + _pick('-&/.', rng) + super().draw(rng).lower()
