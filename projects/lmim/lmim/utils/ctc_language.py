"""Which letters follow which, and words of CTC that heed it.

CTC writes each character as if there were no others. A model of character
n-grams, weighed against what the picture says, mends what a language makes
unlikely (`rnessage`) where the picture is unclear.

It needs NumPy only: what `lmim export` writes reads words by a copy of it.
"""
import math
import unicodedata
from collections import defaultdict
from pathlib import Path
from typing import (Any, DefaultDict, Dict, List, Mapping, Sequence, Tuple,
                    Union)

import numpy as np

#: What stands before and after a word, and, as symbols of contexts, nothing.
BOUNDARY, ABSENT = 0, 255
#: Costs (minus the logarithm of a probability) are kept in such parts.
COST_STEP = 1 / 32
#: All digits are one symbol, and all that is no letter is one.
DIGIT, OTHER = '0', '.'


def fold(char: str) -> str:
    """The symbol of a character: a small letter, plain, or 0, or a dot."""
    base = unicodedata.normalize('NFKD', char)[:1].lower()[:1]
    return DIGIT if base.isdigit() else base if base.isalpha() else OTHER


class CharacterNGrams:
    """The probability of a character by those before it in the word.

    Args:
        symbols (str): The symbols of :func:`fold` that it knows, those of
            digits and others among them.
        contexts (np.ndarray): (M, n - 1), uint8, the symbols (1 is the first
            of ``symbols``, 0 the boundary) before a character. Shorter
            contexts have 255 in front; that of nothing else is the last
            resort.
        costs (np.ndarray): (M, 1 + symbols), uint8: of each symbol, the end
            first, minus the logarithm of its probability in 1/32.

    Raises:
        ValueError: If the shapes do not belong together.
    """

    def __init__(self, symbols: str, contexts: np.ndarray,
                 costs: np.ndarray) -> None:
        if (contexts.dtype != np.uint8 or costs.dtype != np.uint8
                or contexts.ndim != 2 or not contexts.shape[1]
                or costs.shape != (len(contexts), 1 + len(symbols))
                or not {DIGIT, OTHER} <= set(symbols)
                or len(set(symbols)) != len(symbols)
                or len(symbols) >= ABSENT):
            raise ValueError('symbols, contexts and costs of n-grams do not '
                             'belong together')
        self.symbols, self.contexts, self.costs = symbols, contexts, costs
        self.length = contexts.shape[1]
        self._rows = {context.tobytes(): row
                      for row, context in enumerate(contexts)}
        if bytes([ABSENT] * self.length) not in self._rows:
            raise ValueError('n-grams lack the context of nothing')
        self._numbers = {char: n for n, char in enumerate(symbols, 1)}
        #: By row, and by contexts that were asked for.
        self._of_rows: Dict[int, List[float]] = {}
        self._logs: Dict[bytes, List[float]] = {}

    @property
    def start(self) -> bytes:
        """bytes: The context of the first character."""
        return bytes([BOUNDARY] * self.length)

    def number(self, char: str) -> int:
        """The symbol of a character, from 1; unknown letters are others."""
        return self._numbers.get(fold(char), self._numbers[OTHER])

    def logs(self, context: bytes) -> List[float]:
        """The logarithm of each symbol's probability after a context.

        That of the longest end of the context that is known. The first is
        that of the end of the word.
        """
        found = self._logs.get(context)
        if found is None:
            row = next(row for row in (
                self._rows.get(bytes([ABSENT] * skipped) + context[skipped:])
                for skipped in range(self.length + 1)) if row is not None)
            if row not in self._of_rows:
                self._of_rows[row] = (self.costs[row] * -COST_STEP).tolist()
            found = self._logs[context] = self._of_rows[row]
        return found

    def log_probability(self, word: str) -> float:
        """The logarithm of the probability of a word, with its end."""
        context, total = self.start, 0.
        for number in [*map(self.number, word), BOUNDARY]:
            total += self.logs(context)[number]
            context = (context + bytes([number]))[1:]
        return total

    def save(self, path: Union[str, Path]) -> None:
        """Write it as .npz."""
        with open(path, 'wb') as file:
            np.savez_compressed(file, symbols=np.array(self.symbols),
                                contexts=self.contexts, costs=self.costs)

    @classmethod
    def load(cls, path: Union[str, Path]) -> 'CharacterNGrams':
        """Read what was saved; nothing in the file is executed.

        Raises:
            ValueError: If it is no such file.
        """
        try:
            with np.load(path, allow_pickle=False) as file:
                return cls(str(file['symbols']), file['contexts'],
                           file['costs'])
        # A damaged file fails in a dozen ways, of NumPy, zipfile and zlib.
        except Exception as error:
            raise ValueError(
                f'{path} holds no n-grams of characters, or is damaged '
                f'({type(error).__name__}): `lmim data language` writes such '
                'a file') from error

    @classmethod
    def count(cls, words: Mapping[str, float], length: int = 4,
              floor: float = 0.1, least: float = 1.) -> 'CharacterNGrams':
        """Count the n-grams of words.

        Probabilities are interpolated with those of shorter contexts as
        Witten and Bell do (IEEE Trans. Information Theory 37(4), 1991), and
        with the same for all symbols, so that what no word has, such as a
        plate's number, is not ruled out.

        Args:
            words (Mapping[str, float]): Words, and how often each comes.
            length (int): Characters of the longest contexts.
            floor (float): The share of the even distribution.
            least (float): Contexts that come less often are left out.

        Raises:
            ValueError: If there is no word, one has no finite count above
                0, or there are more than 254 symbols.
        """
        folded: Dict[str, float] = {}
        for word, weight in words.items():
            if not 0 < weight < 1e12:
                raise ValueError(f'{word!r} is there {weight:g} times: give '
                                 'a number above 0')
            known = ''.join(map(fold, word))
            folded[known] = folded.get(known, 0.) + weight
        symbols = ''.join(sorted({DIGIT, OTHER}.union(*folded)))
        if not any(folded):
            raise ValueError('there is no word to count letters of')
        if len(symbols) >= ABSENT:
            raise ValueError(
                f'these words have {len(symbols)} different letters, and at '
                f'most {ABSENT - 1} are taken: scripts of letters, not '
                'Chinese or Hangul')
        numbers = {char: n for n, char in enumerate(symbols, 1)}
        counts: DefaultDict[bytes, np.ndarray] = defaultdict(
            lambda: np.zeros(1 + len(symbols)))
        for word, weight in folded.items():
            text = bytes([BOUNDARY] * length) + bytes(
                numbers[char] for char in word) + bytes([BOUNDARY])
            for place in range(length, len(text)):
                for begin in range(place - length, place + 1):
                    counts[text[begin:place]][text[place]] += weight
        even = np.full(1 + len(symbols), 1 / (1 + len(symbols)))
        chances: Dict[bytes, np.ndarray] = {}
        for context in sorted(counts, key=len):
            row = counts[context]
            kinds = np.count_nonzero(row)
            if context and row.sum() < least:
                continue
            chances[context] = (row + kinds * chances.get(
                context[1:], even)) / (row.sum() + kinds)
        rows = (1 - floor) * np.stack(list(chances.values())) + floor * even
        return cls(
            symbols,
            np.array([list(context.rjust(length, bytes([ABSENT])))
                      for context in chances], np.uint8),
            (-np.log(rows) / COST_STEP).round().clip(0, 255).astype(np.uint8))


