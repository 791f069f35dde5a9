"""Small fonts for the tests of rendering."""
from pathlib import Path

from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen

EM = 1000


def make_font(path: Path, characters: str, family: str) -> str:
    """Write a font whose glyphs all differ from each other.

    Character ``i`` has ``i + 1`` upright bars; what is missing is a box, as
    in most fonts. Glyphs have no names of Adobe's list.
    """
    names = [f'glyph{number:05d}' for number in range(1, len(characters) + 1)]
    glyphs = {'.notdef': _bars(0)}
    glyphs.update({name: _bars(i + 1) for i, name in enumerate(names)})
    builder = FontBuilder(EM, isTTF=True)
    builder.setupGlyphOrder(list(glyphs))
    builder.setupCharacterMap(dict(zip(map(ord, characters), names)))
    builder.setupGlyf(glyphs)
    builder.setupHorizontalMetrics(dict.fromkeys(glyphs, (EM, 50)))
    builder.setupHorizontalHeader(ascent=800, descent=-200)
    builder.setupNameTable(dict(familyName=family, styleName='Regular'))
    builder.setupOS2()
    builder.setupPost()
    builder.save(str(path))
    return str(path)


def _bars(number: int) -> object:
    """Bars side by side; 0 is a hollow box."""
    pen = TTGlyphPen(None)
    if number == 0:
        _rectangle(pen, 50, -100, 950, 700)
        _rectangle(pen, 850, 0, 150, 600)  # the other way round: a hole
    for i in range(number):
        step = 900 / number
        _rectangle(pen, 50 + i * step, -100, 50 + (i + 0.5) * step, 700)
    return pen.glyph()


def _rectangle(pen: TTGlyphPen, left: float, bottom: float, right: float,
               top: float) -> None:
    corners = [(left, bottom), (left, top), (right, top), (right, bottom)]
    pen.moveTo(corners[0])
    for corner in corners[1:]:
        pen.lineTo(corner)
    pen.closePath()
