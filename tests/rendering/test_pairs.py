"""Two words in one style, and words in plain letters, in one place."""
import shutil
import string
from dataclasses import replace

import cv2
import numpy as np
import pytest

from lmim.rendering import (Font, FontPool, ListedWords, PlainGlyphs,
                            RenderedWords, Vocabulary, WordGenerator,
                            WordRenderer, find_fonts)
from lmim.rendering.painting import paint
from lmim.rendering.plain_glyphs import PLAIN_FONT

ALPHABET = string.ascii_letters + string.digits


def words(size=30, **kwargs):
    kwargs.setdefault('words', WordGenerator('train', ALPHABET, (1, 9)))
    return RenderedWords(size, seed=3, **kwargs)


@pytest.fixture
def plain_pool():
    return FontPool([Font(PLAIN_FONT, 'DejaVu Sans')], ALPHABET)


def test_pairs_differ_in_their_letters_alone():
    renderer = WordRenderer(neighbored=0.5, shadowed=0, outlined=0)
    source = words(renderer=renderer)
    far, bare = [], []
    for index in range(len(source)):
        one, other, erased = source.same_style(index)
        assert one.image.shape == other.image.shape == erased.shape
        assert one.style == other.style and one.face == other.face
        assert one.text != other.text and one.text == source.text(index)
        assert abs(len(one.text) - len(other.text)) <= source.MOST_GAP
        # The picture without text, of either of them.
        for word in (one, other):
            assert np.array_equal(erased, paint(
                np.zeros_like(word.mask), word.style))
        away = cv2.dilate(one.mask | other.mask, np.ones((15, 15))) == 0
        if away.any():
            for word in (one, other):
                far.append(np.abs(word.image.astype(int) - erased)[away])
        bare.append(np.abs(one.image.astype(int) - erased)[
            one.mask > 250].mean())
    assert np.concatenate(far).mean() < 0.5  # JPEG
    assert min(bare) > 20


def test_the_wider_word_is_as_it_is_alone():
    """The other one's letters have the same base line and size."""
    renderer = WordRenderer(difficulty=0)
    font = find_fonts('a')[0]
    style = replace(renderer.draw_style(np.random.default_rng(2)), slack=1.)
    alone = renderer.compose('nonono', font, style)
    wide, narrow, _ = renderer.compose_pair(('nonono', 'on'), font, style)
    assert np.array_equal(wide.image, alone.image)
    rows = [word.boxes[:, [0, 3], 1].ravel() for word in (wide, narrow)]
    np.testing.assert_allclose(rows[0].min(), rows[1].min(), atol=1e-3)
    np.testing.assert_allclose(rows[0].max(), rows[1].max(), atol=1e-3)
    middles = [word.boxes.mean(axis=(0, 1)) for word in (wide, narrow)]
    assert np.abs(middles[0] - middles[1]).max() < 2
    letters = narrow.letters
    assert np.array_equal(letters > 0, narrow.mask >= 128)
    assert set(np.unique(letters)) == {0, 1, 2}


def test_pairs_depend_on_seed_epoch_and_index_alone():
    one, two = words(), words()
    drawn = [two.same_style(index, 1) for index in (5, 2)]
    again = one.same_style(2, 1)
    assert np.array_equal(again.second.image, drawn[1].second.image)
    assert again.second.text == drawn[1].second.text
    assert one.same_style(2, 0).second.text != again.second.text


def test_near_words_differ_in_a_few_characters():
    source, counts = words(), []
    for index in range(20):
        first, second, _ = source.same_style(index, near=True)
        assert len(first.text) == len(second.text)
        assert first.image.shape == second.image.shape
        counts.append(sum(a != b for a, b in zip(first.text, second.text)))
    assert set(counts) == {1, 2, 3}
    alone = words(words=ListedWords(Vocabulary([('oo', 1.)], 'a list'), None))
    alone.MAX_DRAWS = 5
    with pytest.raises(ValueError, match="take the place of 'o'"):
        alone.same_style(0, near=True)


def test_a_pair_needs_two_words():
    alone = words(words=ListedWords(Vocabulary([('one', 1.)], 'a list'),
                                    None))
    alone.MAX_DRAWS = 5
    with pytest.raises(ValueError, match="beside 'one' was found"):
        alone.same_style(0)
    # The nearest in length, where none is near.
    far = words(words=ListedWords(
        Vocabulary([('a', 1.), ('sixteen', 1.)], 'a list'), None))
    pair = far.same_style(0)
    assert {pair.first.text, pair.second.text} == {'a', 'sixteen'}


@pytest.mark.parametrize('style', [
    dict(), dict(bent=0.7, tilted=0.3, perspective=0.2, spaced=0.5)])
def test_plain_letters_of_the_plain_font_are_the_ink(style, plain_pool):
    glyphs = PlainGlyphs()
    for word in words(60, fonts=plain_pool, renderer=WordRenderer(**style)):
        assert np.array_equal(word.plain(glyphs), word.mask)


def test_plain_letters_lie_where_styled_ones_do():
    glyphs = PlainGlyphs()
    off, shares = [], []
    for word in words(40, renderer=WordRenderer(bent=0.5, spaced=0.5)):
        plain = word.plain(glyphs)
        assert plain.shape == word.mask.shape
        shares.append((word.mask[plain > 127] > 127).mean())
        middles = [np.argwhere(ink > 127).mean(axis=0)
                   for ink in (plain, word.mask)]
        off.append((middles[0] - middles[1]) / len(plain))
    assert np.abs(off).mean() < 0.04
    # By chance it would be the share of ink, a fifth.
    assert np.mean(shares) > 0.55


def test_straight_letters_fill_the_picture():
    glyphs = PlainGlyphs()
    for text in ('word', 'I', 'quite_long_words'):
        drawn = glyphs.straight(text, (32, 128), margin=0.)
        assert drawn.shape == (32, 128) and drawn.dtype == np.uint8
        rows, columns = ((drawn > 0).any(axis=axis) for axis in (1, 0))
        assert rows[[0, -1]].all() and columns[[0, -1]].all()
    drawn = glyphs.straight('word', (32, 128), margin=0.5)
    assert not drawn[:6].any() and not drawn[-6:].any()
    dash = glyphs.straight('-', (32, 128), margin=0.)
    assert 0 < (dash > 127).mean() < 0.3  # no letter, not a full picture


def test_a_font_of_ones_own(tmp_path, plain_pool):
    path = tmp_path / 'Other.ttf'
    shutil.copy(PLAIN_FONT, path)
    (word, ) = words(1, fonts=plain_pool)
    assert np.array_equal(word.plain(PlainGlyphs(str(path))), word.mask)
    with pytest.raises(ValueError, match="cannot draw '\u597d'"):
        PlainGlyphs().straight('a\u597d', (32, 128))
    with pytest.raises(ValueError, match='none.ttf cannot be opened'):
        PlainGlyphs(str(tmp_path / 'none.ttf'))
