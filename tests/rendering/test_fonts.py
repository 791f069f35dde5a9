"""Which fonts are found, and that none draws a wrong glyph."""
import string
from pathlib import Path

import numpy as np
import pytest
from make_font import make_font

from lmim.rendering import (LOWER_CASE, PARTS, Font, FontPool, find_fonts,
                            missing_characters, needs_shaping, split_fonts)
from lmim.rendering.fonts import BUNDLED_FOLDER as BUNDLED
from lmim.rendering.fonts import load_face

PRINTABLE = ''.join(c for c in string.printable if not c.isspace())


@pytest.fixture(scope='module')
def fonts():
    return find_fonts(LOWER_CASE)


@pytest.fixture
def chinese(tmp_path):
    path = make_font(tmp_path / 'Tiny.ttf', '中文国a', 'Tiny')
    return Font(path, 'Tiny')


def glyph(font, char):
    """The shape that a font draws for a character."""
    return bytes(load_face(font.path, 32).getmask(char))


def test_bundled_faces_have_every_letter(fonts):
    assert len(fonts) >= 20
    assert fonts == sorted(fonts, key=lambda font: font.name)
    for font in fonts:
        assert missing_characters(font.path, LOWER_CASE) == ''
    names = {font.name for font in fonts}
    assert {'DejaVuSans', 'DejaVuSerif-Bold', 'cmr10'} <= names
    # These have no letters, other signs in their places, or boxes for all.
    symbols = {'STIXSizOneSymReg', 'cmsy10', 'cmex10', 'LastResortHE-Regular'}
    assert not names & symbols
    there = [path for path in BUNDLED.iterdir() if path.stem in symbols]
    assert len(there) >= 3  # not every matplotlib brings all
    assert {missing_characters(path, 'ba') for path in there} == {'ab'}


@pytest.mark.parametrize('face, text, missing', [
    ('cmr10', '<=>$', '<>'),  # draws ¡ and ¿
    ('cmti10', '$%', '$'),  # draws a pound sign under the right name
    ('cmmi10', 'a%.7', '%.7'),  # rho, a triangle, old-style figures
    ('cmtt10', "'\"<", "'"),
    ('DejaVuSans', PRINTABLE + 'é£ß', ''),
])
def test_signs_of_other_characters_are_missing(face, text, missing):
    assert missing_characters(BUNDLED / f'{face}.ttf', text) == missing


def test_no_character_becomes_a_box(chinese):
    """Nothing that a font is said to have looks like what it lacks."""
    for font in [*find_fonts(PRINTABLE), chinese]:
        shapes = {glyph(font, char) for char in LOWER_CASE}
        assert font is chinese or len(shapes) == 26, font.name
        box = glyph(font, '\U0010fffe')
        missing = missing_characters(font.path, PRINTABLE + '中文')
        for char in set(PRINTABLE + '中文') - set(missing):
            assert glyph(font, char) != box, f'{font.name} {char}'
    assert glyph(chinese, '你') == glyph(chinese, '\U0010fffe') != b''
    assert missing_characters(chinese.path, '中国你好a') == '你好'


def test_places_of_fonts(tmp_path, chinese, fonts):
    (tmp_path / 'deep').mkdir()
    (tmp_path / 'deep' / 'Mine.ttf').write_bytes(
        (BUNDLED / 'DejaVuSans.ttf').read_bytes())
    (tmp_path / 'broken.ttf').write_bytes(b'no font')
    own = find_fonts('bc', tmp_path)
    assert [font.name for font in own] == ['Mine']
    found = find_fonts(LOWER_CASE, ['matplotlib', str(tmp_path)])
    # 'Tiny' has an 'a'.
    assert {f.name for f in found} - {f.name for f in fonts} == {
        'Mine', 'Tiny'}
    assert find_fonts('中', chinese.path) == [chinese]
    # Of two files of one name, the earlier place's is kept.
    (tmp_path / 'cmr10.ttf').write_bytes(
        (BUNDLED / 'DejaVuSans.ttf').read_bytes())
    for places, folder in ((['matplotlib', tmp_path], BUNDLED),
                           ([tmp_path, 'matplotlib'], tmp_path)):
        (cmr10, ) = [font for font in find_fonts('b', places)
                     if font.name == 'cmr10']
        assert Path(cmr10.path).parent == folder


def test_installed_fonts_and_places_that_have_none(monkeypatch, tmp_path,
                                                   chinese):
    monkeypatch.setattr('lmim.rendering.fonts.findSystemFonts',
                        lambda: [chinese.path])
    assert find_fonts('国', 'machine') == [chinese]
    Path(chinese.path).unlink()
    with pytest.raises(FileNotFoundError, match='No font in'):
        find_fonts('abc', tmp_path)
    with pytest.raises(FileNotFoundError, match='does not exist'):
        find_fonts('abc', tmp_path / 'none')
    with pytest.raises(ValueError, match='No font has any of'):
        find_fonts('\U0010fffe')


def test_a_word_gets_a_font_that_has_all_of_it(chinese, fonts):
    latin = [font for font in fonts if font.name in ('cmr10', 'DejaVuSans')]
    pool = FontPool([*latin, chinese], 'abc中文你')
    rng = np.random.default_rng(0)
    assert pool.missing == '你'

    def names(text):
        return {font and font.name for font in
                (pool.pick(text, rng) for _ in range(40))}

    assert names('abc') == {'cmr10', 'DejaVuSans'}
    assert names('aa') == {'cmr10', 'DejaVuSans', 'Tiny'}
    assert names('a中') == {'Tiny'}
    assert names('b中') == names('你') == {None}


@pytest.mark.parametrize('text, refused', [
    ('Straße Ελλάδα Кириллица 中文 かな カナ 한국 １，①€', ''),
    ('aשלוםb', 'וםלש'),  # right to left
    ('سلام،', '،اسلم'),  # and joined; the comma is theirs as well
    ('हिन्दी', 'दनहि्ी'),  # reordered
    ('ไทย', 'ทยไ'),
    ('e\u0301', '\u0301'),  # a mark on a letter
    ('\u1112\u1161', '\u1112\u1161'),  # parts of a syllable
    ('a\u200db\n', '\n\u200d'),
])
def test_scripts_that_need_shaping_are_told(text, refused):
    assert needs_shaping(text) == ''.join(sorted(refused))


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
    with pytest.raises(ValueError, match='Two fonts are needed'):
        split_fonts(given[:1])
