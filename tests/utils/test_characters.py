"""What is told of single characters."""
import pytest

from lmim.utils.characters import meant_as, named_character, oddity


@pytest.mark.parametrize('char, kind', [
    ('a', None), ('é', None), ('中', None), (' ', None), ('😀', None),
    ('\u0301', 'combining mark'), ('\ufe0f', 'invisible character'),
    ('\u200b', 'invisible character'), ('\ufeff', 'invisible character'),
    ('\u00ad', 'invisible character'), ('\t', 'control character'),
    ('\x00', 'control character'), ('\u00a0', 'blank other than U+0020'),
    ('\u3000', 'blank other than U+0020'),
    ('Ａ', 'full-width or half-width form'),
    ('ｶ', 'full-width or half-width form'),
    ('\ufffd', 'sign of text that was decoded wrongly'),
    ('\ue000', 'code point without a character'),
])
def test_oddities(char: str, kind: str) -> None:
    assert oddity(char) == kind


@pytest.mark.parametrize('char, plain', [
    ('\u2019', "'"), ('\u201c', '"'), ('\u2013', '-'), ('\u2212', '-'),
    ('Ａ', 'A'), ('，', ','), ('\u3000', ' '), ('\u00a0', ' '),
    ('\u2026', '...'), ('ﬁ', 'fi'), ('\t', ' '), ('\u200b', ''),
    ('\x07', ''), ('a', None), ('é', None), ('中', None),
])
def test_what_is_meant(char: str, plain: str) -> None:
    assert meant_as(char) == plain


def test_names() -> None:
    assert named_character('\u200b') == "'\\u200b' (U+200B)"
