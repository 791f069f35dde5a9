"""How a word looks apart from its text and font, and how much that varies."""
from dataclasses import dataclass, fields
from typing import Optional, Tuple

import numpy as np

from lmim.utils.errors import UserError

#: Blue, green and red in 0-255.
Color = Tuple[float, float, float]
# Weights of blue, green and red in perceived brightness (ITU-R BT.601).
LUMA = np.array([0.114, 0.587, 0.299])


@dataclass(frozen=True)
class Bend:
    """How a line is bent; a short or a long one is bent less."""
    kind: str  # 'arc' or 'wave'
    # Of an arc, the angle in degrees from its first to its last letter,
    # positive where its ends hang down; of a wave, its amplitude in heights
    # of the line.
    strength: float
    periods: float = 1.  # of a wave
    phase: float = 0.  # of a wave, in radians


@dataclass(frozen=True)
class Pattern:
    """A pattern on the background."""
    kind: str  # one of :data:`.painting.PATTERNS`
    swing: Color  # added where the pattern is 1, taken away where it is -1


@dataclass(frozen=True)
class Outline:
    """A rim around letters."""
    width: float  # as a share of the height; one pixel at least
    color: Color
    hollow: bool = False  # whether the background shows in the letters


@dataclass(frozen=True)
class Shadow:
    """What letters throw on the background."""
    shift: Tuple[float, float]  # right and down, as shares of the height
    blur: float  # standard deviation, as a share of the height
    color: Color
    opacity: float  # 1 covers the background


@dataclass(frozen=True)
class Style:
    """Everything that is drawn by chance, so that the same style can be put
    on another text. Shares are those of the height.
    """
    height: int  # of the picture of a level word, in pixels
    margins: Tuple[float, float, float, float]  # left, top, ...; shares
    # 0 crops tight to the ink above and below, 1 leaves room for the
    # ascenders and descenders that a word may lack.
    slack: float
    rotation: float  # degrees, counter-clockwise; less for long lines
    shear: float  # degrees by which upright strokes lean
    # Shift of x and y of the four corners from top left clockwise, as shares
    # of the text's height.
    perspective: Tuple[float, ...]
    foreground: Color  # of the text
    background: Color  # behind it
    gradient: Tuple[float, float]  # of brightness, across width and height
    texture: float  # strength (standard deviation) of soft blotches
    blur: float  # standard deviation, in pixels
    noise: float  # standard deviation of the noise of single pixels
    jpeg_quality: int  # in 1-100, of the JPEG that it went through
    seed: int  # of blotches, patterns and noise
    spacing: float = 0.  # added between characters, in parts of the font size
    bend: Optional[Bend] = None  # the base line, if it is not straight
    # How many times ``height`` a picture may have, so that letters of a bent
    # or turned line keep their size.
    max_growth: float = 1.
    pattern: Optional[Pattern] = None  # on the background
    # Colour of the text at its lower edge, where it changes downwards.
    shade: Optional[Color] = None
    outline: Optional[Outline] = None
    shadow: Optional[Shadow] = None
    # On which sides letters of neighbouring words reach into the picture:
    # of 'left', 'right', 'above', 'below'.
    neighbors: Tuple[str, ...] = ()