class LanguageSearch:
    """Looks for the word that picture and language together make likeliest.

    A prefix beam search (Hannun et al., 2014, arXiv:1408.2873): the score of
    a word is the logarithm of its probability by CTC, plus ``weight`` times
    that of its probability by the language, plus ``bonus`` for each character,
    as a language prefers short words.

    Args:
        language (CharacterNGrams): Probabilities of characters.
        classes (Sequence[str]): The characters of the recognizer's classes;
            '' for those that are not written.
        blank (int): CTC's class of no character.
        weight (float): Of the language.
        bonus (float): For each character.
        beams (int): Prefixes that are followed at once.
        candidates (int): Classes of a column that are tried at most.
        least (float): Those of a smaller probability are not tried.

    Raises:
        ValueError: If there are no beams or candidates.
    """

    def __init__(self, language: CharacterNGrams, classes: Sequence[str],
                 blank: int, weight: float = 0.6, bonus: float = 1.4,
                 beams: int = 8, candidates: int = 4,
                 least: float = 0.0025) -> None:
        if beams < 1 or candidates < 1:
            raise ValueError('a search has one beam and one candidate at the '
                             f'least, not {beams} and {candidates}')
        self.language, self.blank = language, blank
        self.weight, self.bonus = weight, bonus
        self.beams, self.candidates, self.least = beams, candidates, least
        self.numbers = [language.number(char) if char else -1
                        for char in classes]

    def paths(self, probs: Sequence[np.ndarray]) -> List[np.ndarray]:
        """The class of each column, of pictures' (T, classes) probabilities.

        Where the search finds what CTC itself does, these are the likeliest
        classes; otherwise the likeliest lay-out of the word that was found.
        """
        found = []
        for picture in probs:
            picture = np.nan_to_num(np.asarray(picture, np.float64))
            path = picture.argmax(axis=1)
            word = self.word(picture)
            if word != self._written(path):
                path = lay_out(picture, word, self.blank)
            found.append(path)
        return found

    def word(self, probs: np.ndarray) -> List[int]:
        """The classes of the word, of probabilities (T, classes)."""
        logs = np.log(probs.clip(1e-30))
        # Of each column, the likeliest classes first.
        likely = np.argsort(-probs, axis=1, kind='stable')[
            :, :self.candidates].tolist()
        # Of a prefix: how likely it is with a blank last and without, what
        # the language says of it, and what it says of the next character.
        Beam = Tuple[float, float, float, bytes]
        beams: Dict[Tuple[int, ...], Beam] = {
            (): (0., -math.inf, 0., self.language.start)}

        def add(prefix: Tuple[int, ...], blank: float, char: float,
                told: float, context: bytes) -> None:
            before = following.get(prefix)
            if before is not None:
                blank = log_add(before[0], blank)
                char = log_add(before[1], char)
            following[prefix] = blank, char, told, context

        for column, chances, classes in zip(logs, probs, likely):
            tried = [(index, column.item(index)) for index in classes
                     if index == self.blank or self.numbers[index] >= 0
                     and chances[index] >= self.least]
            following: Dict[Tuple[int, ...], Beam] = {}
            for prefix, (blank, char, told, context) in beams.items():
                both = log_add(blank, char)
                for index, value in tried:
                    if index == self.blank:
                        add(prefix, both + value, -math.inf, told, context)
                        continue
                    before = both
                    if prefix and prefix[-1] == index:
                        add(prefix, -math.inf, char + value, told, context)
                        before = blank
                    if before > -math.inf:
                        number = self.numbers[index]
                        add(prefix + (index, ), -math.inf, before + value,
                            told + self.bonus + self.weight *
                            self.language.logs(context)[number],
                            context[1:] + bytes([number]))
            if following:
                kept = sorted(following.items(), key=_score, reverse=True)
                beams = dict(kept[:self.beams])
        return list(max(beams.items(), key=lambda item: (
            _score(item) + self.weight *
            self.language.logs(item[1][3])[BOUNDARY]))[0])

    def _written(self, path: np.ndarray) -> List[int]:
        """The classes that a path writes."""
        return [index for index, before in zip(path, [-1, *path[:-1]])
                if index != before and index != self.blank
                and self.numbers[index] >= 0]


