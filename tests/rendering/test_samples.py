"""Sets of rendered words: same seed, same bytes; as a user asks for them."""

import pytest
from make_font import make_font

from lmim.rendering import make_sets, part_of_word

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




def test_one_font_needs_leave_to_be_in_both_parts(tmp_path):
    font = make_font(tmp_path / 'One.ttf', '中文国', 'One')
    with pytest.raises(ValueError, match='or let both parts use the same'):
        make_sets(BOTH, alphabet='中文国', fonts=font)
    made = make_sets(BOTH, alphabet='中文国', fonts=font, same_fonts=True)
    assert not set(texts(made.parts['train'])) & set(texts(made.parts['test']))
