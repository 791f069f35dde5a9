"""Rendered words: same seed, same bytes; test words and fonts unseen."""
from pathlib import Path

import matplotlib
import numpy as np
import pytest

from lmim.datasets.rendering import (LOWER_CASE, PARTS, Font, RenderedWords,
                                     WordGenerator, WordRenderer,
                                     contact_sheet, find_fonts,
                                     missing_characters, part_of_word,
                                     split_fonts)

BUNDLED = Path(matplotlib.get_data_path()) / 'fonts' / 'ttf'
LETTERS_AND_DIGITS = LOWER_CASE + LOWER_CASE.upper() + '0123456789'


@pytest.fixture(scope='module')
def fonts():
    return find_fonts(LOWER_CASE)


def test_every_face_has_every_character(fonts):
    assert len(fonts) >= 20
    assert fonts == sorted(fonts, key=lambda font: font.name)
    for font in fonts:
        assert missing_characters(font.path, LOWER_CASE) == ''
    names = {font.name for font in fonts}
    assert {'DejaVuSans', 'DejaVuSerif-Bold', 'cmr10'} <= names


@pytest.mark.parametrize('face, missing', [
    ('STIXSizOneSymReg', 'ab'),  # has no letters
    ('cmsy10', 'ab'),  # has other signs in their places
    ('cmex10', 'ab'),
    ('LastResortHE-Regular', 'ab'),  # claims all, draws boxes
    ('DejaVuSans', ''),
])
def test_symbol_faces_lack_letters(face, missing, fonts):
    path = BUNDLED / f'{face}.ttf'
    if not path.exists():
        pytest.skip(f'this matplotlib does not bring {face}')
    assert missing_characters(path, 'ba') == missing
    assert (face in {font.name for font in fonts}) == (not missing)


def test_glyphs_of_every_face_differ_from_each_other(fonts):
    """No boxes: 26 letters leave 26 different shapes."""
    plain = WordRenderer(difficulty=0)
    style = plain.draw_style(np.random.default_rng(0))
    for font in fonts:
        shapes = {
            plain.glyph_mask(char, font, style).tobytes()
            for char in LOWER_CASE
        }
        assert len(shapes) == 26, font.name


def test_missing_character_is_named():
    with pytest.raises(ValueError, match='lacks only'):
        find_fonts('abc\U0010fffe')


def test_a_folder_of_fonts_is_added(tmp_path, fonts):
    (tmp_path / 'Mine.ttf').write_bytes(
        (BUNDLED / 'DejaVuSans.ttf').read_bytes())
    (tmp_path / 'broken.ttf').write_bytes(b'no font')
    found = find_fonts(LOWER_CASE, tmp_path)
    assert {f.name for f in found} - {f.name for f in fonts} == {'Mine'}


def test_folder_errors(tmp_path):
    with pytest.raises(FileNotFoundError, match='No font in'):
        find_fonts('abc', tmp_path)
    with pytest.raises(FileNotFoundError, match='does not exist'):
        find_fonts('abc', tmp_path / 'none')


def test_fonts_are_split_by_family(fonts):
    parts = split_fonts(fonts)
    assert sorted(parts['train'] + parts['test'],
                  key=lambda font: font.name) == fonts
    families = [{font.family for font in parts[part]} for part in PARTS]
    assert not families[0] & families[1]
    assert len(parts['train']) > len(parts['test']) >= 4


@pytest.mark.parametrize('families, test_names', [
    (['A', 'A'], ['1']),
    (['A', 'B', 'B'], ['1', '2']),
])
def test_few_fonts_leave_no_part_empty(families, test_names):
    given = [Font(f'{BUNDLED}/{i}.ttf', name)
             for i, name in enumerate(families)]
    parts = split_fonts(given)
    assert [font.name for font in parts['test']] == test_names
    assert len(parts['train']) == len(given) - len(test_names)


def test_one_font_cannot_be_split():
    with pytest.raises(ValueError, match='Two fonts are needed'):
        split_fonts([Font('a.ttf', 'A')])


def _words(part, count=400, **kwargs):
    generator = WordGenerator(part, **kwargs)
    rng = np.random.default_rng(0)
    return [generator.draw(rng) for _ in range(count)]


@pytest.mark.parametrize('kind', ['syllables', 'random'])
def test_words_of_the_parts_are_disjoint(kind):
    train, test = (_words(part, kind=kind) for part in PARTS)
    assert not set(train) & set(test)
    assert {part_of_word(word) for word in train} == {'train'}
    for words in (train, test):
        assert {len(word) for word in words} == {3, 4, 5, 6}
        assert set(''.join(words)) == set(LOWER_CASE)


