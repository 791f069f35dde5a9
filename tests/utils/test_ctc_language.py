"""N-grams counted by hand, and a search held to all words there are."""
import math
from itertools import groupby, product
from pathlib import Path
from typing import Iterator, Sequence, Tuple

import numpy as np
import pytest

from lmim.utils.ctc_language import (COST_STEP, CharacterNGrams,
                                     LanguageSearch, fold, lay_out)

#: Classes of the search; the last is the blank.
CLASSES, BLANK = ['a', 'b', 'C', ''], 3


@pytest.fixture(scope='module')
def language() -> CharacterNGrams:
    return CharacterNGrams.count({'abc': 3, 'abba': 2, 'cab': 1}, length=2)


def test_probabilities_by_hand() -> None:
    # Two words of ab and one of b: of 5 symbols, ends among them, 3 are ends,
    # 2 a and 3 b; of the first, 2 a and 1 b.
    found = CharacterNGrams.count({'ab': 2, 'b': 1}, length=1, floor=0.)
    assert found.symbols == '.0ab'
    alone = {'end': (3 + 3 / 5) / 11, 'a': (2 + 3 / 5) / 11,
             'b': (3 + 3 / 5) / 11, 'other': (3 / 5) / 11}
    first = [(2 * alone['end']) / 5, (2 + 2 * alone['a']) / 5,
             (1 + 2 * alone['b']) / 5]
    logs = found.logs(found.start)
    assert [logs[0], logs[3], logs[4]] == pytest.approx(
        [math.log(chance) for chance in first], abs=COST_STEP / 2)
    after_a = [(1 * alone['end']) / 3, (2 + alone['b']) / 3]
    logs = found.logs(bytes([3]))
    assert [logs[0], logs[4]] == pytest.approx(
        [math.log(chance) for chance in after_a], abs=COST_STEP / 2)
    # No word has a digit: what follows is told without it.
    assert found.logs(bytes([2]))[1] == pytest.approx(
        math.log(alone['other']), abs=COST_STEP / 2)
    # With a floor they are mixed with the same for all.
    found = CharacterNGrams.count({'ab': 2, 'b': 1}, length=1, floor=.5)
    assert found.logs(bytes([2]))[3] == pytest.approx(
        math.log(.5 * alone['a'] + .5 / 5), abs=COST_STEP / 2)


def test_words_are_weighed(language: CharacterNGrams) -> None:
    assert language.log_probability('ABC') == language.log_probability('abc')
    assert language.log_probability('abc') > language.log_probability('acb')
    assert language.log_probability('') == language.logs(language.start)[0]
    for context in language.contexts:
        logs = language.logs(context.tobytes())
        assert sum(map(math.exp, logs)) == pytest.approx(1, abs=.05)
    rare = CharacterNGrams.count({'abc': 3, 'x': 1}, length=2, least=2)
    assert len(rare.contexts) < len(
        CharacterNGrams.count({'abc': 3, 'x': 1}, length=2).contexts)


def test_characters_are_folded() -> None:
    assert [fold(char) for char in 'aÉß7²-мЖ字 '] == [
        'a', 'e', 'ß', '0', '0', '.', 'м', 'ж', '字', '.']


