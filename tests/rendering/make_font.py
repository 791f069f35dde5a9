"""Small fonts for the tests of rendering."""
from pathlib import Path

from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen

EM = 1000


def make_font(path: Path, characters: str, family: str) -> str:
    """Write a font: character ``i`` has ``i + 1`` upright bars, what is
    missing a low one. Glyphs have no names of Adobe's list."""
    names = [f'glyph{number:05d}' for number in range(1, len(characters) + 1)]
    glyphs = {'.notdef': _bars(1, top=300)}
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


def _bars(number: int, top: int = 700) -> object:
    """Bars side by side."""
    pen = TTGlyphPen(None)
    step = 900 / number
    for left in (50 + step * bar for bar in range(number)):
        right = left + step / 2
        pen.moveTo((left, -100))
        for corner in ((left, top), (right, top), (right, -100)):
            pen.lineTo(corner)
        pen.closePath()
    return pen.glyph()
