"""Draws word images."""
from dataclasses import dataclass, field, fields
from typing import Any, Dict

import numpy as np

from .fonts import Font
from .layout import Line, draw_line, measure
from .painting import paint
from .placing import Placement, room
from .ranges import StyleRanges
from .style import Style
from .style_drawing import draw_style

#: Settings by name: anything that photographs show, or dark, almost grey ink
#: on light paper, which is learnt with far fewer pictures.
STYLES: Dict[str, Dict[str, Any]] = {
    'varied': {},
    'print': dict(
        difficulty=0.5, rotation=3., tilted=0., bent=0., max_growth=1.,
        shear=5., perspective=0.06, spaced=0., patterned=0., shaded=0.,
        outlined=0., shadowed=0., blur=0.8, noise=8., min_contrast=150.,
        saturation=0.2, dark_text=True, jpeg_quality=(60, 95)),
}

# Text is drawn at the size it is needed, or a little larger: shrinking it in
# the warp by more would cost time and fray its edges.
MIN_FACE_SIZE = 10


@dataclass(frozen=True)
class Rendering:
    """A picture of a word, and where its letters are in it.

    Args:
        image (np.ndarray): BGR uint8 of shape (H, W, 3).
        mask (np.ndarray): uint8 of shape (H, W): 255 where a letter is, less
            at its edges; neither shadow nor rim. It is as sharp as the text
            was before the picture was blurred.
        style (Style): How it looks; given to :meth:`WordRenderer.compose`,
            it puts the same style on another text.
    """
    image: np.ndarray
    mask: np.ndarray
    style: Style
    _line: Line = field(repr=False)
    _placement: Placement = field(repr=False)

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


class WordRenderer:
    """Draws words as crops of photographs show them, legible throughout.

    It has no state but its settings: the same text, font and generator state
    give the same bytes (with the same versions of Pillow, OpenCV and NumPy).

    Args:
        settings: Ranges that differ from the defaults, such as
            ``difficulty=0.5``; see :class:`.ranges.StyleRanges` for all, and
            :data:`STYLES` for sets of them.

    Raises:
        ValueError: If there is no such setting, or a value makes no sense.
    """

    def __init__(self, **settings: Any) -> None:
        known = [field.name for field in fields(StyleRanges)]
        unknown = sorted(set(settings) - set(known))
        if unknown:
            raise ValueError(
                f'WordRenderer has no setting {", ".join(unknown)}; it has '
                f'{", ".join(known)}')
        self.ranges = StyleRanges(**settings)

    def render(self, text: str, font: Font,
               rng: np.random.Generator) -> Rendering:
        """Draw a word in a style drawn by chance.

        Args:
            text (str): The word.
            font (Font): Its face; it must have every character.
            rng (np.random.Generator): The only source of chance.

        Raises:
            ValueError: If the text leaves no ink.
        """
        return self.compose(text, font, self.draw_style(rng))

    def draw_style(self, rng: np.random.Generator) -> Style:
        """Draw a style within the settings."""
        return draw_style(self.ranges, rng)

    def compose(self, text: str, font: Font, style: Style) -> Rendering:
        """Draw a word in a given style; arguments as of :meth:`render`."""
        line = draw_line(text, font, _face_size(text, font, style),
                         style.slack, style.spacing)
        placement = Placement(line.width, line.top, line.bottom, style)
        mask = placement.warp(line.ink)
        return Rendering(paint(mask, style), mask, style, line, placement)


def _face_size(text: str, font: Font, style: Style) -> int:
    """The size of the font at which the text fills its room."""
    width, tall = measure(text, font, style.slack, style.spacing)
    rise, height = 1., style.height
    if style.max_growth > 1:
        trial = Placement(width, 0, tall, style)
        rise, height = trial.rise, trial.size[0]
    return max(round(room(style, height) / (rise * tall)), MIN_FACE_SIZE)