def test_a_file_is_what_was_saved(language: CharacterNGrams,
                                  tmp_path: Path) -> None:
    path = tmp_path / 'x.npz'
    language.save(path)
    again = CharacterNGrams.load(path)
    assert again.log_probability('abab') == language.log_probability('abab')
    whole = path.read_bytes()
    damaged = []
    for number, held in enumerate((
            whole[:-40], whole[:len(whole) // 2], b'',
            whole[:100] + b'\xff' * 30 + whole[130:])):
        damaged.append(tmp_path / f'{number}.npz')
        damaged[-1].write_bytes(held)
    np.savez(path, symbols=np.array(['.0', {}], dtype=object))
    for wrong in (path, Path(__file__), *damaged):
        with pytest.raises(ValueError, match='no n-grams.*lmim data language'):
            CharacterNGrams.load(wrong)
    for symbols, contexts in (('.0a', language.contexts),
                              ('.0aac', language.contexts),
                              ('.0abc', language.contexts[:, :0])):
        with pytest.raises(ValueError, match='do not belong together'):
            CharacterNGrams(symbols, contexts, language.costs)
    with pytest.raises(ValueError, match='258 different letters'):
        CharacterNGrams.count({''.join(map(chr, range(0x4e00, 0x4f00))): 1})
    for words in ({}, {'': 1}):
        with pytest.raises(ValueError, match='there is no word'):
            CharacterNGrams.count(words)
    for count in (0, -1, math.nan, math.inf):
        with pytest.raises(ValueError, match="'a' is there .* above 0"):
            CharacterNGrams.count({'a': count})


def probabilities(seed: int, columns: int) -> np.ndarray:
    logits = 2 * np.random.default_rng(seed).standard_normal((columns, 4))
    return np.exp(logits) / np.exp(logits).sum(1, keepdims=True)


def paths(columns: int) -> Iterator[Tuple[Tuple[int, ...], Tuple[int, ...]]]:
    """All paths, and the words that they write."""
    for path in product(range(4), repeat=columns):
        yield path, tuple(index for index, _ in groupby(path)
                          if index != BLANK)


def chance(probs: np.ndarray, path: Sequence[int]) -> float:
    return math.prod(probs[column, index]
                     for column, index in enumerate(path))


@pytest.mark.parametrize('seed', range(8))
def test_the_best_of_all_words_is_found(language: CharacterNGrams,
                                        seed: int) -> None:
    probs = probabilities(seed, 5)
    search = LanguageSearch(language, CLASSES, BLANK, weight=.8, bonus=.7,
                            beams=400, least=0.)
    scores: dict = {}
    for path, word in paths(5):
        scores[word] = scores.get(word, 0.) + chance(probs, path)
    best = max(scores, key=lambda word: (
        math.log(scores[word]) + .7 * len(word) + .8 *
        language.log_probability(''.join(CLASSES[n] for n in word))))
    assert tuple(search.word(probs)) == best
    # Without a language it is the likeliest word by CTC.
    search = LanguageSearch(language, CLASSES, BLANK, weight=0., bonus=0.,
                            beams=400, least=0.)
    assert tuple(search.word(probs)) == max(scores, key=scores.__getitem__)


@pytest.mark.parametrize('seed', range(4))
def test_a_word_is_laid_out_where_it_is_likeliest(seed: int) -> None:
    probs = probabilities(seed, 5)
    for word in ((), (0, ), (1, 1), (0, 1, 2), (2, 2, 0)):
        best = max((path for path, written in paths(5) if written == word),
                   key=lambda path: chance(probs, path))
        assert tuple(lay_out(probs, word, BLANK)) == best


def test_what_the_language_prefers_is_read(language: CharacterNGrams) -> None:
    # a, then unclear whether b or a C, then the end.
    probs = np.array([[.9, .02, .02, .06], [.05, .44, .46, .05],
                      [.02, .02, .02, .94]])
    plain = LanguageSearch(language, CLASSES, BLANK, weight=0., bonus=0.)
    heeded = LanguageSearch(language, CLASSES, BLANK)
    assert plain.paths([probs])[0].tolist() == [0, 2, 3]
    assert heeded.paths([probs])[0].tolist() == [0, 1, 3]
    # What is not written is never found; nothing is read of no column.
    unwritten = LanguageSearch(language, ['a', '', 'C', ''], BLANK)
    assert unwritten.word(probs) == [0, 2]
    assert heeded.word(probs[:0]) == []
    probs[1] = np.nan  # is nothing that a language could make up for
    assert set(heeded.paths([probs])[0].tolist()) <= {0, 3}
    for wrong in (dict(beams=0), dict(candidates=0)):
        with pytest.raises(ValueError, match='one beam and one candidate'):
            LanguageSearch(language, CLASSES, BLANK, **wrong)
