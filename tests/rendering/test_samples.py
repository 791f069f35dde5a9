"""Sets of rendered words: same seed, same bytes; as a user asks for them."""
from itertools import combinations

import pytest
from make_font import make_font

from lmim.rendering import (FontPool, RenderedWords, WordGenerator, find_fonts,
                            make_sets, part_of_word)

BOTH = {'train': 60, 'test': 40}


@pytest.fixture
def file(tmp_path):

    def write(name, text):
        path = tmp_path / name
        path.write_text(text, encoding='utf-8')
        return str(path)

    return write


def texts(words, epoch=0):
    return [words.text(index, epoch) for index in range(len(words))]


def test_same_seed_and_epoch_same_bytes():
    first, again, other = (RenderedWords(30, seed=s) for s in (3, 3, 4))
    for index in (9, 3, 0):  # in any order
        for epoch in (0, 2):
            one, two = [words.sample(index, epoch) for words in (first, again)]
            assert one.text == two.text == first.text(index, epoch)
            assert one.image.tobytes() == two.image.tobytes()
        assert one.image.tobytes() != first[index].image.tobytes()
    drawn = [texts(first, epoch) for epoch in (0, 1, 2)] + [texts(other)]
    for one, two in combinations(drawn, 2):
        assert sum(map(str.__eq__, one, two)) < 3


def test_words_that_no_font_can_draw_are_passed_over():
    words = WordGenerator(None, 'ab', (3, 3), 'random')
    pool = FontPool(find_fonts('a')[:1], 'ab')
    pool._has[0, pool._columns['b']] = False
    assert {w.text for w in RenderedWords(5, words, pool)} == {'aaa'}
    pool._has[:] = False
    with pytest.raises(ValueError, match='in none of the 1 fonts'):
        RenderedWords(5, words, pool)[0]


def test_pairs_of_one_text():
    words = RenderedWords(12)
    pairs = [(words[index], words.same_text(index)) for index in range(12)]
    for one, two in pairs:
        assert one.text == two.text
        assert one.style != two.style
    assert pairs[3][1].image.tobytes() == words.same_text(3).image.tobytes()
    assert sum(one.font != two.font for one, two in pairs) > 6


def test_parts_share_neither_words_nor_fonts():
    made = make_sets(BOTH, seed=3, alphabet='abc01', lengths=(2, 4))
    train, test = (made.parts[part] for part in BOTH)
    assert (len(train), len(test), train.seed) == (60, 40, 3)
    assert not set(texts(made.parts['train'])) & set(texts(made.parts['test']))
    assert not set(train.fonts.fonts) & set(test.fonts.fonts)
    assert made.left_out == []
    shared = make_sets(BOTH, alphabet='abc01', same_fonts=True).parts
    assert shared['train'].fonts.fonts == shared['test'].fonts.fonts
    whole = make_sets({None: 100}, alphabet='abc01')
    assert whole.parts[None].fonts.fonts == shared['train'].fonts.fonts
    assert set(map(part_of_word, texts(whole.parts[None]))) == set(BOTH)
    assert str(whole.parts[None]) == 'rendered words (train and test, seed 0)'


def test_style_settings_reach_the_renderer():
    made = make_sets({'train': 1}, style='print', difficulty=0.25,
                     style_options=dict(bent=0.4))
    ranges = made.parts['train'].renderer.ranges
    assert (ranges.difficulty, ranges.bent, ranges.dark_text) == (
        0.25, 0.4, True)


def test_listed_and_imitated_words(file):
    listed = ['alpha', 'beta', 'gamma', 'delta', 'epsilon', 'zeta', 'eta']
    path = file('words.txt', '\n'.join(listed))

    def drawn(**settings):
        return set(texts(make_sets({None: 100}, **settings).parts[None]))

    assert drawn(words=path) == set(listed)
    assert drawn(words=path, lengths=(5, 5)) == {'alpha', 'gamma', 'delta'}
    imitated = drawn(statistics=path, order=1)
    assert imitated - set(listed) and set(''.join(imitated)) <= set(
        ''.join(listed))


def test_chinese_with_a_font_that_has_it(file, tmp_path):
    """Nothing is drawn that a font lacks; what none has is told."""
    fonts = ['matplotlib', make_font(tmp_path / 'One.ttf', '中文国ab', 'One'),
             make_font(tmp_path / 'Two.ttf', '中文大', 'Two')]
    path = file('words.txt', '中国\n中文\nabba\ncab\n大国\n中文中\n好\n')
    made = make_sets({None: 80}, words=path, fonts=fonts)
    words = made.parts[None]
    drawn = list(words)
    pairs = {(word.text, word.font) for word in drawn}
    assert {text for text, font in pairs if font == 'One'} == {
        '中国', '中文', '中文中', 'abba'}
    assert {text for text, font in pairs if font == 'Two'} == {
        '中文', '中文中'}
    # No one font has 大国, and none has 好.
    assert {text for text, _ in pairs} == {
        '中国', '中文', 'abba', 'cab', '中文中'}
    assert made.left_out == [
        "1 character(s) '好' left out of the whole set: none of its "
        f'{len(words.fonts)} font(s) has them'
    ]
    assert all(word.mask.any() for word in drawn)


def test_an_alphabet_of_a_file_leaves_out_what_cannot_be_drawn(
        file, tmp_path):
    font = make_font(tmp_path / 'One.ttf', '中文国', 'One')
    path = file('dict.txt', '中\n文\nא\n国\n好\ne\u0301\n')
    made = make_sets({None: 50}, alphabet_file=path, fonts=font)
    assert set(''.join(texts(made.parts[None]))) == set('中文国')
    assert [line.split(' left out')[0] for line in made.left_out] == [
        f"1 character(s) 'א' of {path}", f"2 character(s) 'é好' of {path}"]


@pytest.mark.parametrize('kwargs, message', [
    (dict(alphabet='ab好'), "1 character.* '好' of the alphabet cannot be "
     'drawn: no font has them'),
    (dict(alphabet='abא'), 'right to left'),
    (dict(alphabet='ab', words='x'), 'not from alphabet and words'),
    (dict(style='plain'), 'style is one of print, varied'),
])
def test_settings_that_make_no_sense(kwargs, message):
    with pytest.raises(ValueError, match=message):
        make_sets(BOTH, **kwargs)


def test_one_font_needs_leave_to_be_in_both_parts(tmp_path):
    font = make_font(tmp_path / 'One.ttf', '中文国', 'One')
    with pytest.raises(ValueError, match='or let both parts use the same'):
        make_sets(BOTH, alphabet='中文国', fonts=font)
    made = make_sets(BOTH, alphabet='中文国', fonts=font, same_fonts=True)
    assert not set(texts(made.parts['train'])) & set(texts(made.parts['test']))
