"""Words: made up and listed."""
from collections import Counter
from itertools import groupby, product

import numpy as np
import pytest

from lmim.rendering import (LOWER_CASE, PARTS, ListedWords, RunWords,
                            SceneWords, Vocabulary, WordGenerator, make_sets,
                            part_of_word, read_word_list)

LETTERS_AND_DIGITS = LOWER_CASE + LOWER_CASE.upper() + '0123456789'


def draw(words, count=400):
    rng = np.random.default_rng(0)
    return [words.draw(rng) for _ in range(count)]


def made_up(part, count=400, **kwargs):
    return draw(WordGenerator(part, **kwargs), count)


@pytest.fixture
def read(tmp_path):
    """The vocabulary of a file of words."""

    def vocabulary(text, **kwargs):
        path = tmp_path / 'words.txt'
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return Vocabulary(read_word_list(str(path)), str(path), **kwargs)

    return vocabulary


@pytest.mark.parametrize('alphabet', [LOWER_CASE, 'bcdfghjklmnp'])
def test_words_of_the_parts_are_disjoint(alphabet):
    train, test = (made_up(part, alphabet=alphabet) for part in PARTS)
    assert not set(train) & set(test)
    assert {part_of_word(word) for word in train} == {'train'}
    for words in (train, test):
        assert {len(word) for word in words} == {3, 4, 5, 6}
        assert set(''.join(words)) == set(alphabet)
    both = made_up(None, alphabet=alphabet)
    assert {part_of_word(word) for word in both} == {'train', 'test'}


def test_words_can_be_pronounced_where_the_alphabet_has_vowels():
    words = made_up('train', lengths=(6, 6))
    assert words == made_up('train', lengths=(6, 6))
    for word in words:
        kinds = ''.join('v' if c in 'aeiou' else 'c' for c in word)
        assert 'vvv' not in kinds and 'ccc' not in kinds, word
    words = made_up('train', count=2000, alphabet=LETTERS_AND_DIGITS)
    assert set(''.join(words)) == set(LETTERS_AND_DIGITS)
    words = made_up('test', alphabet='0123456789', lengths=(4, 4))
    assert all(word.isdigit() and len(word) == 4 for word in words)


@pytest.mark.parametrize('part', PARTS)
def test_half_of_the_words_have_runs(part):
    made = draw(RunWords(part, 'ab1-', (1, 20)), 2000)
    assert {part_of_word(word) for word in made} == {part}
    assert {len(word) for word in made} == set(range(1, 21))
    longest = [max(len(list(run)) for _, run in groupby(word))
               for word in made]
    # Nearly all words of runs have one of three, where they are long enough;
    # among four characters chance makes a few more.
    assert 0.4 < np.mean(np.array(longest) >= 3) < 0.65
    assert max(longest) >= 8


def test_runs_are_of_an_alphabet():
    made = make_sets({'train': 5}, alphabet='01', manner='runs')
    words = made.parts['train'].words
    assert isinstance(words, RunWords)
    assert words.settings() == dict(
        alphabet='01', lengths=[3, 6], kind='random', manner='runs')
    with pytest.raises(ValueError, match="'runs' is for words of an alph"):
        make_sets({'train': 5}, words='words.txt', manner='runs')


@pytest.mark.parametrize('kwargs, message', [
    (dict(alphabet=''), 'one visible character'),
    (dict(alphabet='a b'), 'no spaces'),
    (dict(lengths=(4, 3)), '1 <= least'),
    (dict(part='val'), 'part is one of'),
])
def test_generator_errors(kwargs, message):
    with pytest.raises(ValueError, match=message):
        WordGenerator(**kwargs)


def test_a_vocabulary_of_one_part_only_is_an_error():
    part = part_of_word('aaa')
    other = PARTS[1 - PARTS.index(part)]
    assert made_up(part, 1, alphabet='a', lengths=(3, 3)) == ['aaa']
    with pytest.raises(ValueError, match=f'No {other} word'):
        made_up(other, 1, alphabet='a', lengths=(3, 3))


def test_listed_words_come_as_often_as_they_are_weighted(read):
    vocabulary = read(
        '\ufeffone\t1\ntwo words\t6\r\n\none\t1\nthree\t2\n')
    assert list(vocabulary) == ['one', 'two words', 'three']
    assert vocabulary.counts.tolist() == [2, 6, 2]
    assert vocabulary.characters == ''.join(sorted(set('onetwo wordsthree')))
    drawn = Counter(draw(ListedWords(vocabulary, None), 2000))
    assert set(drawn) == set(vocabulary)
    assert drawn['two words'] / 2000 == pytest.approx(0.6, abs=0.04)


def test_words_of_signs_have_cases_numbers_and_punctuation(read):
    words = SceneWords(read('street\nHotel\n'), None)
    drawn = draw(words, 4000)
    assert set(''.join(drawn)) == set(SceneWords.CHARACTERS)
    counts = Counter(drawn)
    for word, share in (('STREET', 0.5), ('Street', 0.25), ('street', 0.25)):
        # Half of the listed words, of which nine in ten have no punctuation.
        assert counts[word] / 4000 == pytest.approx(
            0.72 / 2 * 0.9 * share, abs=0.02)
    numbers = sum(any(char.isdigit() for char in word) for word in drawn)
    assert numbers / 4000 == pytest.approx(0.12, abs=0.03)
    assert max(map(len, drawn)) <= 25
    assert {len(word) for word in draw(
        SceneWords(read('street'), None, (3, 3)), 50)} == {3}


def test_words_of_a_vocabulary_are_of_one_part(read):
    syllables = ('ba', 'co', 'du', 'fe', 'gi')
    vocabulary = read('\n'.join(map(''.join, product(syllables, repeat=3))))
    train, test = (set(draw(ListedWords(vocabulary, part), 1000))
                   for part in PARTS)
    assert not train & test and len(train) > 50 and len(test) > 20
    assert train | test == set(vocabulary)


def test_vocabularies_without_words_of_a_part(read):
    other = PARTS[1 - PARTS.index(part_of_word('aaa'))]
    with pytest.raises(ValueError, match=f'belongs to the {other} part'):
        ListedWords(read('aaa'), other)


def test_words_that_cannot_be_drawn_are_counted_and_named(read):
    vocabulary = read(
        'ok\nשלום\nfar too long\nשלום\nסוף\ncafe\u0301\nb\x07b\n',
        lengths=(1, 6))
    assert list(vocabulary) == ['ok', 'caf\xe9']  # composed, and so drawable
    told = vocabulary.left_out
    assert told[0].startswith('2 word(s) left out, of scripts that run from')
    assert told[0].endswith(": 'שלום', 'סוף'")
    assert told[1:] == [
        "1 word(s) left out, not of 1 to 6 characters: 'far too long'",
        "1 word(s) left out, with characters that cannot be printed: "
        "'b\\x07b'"
    ]


@pytest.mark.parametrize('text, message', [
    ('word\tmany', "line 1: 'many' is no count"),
    ('a\nword\t0', "line 2: '0' is no count"),
    ('\n', 'there are none'),
    ('שלום', 'No word of .* right to left'),
    (b'caf\xe9\n', 'no UTF-8'),
])
def test_lists_that_make_no_sense(read, text, message):
    with pytest.raises(ValueError, match=message):
        read(text)