def _score(item: Any) -> float:
    blank, char, told, _ = item[1]
    return log_add(blank, char) + told


def log_add(one: float, other: float) -> float:
    """The logarithm of the sum of what two are logarithms of."""
    if one < other:
        one, other = other, one
    if other == -math.inf:
        return one
    return one + math.log1p(math.exp(other - one))


def lay_out(probs: np.ndarray, word: Sequence[int], blank: int) -> np.ndarray:
    """The likeliest class of each column among those that write a word.

    Args:
        probs (np.ndarray): (T, classes); T is enough for the word.
        word (Sequence[int]): Its classes.
        blank (int): The class of no character.

    Returns:
        np.ndarray: (T, ), int64.
    """
    places = np.full(2 * len(word) + 1, blank)
    places[1::2] = word
    skips = np.full(len(places), -np.inf)
    skips[2:][(places[2:] != blank) & (places[2:] != places[:-2])] = 0
    logs = np.log(probs.clip(1e-30))[:, places]
    best = np.full(len(places), -np.inf)
    best[:2] = logs[0, :2]
    steps = []
    for column in logs[1:]:
        earlier = np.stack([
            best, np.append(-np.inf, best[:-1]),
            np.append([-np.inf] * 2, best[:-2])[:len(best)] + skips])
        steps.append(earlier.argmax(axis=0))
        best = earlier.max(axis=0) + column
    place = len(places) - 1
    if len(places) > 1 and best[-2] > best[-1]:
        place -= 1
    path = [place]
    for step in reversed(steps):
        place -= step[place]
        path.append(place)
    return places[path[::-1]]
