"""Draws word images in styles drawn by chance."""
from dataclasses import dataclass, field, fields, replace
from typing import Any, Dict, List, NamedTuple, Sequence, Tuple

import cv2
import numpy as np

from lmim.utils.errors import UserError
from .fonts import Font
from .layout import Line, Placement, draw_lines, measure, room
from .painting import PATTERNS, SIDES, add_neighbors, paint
from .plain_glyphs import PlainGlyphs
from .style import (Bend, Color, Outline, Pattern, Shadow, Style, StyleRanges,
                    brightness, draw_colors, draw_opposite, draw_swing)

#: Settings by name: anything that photographs show; dark, almost grey ink on
#: light paper, which is learnt with far fewer pictures; or words as detectors
#: cut them out of photographs: small and dim ones too, cut too wide or too
#: tight, with letters of their neighbours at the edges.
STYLES: Dict[str, Dict[str, Any]] = {
    'varied': {},
    'print': dict(
        difficulty=0.5, rotation=3., tilted=0., bent=0., max_growth=1.,
        shear=5., perspective=0.06, spaced=0., patterned=0., shaded=0.,
        outlined=0., shadowed=0., blur=0.8, noise=8., min_contrast=150.,
        saturation=0.2, dark_text=True, jpeg_quality=(60, 95)),
    'scene': dict(
        height=(14, 48), blur=1.3, noise=10., min_contrast=55.,
        neighbored=0.08, loose=0.16, arc=90., bent=0.2, tilt=20.,
        jpeg_quality=(30, 95)),
}

# Text is drawn at the size it is needed, or a little larger: shrinking it in
# the warp by more would cost time and fray its edges.
MIN_FACE_SIZE = 10

#: A pattern, or a shade of the text, changes its brightness by no more than
#: this share of the contrast.
MOST_OF_CONTRAST = 0.3


@dataclass(frozen=True)
class RenderedWord:
    """A picture of a word, and where its letters are in it.

    Args:
        text (str): What it says.
        face (Font): What it is drawn with.
        image (np.ndarray): BGR uint8 of shape (H, W, 3).
        mask (np.ndarray): uint8 of shape (H, W): 255 where a letter is, less
            at its edges; neither shadow nor rim. It is as sharp as the text
            was before the picture was blurred.
        style (Style): How it looks; given to :meth:`WordRenderer.compose`,
            it puts the same style on another text.
    """
    text: str
    face: Font
    image: np.ndarray
    mask: np.ndarray
    style: Style
    _line: Line = field(repr=False)
    _placement: Placement = field(repr=False)

    @property
    def font(self) -> str:
        """str: Name of the face."""
        return self.face.name

    @property
    def boxes(self) -> np.ndarray:
        """np.ndarray: A quadrilateral around each character's ink.

        float32 of shape (N, 4, 2), one for each character of the text in
        reading order: x and y of the corners, from the character's own top
        left corner clockwise, in pixels of the picture, whole numbers at
        their centres (as OpenCV draws them). They follow the base line, and
        are made when they are asked for. A space has the box of the room
        that it takes.
        """
        # From edges of pixels to their centres.
        return self._placement.quadrilaterals(self._line.boxes() - 0.5)

    @property
    def letters(self) -> np.ndarray:
        """np.ndarray: Which character each pixel belongs to.

        uint8 of shape (H, W): i + 1 where the ink of the i-th character lies,
        0 where less than half of a pixel is ink. Made when it is asked for.
        """
        letters = self._placement.warp(self._line.letters(),
                                       cv2.INTER_NEAREST)
        return letters * (self.mask >= 128)

    def plain(self, glyphs: PlainGlyphs) -> np.ndarray:
        """The word in plain letters in the same place, uint8 (H, W).

        See :meth:`.plain_glyphs.PlainGlyphs.in_place`.
        """
        return glyphs.in_place(self._line, self._placement)


class RenderedPair(NamedTuple):
    """Two words in one style, on canvases of one shape."""
    first: RenderedWord
    second: RenderedWord
    erased: np.ndarray  # the picture without text, BGR uint8 (H, W, 3)