def test_words_can_be_pronounced():
    words = _words('train', lengths=(6, 6))
    assert words == _words('train', lengths=(6, 6))
    for word in words:
        kinds = ''.join('v' if c in 'aeiou' else 'c' for c in word)
        assert 'vvv' not in kinds and 'ccc' not in kinds, word


def test_every_character_of_a_mixed_alphabet_comes():
    words = _words('train', count=2000, alphabet=LETTERS_AND_DIGITS)
    assert set(''.join(words)) == set(LETTERS_AND_DIGITS)


def test_alphabets_without_vowels_give_plain_strings():
    words = _words('test', alphabet='0123456789', lengths=(4, 4))
    assert all(word.isdigit() and len(word) == 4 for word in words)


@pytest.mark.parametrize('kwargs, message', [
    (dict(alphabet=''), 'one visible character'),
    (dict(alphabet='a b'), 'no spaces'),
    (dict(lengths=(4, 3)), '1 <= least'),
    (dict(part='val'), 'part is one of'),
    (dict(kind='real'), 'kind is one of'),
])
def test_generator_errors(kwargs, message):
    with pytest.raises(ValueError, match=message):
        WordGenerator(**kwargs)


def test_a_vocabulary_of_one_part_only_is_an_error():
    part = part_of_word('aaa')
    other = PARTS[1 - PARTS.index(part)]
    assert _words(part, 1, alphabet='a', lengths=(3, 3)) == ['aaa']
    with pytest.raises(ValueError, match=f'No {other} word'):
        _words(other, 1, alphabet='a', lengths=(3, 3))


def test_same_seed_same_bytes(fonts):
    first, again, other = (RenderedWords(20, seed=s) for s in (3, 3, 4))
    for index in reversed(range(20)):  # in any order
        assert again[index].text == first[index].text
        assert again[index].image.tobytes() == first[index].image.tobytes()
    assert [w.text for w in other] != [w.text for w in first]
    assert other[0].image.tobytes() != first[0].image.tobytes()


def test_parts_share_neither_words_nor_fonts():
    train, test = (list(RenderedWords(60, part)) for part in PARTS)
    assert not {w.text for w in train} & {w.text for w in test}
    assert not {w.font for w in train} & {w.font for w in test}


def test_pictures_are_crops_of_words():
    for word in RenderedWords(100):
        height, width, channels = word.image.shape
        assert word.image.dtype == np.uint8 and channels == 3
        assert 28 <= height <= 48
        assert 0.2 * height * len(word.text) < width < height * (
            len(word.text) + 1)


def test_text_stands_out(fonts):
    """Ink and ground differ in brightness by what was asked for."""
    renderer = WordRenderer(min_contrast=120)
    rng = np.random.default_rng(0)
    weights = np.array([0.114, 0.587, 0.299])
    dark_on_light = 0
    for _ in range(50):
        style = renderer.draw_style(rng)
        mask = renderer.glyph_mask('word', fonts[0], style)
        luma = renderer.compose('word', fonts[0], style) @ weights
        contrast = luma[mask > 250].mean() - luma[mask < 5].mean()
        assert abs(contrast) > 70  # blur and light take some
        dark_on_light += contrast < 0
    assert 10 < dark_on_light < 40


def test_same_style_on_two_texts(fonts):
    renderer = WordRenderer()
    style = renderer.draw_style(np.random.default_rng(1))
    one = renderer.compose('one', fonts[0], style)
    two = renderer.compose('three', fonts[0], style)
    assert one.shape[0] == two.shape[0] == style.height
    assert one.shape[1] < two.shape[1]


def test_difficulty_zero_is_level_and_plain(fonts):
    style = WordRenderer(difficulty=0).draw_style(np.random.default_rng(0))
    assert style.rotation == style.shear == style.blur == style.noise == 0
    assert set(style.perspective) == {0}


def test_renderer_errors(fonts):
    with pytest.raises(ValueError, match='Heights'):
        WordRenderer(height=(40, 30))
    with pytest.raises(ValueError, match='difficulty'):
        WordRenderer(difficulty=-1)
    with pytest.raises(ValueError, match='leaves no ink'):
        WordRenderer().render(' ', fonts[0], np.random.default_rng(0))


def test_contact_sheet():
    image = np.zeros((48, 192, 3), np.uint8)
    sheet = contact_sheet([(image, 'a')] * 3, columns=2)
    assert sheet.shape == (2 * 68, 2 * 196, 3)
    assert (sheet[2:50, 2:194] == 0).all()
    assert (sheet[68:, 196:] == 255).all()  # the place of the fourth
    with pytest.raises(ValueError, match='one picture'):
        contact_sheet([])
