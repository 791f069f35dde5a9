"""Which characters come out right when glyphs are set side by side.

Pillow's basic layout, which the renderer uses (see :func:`.fonts.load_face`),
puts one glyph for each character from left to right. Scripts that run from
right to left, that join or reorder letters, or that stack marks on them would
come out as wrong text under a right label. They are left out, by Unicode's
script and category.
"""
import unicodedata

from fontTools import unicodedata as scripts

# ISO 15924 codes; 'Zyyy' are signs and digits that many scripts share.
SIMPLE_SCRIPTS = frozenset({
    'Armn', 'Bopo', 'Cans', 'Cher', 'Cyrl', 'Ethi', 'Geor', 'Grek', 'Hang',
    'Hani', 'Hira', 'Kana', 'Latn', 'Yiii', 'Zyyy'
})
# Letters of which Hangul syllables are composed, in three blocks.
JAMO = (range(0x1100, 0x1200), range(0xA960, 0xA980), range(0xD7B0, 0xD800))


def needs_shaping(text: str) -> str:
    """Characters of a text that cannot be set one beside the other.

    Args:
        text (str): Any text. A letter and its accent as two characters need
            shaping; as one, they do not (``unicodedata.normalize('NFC', ...)``
            makes one of them).

    Returns:
        str: Each such character once, in order of code point.
    """
    return ''.join(char for char in sorted(set(text)) if not _is_simple(char))


def _is_simple(char: str) -> bool:
    if ' ' <= char <= '~':
        return True
    if (unicodedata.category(char)[0] in 'MC'  # marks, control and format
            or unicodedata.bidirectional(char) in ('R', 'AL', 'AN')
            or any(ord(char) in block for block in JAMO)):
        return False
    script = scripts.script(char)
    if script not in SIMPLE_SCRIPTS:
        return False
    # A sign such as the Arabic comma is shared, but not with ours.
    return script != 'Zyyy' or not SIMPLE_SCRIPTS.isdisjoint(
        scripts.script_extension(char))