@dataclass(frozen=True)
class StyleRanges:
    """Ranges that a style is drawn from.

    Values are greatest strengths, or chances from 0 to 1, at difficulty 1.

    Raises:
        UserError: If a value is no number or negative, or heights are below
            8 pixels or out of order.
    """
    # Least and greatest height of the picture of a level word in pixels, both
    # included. The width follows from the text.
    height: Tuple[int, int] = (28, 48)
    # Factor of every strength and chance below; 0 gives clean, level text in
    # plain colours.
    difficulty: float = 1.0
    rotation: float = 5.0  # degrees, either way
    tilted: float = 0.12  # chance that a line is turned further,
    tilt: float = 25.0  # by so many degrees
    bent: float = 0.3  # chance of an arc, or (one in three) a wave
    arc: float = 110.0  # angle in degrees
    wave: float = 0.25  # amplitude, in heights of the line
    # How many times its height the picture of a bent or turned line may have.
    max_growth: float = 2.0
    shear: float = 10.0  # lean of upright strokes, in degrees
    perspective: float = 0.12  # shift of a corner, as a share of text height
    spaced: float = 0.3  # chance that characters are set apart,
    spacing: float = 0.2  # by so many parts of the font's size
    gradient: float = 40.0  # change of brightness across a picture
    texture: float = 8.0  # strength of soft blotches
    patterned: float = 0.5  # chance of a pattern on the background,
    pattern: float = 60.0  # which changes its brightness by so much, in 0-255
    shaded: float = 0.2  # chance that the text's colour changes downwards
    outlined: float = 0.18  # chance of a rim; in one of six it is hollow
    shadowed: float = 0.25  # chance of a shadow
    # Chance on each side that letters of a neighbour reach into the picture.
    neighbored: float = 0.
    # The picture's edges lie off those of the text by up to so many parts of
    # its height, inwards by a quarter of that.
    loose: float = 0.
    blur: float = 0.9  # deviation in pixels, of a picture 32 pixels high
    noise: float = 9.0  # deviation of single pixels
    # Least difference of brightness between text and background, in 0-255;
    # neither light nor patterns count.
    min_contrast: float = 90.0
    saturation: float = 0.8  # 0 for greys only, 1 for any colour
    dark_text: bool = False  # whether text is always darker than background
    # Of the JPEG that a picture goes through; not scaled by ``difficulty``.
    jpeg_quality: Tuple[int, int] = (50, 95)

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(field.default, tuple):
                if not (isinstance(value, (tuple, list)) and len(value) == 2
                        and all(map(_is_size, value))):
                    raise UserError(f'{field.name} is a pair of numbers, '
                                    f'each 0 or more, not {value!r}')
            elif not _is_size(value):
                raise UserError(
                    f'{field.name} is 0 or more, not {value!r}')
        if not 8 <= self.height[0] <= self.height[1]:
            raise UserError('Heights are (least, greatest) with 8 <= least '
                            f'<= greatest, not {self.height}')


def _is_size(value: object) -> bool:
    return isinstance(value, (int, float)) and value >= 0


def brightness(color: Color) -> float:
    """Perceived brightness in 0-255."""
    return float(np.dot(color, LUMA))


def draw_colors(rng: np.random.Generator,
                ranges: StyleRanges) -> Tuple[Color, Color]:
    """Two colours that can be told apart, of text and background.

    Of 16 pairs the first that differs enough in brightness is taken, or the
    one that differs most.
    """
    pairs = rng.uniform(0, 255, (16, 2, 3))
    luma = (pairs @ LUMA)[..., None]
    # Pulling a colour towards its grey keeps its brightness.
    pairs = luma + (pairs - luma) * rng.uniform(0, ranges.saturation)
    contrast = np.abs(luma[:, 0, 0] - luma[:, 1, 0])
    enough = np.flatnonzero(contrast >= ranges.min_contrast)
    chosen = int(enough[0] if len(enough) else contrast.argmax())
    first, second = pairs[chosen].tolist()
    if ranges.dark_text and luma[chosen, 0, 0] > luma[chosen, 1, 0]:
        first, second = second, first
    return tuple(first), tuple(second)


def draw_swing(rng: np.random.Generator, most: float,
               saturation: float) -> Color:
    """A change of colour, of any sign, to be added to another.

    It changes brightness, in 0-255, by ``most`` at the most, and that alone
    if ``saturation`` is 0.
    """
    swing = rng.uniform(-1, 1, 3)
    luma = swing @ LUMA
    swing = luma + (swing - luma) * saturation / 2
    swing *= most / max(abs(float(luma)), 0.4)
    return tuple(swing.tolist())


def draw_opposite(rng: np.random.Generator, color: Color,
                  saturation: float) -> Color:
    """A colour that is dark where the given one is light, or light."""
    low = brightness(color) > 127
    other = rng.uniform(0, 70, 3) if low else rng.uniform(185, 255, 3)
    luma = other @ LUMA
    return tuple((luma + (other - luma) * saturation).tolist())