class WordRenderer:
    """Draws words as crops of photographs show them, legible throughout.

    It has no state but its settings: the same text, font and generator state
    give the same bytes (with the same versions of Pillow, OpenCV and NumPy).

    Args:
        settings: Ranges that differ from the defaults, such as
            ``difficulty=0.5``; see :class:`.style.StyleRanges` for all, and
            :data:`STYLES` for sets of them.

    Raises:
        UserError: If there is no such setting, or a value makes no sense.
    """

    def __init__(self, **settings: Any) -> None:
        known = [field.name for field in fields(StyleRanges)]
        unknown = sorted(set(settings) - set(known))
        if unknown:
            raise UserError(
                f'WordRenderer has no setting {", ".join(unknown)}; it has '
                f'{", ".join(known)}')
        self.ranges = StyleRanges(**settings)

    def render(self, text: str, font: Font,
               rng: np.random.Generator) -> RenderedWord:
        """Draw a word in a style drawn by chance, from ``rng`` alone.

        The font must have every character; a UserError says so if the text
        leaves no ink.
        """
        return self.compose(text, font, self.draw_style(rng))

    def compose(self, text: str, font: Font, style: Style) -> RenderedWord:
        """Draw a word in a given style; arguments as of :meth:`render`."""
        (word, ) = self._compose([text], font, style)
        return word

    def compose_pair(self, texts: Tuple[str, str], font: Font,
                     style: Style) -> RenderedPair:
        """Draw two words in one style and place, and the place without.

        Letters of both have one size, base line, bend and perspective. The
        canvas is that of the wider word; the other lies in its middle. All
        else is the same in the three pictures: pattern, light, noise. A
        style's neighbours, which are a word's own letters, are left out.
        Arguments are those of :meth:`render`.
        """
        style = replace(style, neighbors=())
        first, second = self._compose(texts, font, style)
        return RenderedPair(first, second,
                            paint(np.zeros_like(first.mask), style))

    def _compose(self, texts: Sequence[str], font: Font,
                 style: Style) -> List[RenderedWord]:
        """Draw words on one plane, which one placement carries."""
        lines = draw_lines(texts, font, _face_size(texts, font, style),
                           style.slack, style.spacing)
        placement = Placement(lines[0].width, lines[0].top, lines[0].bottom,
                              style)
        words = []
        for text, line in zip(texts, lines):
            mask = placement.warp(line.ink)
            image = paint(add_neighbors(mask, style.neighbors), style)
            words.append(RenderedWord(text, font, image, mask, style, line,
                                      placement))
        return words

    def draw_style(self, rng: np.random.Generator) -> Style:
        """Draw a style within the settings, by chance from ``rng`` alone."""
        ranges, hard = self.ranges, self.ranges.difficulty
        height = int(rng.integers(ranges.height[0], ranges.height[1] + 1))
        foreground, background = draw_colors(rng, ranges)
        left, right = rng.uniform(0.04, 0.25, 2).tolist()
        top, bottom = rng.uniform(0.03, 0.12, 2).tolist()
        perspective = ranges.perspective * hard
        corners = rng.uniform(-perspective, perspective, 8)
        gradient = ranges.gradient * hard
        worst, best = ranges.jpeg_quality
        plain: Dict[str, Any] = dict(
            height=height,
            margins=(left, top, right, bottom),
            slack=rng.random(),
            rotation=self._either_way(rng, ranges.rotation),
            shear=self._either_way(rng, ranges.shear),
            perspective=tuple(corners.tolist()),
            foreground=foreground,
            background=background,
            gradient=tuple(rng.uniform(-gradient, gradient, 2).tolist()),
            texture=rng.uniform(0, ranges.texture * hard),
            blur=rng.uniform(0, ranges.blur * hard) * height / 32,
            noise=rng.uniform(0, ranges.noise * hard),
            jpeg_quality=int(rng.integers(worst, best + 1)),
            seed=int(rng.integers(2**32)))
        # Last, so that settings without them give the same styles as before
        # there were any.
        plain.update(self._shape(rng), max_growth=ranges.max_growth)
        plain.update(self._decoration(rng, foreground, background))
        plain.update(self._cut(rng, plain['margins']))
        return Style(**plain)

    def _shape(self, rng: np.random.Generator) -> Dict[str, Any]:
        """How the line runs, where it is not level and straight."""
        ranges, hard = self.ranges, self.ranges.difficulty
        shape: Dict[str, Any] = {}
        if self._happens(rng, ranges.tilted):
            shape['rotation'] = self._either_way(rng, ranges.tilt)
        if self._happens(rng, ranges.bent):
            if rng.random() < 1 / 3:
                shape['bend'] = Bend(
                    'wave', rng.uniform(0.3, 1) * ranges.wave * hard,
                    rng.uniform(0.6, 1.6), rng.uniform(0, 2 * np.pi))
            else:
                angle = rng.uniform(0.2, 1) * ranges.arc * hard
                shape['bend'] = Bend(
                    'arc', angle if rng.random() < 0.6 else -angle)
        if self._happens(rng, ranges.spaced):
            shape['spacing'] = rng.uniform(0, ranges.spacing * hard)
        return shape

    def _decoration(self, rng: np.random.Generator, foreground: Color,
                    background: Color) -> Dict[str, Any]:
        """What is on the background and around the letters."""
        ranges = self.ranges
        contrast = brightness(foreground) - brightness(background)
        most = abs(contrast) * MOST_OF_CONTRAST
        found: Dict[str, Any] = {}
        if self._happens(rng, ranges.patterned):
            kind = list(PATTERNS)[int(rng.integers(len(PATTERNS)))]
            strength = min(ranges.pattern * ranges.difficulty, most)
            found['pattern'] = Pattern(
                kind, draw_swing(rng, rng.uniform(0.3, 1) * strength,
                                 ranges.saturation))
        if self._happens(rng, ranges.shaded):
            swing = draw_swing(rng, most, ranges.saturation)
            found['shade'] = tuple(
                float(np.clip(color + change, 0, 255))
                for color, change in zip(foreground, swing))
        if self._happens(rng, ranges.outlined):
            hollow = rng.random() < 1 / 6
            found['outline'] = Outline(
                rng.uniform(0.02, 0.05), foreground if hollow else
                draw_opposite(rng, foreground, ranges.saturation), hollow)
        if self._happens(rng, ranges.shadowed):
            found['shadow'] = _shadow(rng, foreground, background,
                                      contrast > 0)
        return found

    def _cut(self, rng: np.random.Generator,
             margins: Tuple[float, ...]) -> Dict[str, Any]:
        """How a word was cut out: how exactly, and what came along."""
        ranges, hard = self.ranges, self.ranges.difficulty
        cut: Dict[str, Any] = {}
        if ranges.loose:
            off = rng.uniform(-0.25, 1, 4) * ranges.loose * hard
            cut['margins'] = tuple((off + margins).clip(0).tolist())
        if ranges.neighbored:
            cut['neighbors'] = tuple(side for side in SIDES if self._happens(
                rng, ranges.neighbored))
        return cut

    def _happens(self, rng: np.random.Generator, chance: float) -> bool:
        return rng.random() < chance * self.ranges.difficulty

    def _either_way(self, rng: np.random.Generator, most: float) -> float:
        most *= self.ranges.difficulty
        return rng.uniform(-most, most)


def _face_size(texts: Sequence[str], font: Font, style: Style) -> int:
    """The size of the font at which the texts fill their room."""
    width, tall = measure(texts, font, style.slack, style.spacing)
    rise, height = 1., style.height
    if style.max_growth > 1:
        trial = Placement(width, 0, tall, style)
        rise, height = trial.rise, trial.size[0]
    return max(round(room(style, height) / (rise * tall)), MIN_FACE_SIZE)


def _shadow(rng: np.random.Generator, foreground: Color,
            background: Color, light_text: bool) -> Shadow:
    """A dark shadow of light text, a pale and soft one of dark text."""
    shift = rng.uniform(0.02, 0.08, 2) * rng.choice((-1, 1), 2)
    if light_text:
        color = tuple((np.array(background) * 0.3).tolist())
    else:
        color = tuple(((np.array(foreground) + background) / 2).tolist())
    return Shadow(
        shift=(float(shift[0]), float(shift[1])),
        blur=rng.uniform(0.0 if light_text else 0.04, 0.07),
        color=color,
        opacity=rng.uniform(0.4, 0.9) if light_text else 0.6)
