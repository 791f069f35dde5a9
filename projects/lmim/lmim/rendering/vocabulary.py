"""Words and how often each comes, from a list or from labels."""
import hashlib
import os.path as osp
import unicodedata
from collections import Counter
from typing import (Dict, Iterable, Iterator, List, NamedTuple, Optional,
                    Tuple)

import numpy as np

from lmim.datasets.records import (IMAGE_SUFFIXES, UnreadableRecordError,
                                   open_sources)
from .scripts import needs_shaping

#: As much as statistics need; larger sets are looked at evenly.
MOST_LABELS = 1_000_000


class LeftOut(NamedTuple):
    """Words that are not drawn.

    Args:
        reason (str): Why.
        number (int): How many different ones.
        examples (list[str]): The first of them.
    """
    reason: str
    number: int
    examples: List[str]

    def __str__(self) -> str:
        return (f'{self.number} word(s) left out, {self.reason}: '
                f'{", ".join(map(repr, self.examples))}')


class Vocabulary:
    """Different words and how often each comes.

    A million words are three Python objects: one string, and arrays.

    Args:
        counts (Dict[str, float]): How often each word comes, all above 0.
        left_out (list[LeftOut]): What is not in it.
        origin (str): Where it is from, for messages.
    """

    def __init__(self, counts: Dict[str, float],
                 left_out: List[LeftOut], origin: str) -> None:
        self._text = ''.join(counts)
        self._ends = np.cumsum([0] + [len(word) for word in counts])
        #: float64 of shape (N, ).
        self.counts = np.fromiter(counts.values(), np.float64, len(counts))
        self.left_out = left_out
        self.origin = origin

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


def read_vocabulary(path: str,
                    lengths: Tuple[int, int] = (1, 25)) -> Vocabulary:
    """Read words from a file, or from the labels of a set of pictures.

    Args:
        path (str): A text file with one word a line, or ``word<TAB>count``;
            or any labelled set that
            :func:`~lmim.datasets.records.open_sources` reads (of more than a
            million labels as many are read, evenly spread).
        lengths (tuple[int, int]): Shorter and longer words are left out, as
            are those that :func:`~.scripts.needs_shaping` names.

    Raises:
        FileNotFoundError: If there is no such path.
        ValueError: If it is not of such a form, or no word is left.
    """
    if not osp.exists(path):
        raise FileNotFoundError(
            f'The words {path} do not exist. Give a text file with one word '
            'a line, or a labelled set')
    pairs = _read_list(path) if is_word_list(path) else _read_labels(path)
    counts: Dict[str, float] = {}
    refused: Dict[str, Counter] = {}
    for word, count in pairs:
        # Accents as characters of their own could not be set.
        word = unicodedata.normalize('NFC', word.strip())
        reason = _refuse(word, lengths)
        if reason is None:
            counts[word] = counts.get(word, 0) + count
        elif word:
            refused.setdefault(reason, Counter())[word] += 1
    left_out = [LeftOut(reason, len(words), list(words)[:5])
                for reason, words in refused.items()]
    if not counts:
        reasons = '; '.join(map(str, left_out)) or 'there are none'
        raise ValueError(f'No word of {path} can be drawn: {reasons}')
    return Vocabulary(counts, left_out, path)


def is_word_list(path: str) -> bool:
    """Whether a path is a text file of words and not of pictures."""
    if osp.isdir(path) or path.lower().endswith(('.json', '.jsonl')):
        return False
    with open(path, 'rb') as file:
        head = file.read(2**16).decode(errors='replace').lower()
    # A list of pictures has `path<TAB>label` or `path label`.
    first = [line.split('\t')[0].split()[0]
             for line in head.splitlines()[:50] if line.strip()]
    pictures = [name.endswith(IMAGE_SUFFIXES) for name in first]
    return 2 * sum(pictures) <= len(pictures)


def _refuse(word: str, lengths: Tuple[int, int]) -> Optional[str]:
    """Why a word cannot be drawn."""
    if not lengths[0] <= len(word) <= lengths[1]:
        return f'not of {lengths[0]} to {lengths[1]} characters'
    if not word.isprintable():
        return 'with characters that cannot be printed'
    if needs_shaping(word):
        return ('of scripts that run from right to left or need shaping, '
                'which cannot be drawn')
    return None


def _read_list(path: str) -> Iterator[Tuple[str, float]]:
    """Words and counts of a text file."""
    with open(path, encoding='utf-8-sig') as file:
        try:
            for number, line in enumerate(file, 1):
                word, tab, count = line.rstrip('\r\n').partition('\t')
                yield word, _count(count, path, number) if tab else 1.
        except UnicodeDecodeError as error:
            raise ValueError(f'{path} is no UTF-8 text: {error}. Save it as '
                             'UTF-8') from error


def _count(text: str, path: str, number: int) -> float:
    try:
        count = float(text)
        if 0 < count < float('inf'):
            return count
    except ValueError:
        pass
    raise ValueError(
        f'{path}, line {number}: {text!r} is no count above 0. A line is a '
        'word, or a word, a tab and how often it comes')


def _read_labels(path: str) -> Iterator[Tuple[str, float]]:
    """Labels of a set of pictures; those that cannot be read are passed."""
    source = open_sources([path])
    found = False
    for index in _evenly(len(source)):
        try:
            label = source.label(index)
        except UnreadableRecordError:
            continue
        if label:
            found = True
            yield label, 1.
    if not found:
        raise ValueError(
            f'{path} has no labels to take words from. Give a labelled set, '
            'or a text file with one word a line')


def _evenly(number: int) -> Iterable[int]:
    step = max(number // MOST_LABELS, 1)
    return range(0, number, step)
