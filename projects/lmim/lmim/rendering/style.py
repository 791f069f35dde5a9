"""How a word looks, apart from its text and its font."""
from dataclasses import dataclass
from typing import Optional, Tuple

from .bends import Bend
from .colors import Color
from .patterns import Pattern


@dataclass(frozen=True)
class Outline:
    """A rim around letters.

    Args:
        width (float): Its width, as a share of the picture's height; one
            pixel at least.
        color (tuple[float, ...]): BGR in 0-255.
        hollow (bool): Whether only the rim is painted, and the background
            shows in the letters.
    """
    width: float
    color: Color
    hollow: bool = False


@dataclass(frozen=True)
class Shadow:
    """What letters throw on the background.

    Args:
        shift (tuple[float, float]): How far right and down it lies, as shares
            of the picture's height.
        blur (float): Standard deviation of its blur, as a share of the
            height.
        color (tuple[float, ...]): BGR in 0-255.
        opacity (float): 1 covers the background.
    """
    shift: Tuple[float, float]
    blur: float
    color: Color
    opacity: float


@dataclass(frozen=True)
class Style:
    """Everything that is drawn by chance, so that the same style can be put
    on another text.

    Args:
        height (int): Height of the picture of a level word, in pixels.
        margins (tuple[float, ...]): Left, top, right and bottom margin, as
            shares of the height.
        slack (float): 0 crops tight to the ink above and below, 1 leaves
            room for the ascenders and descenders that a word may lack.
        rotation (float): Degrees, counter-clockwise. Long lines are turned
            less.
        shear (float): Degrees by which upright strokes lean.
        perspective (tuple[float, ...]): Shift of x and y of the four corners
            from top left clockwise, as shares of the text's height.
        foreground (tuple[float, ...]): Colour of the text, BGR in 0-255.
        background (tuple[float, ...]): Colour behind it, BGR in 0-255.
        gradient (tuple[float, ...]): Change of brightness across the width
            and the height.
        texture (float): Strength (standard deviation) of soft blotches.
        blur (float): Standard deviation of the blur in pixels.
        noise (float): Standard deviation of the noise of single pixels.
        jpeg_quality (int): Quality in 1-100 of the JPEG that it went through.
        seed (int): Seed of blotches, patterns and noise.
        spacing (float): Added between characters, in parts of the font's
            size.
        bend (Bend, optional): The base line, if it is not straight.
        max_growth (float): How many times ``height`` a picture may have, so
            that letters of a bent or turned line keep their size.
        pattern (Pattern, optional): What is on the background.
        shade (tuple[float, ...], optional): Colour of the text at its lower
            edge, where it changes from top to bottom.
        outline (Outline, optional): A rim around letters.
        shadow (Shadow, optional): What letters throw on the background.
    """
    height: int
    margins: Tuple[float, float, float, float]
    slack: float
    rotation: float
    shear: float
    perspective: Tuple[float, ...]
    foreground: Color
    background: Color
    gradient: Tuple[float, float]
    texture: float
    blur: float
    noise: float
    jpeg_quality: int
    seed: int
    spacing: float = 0.
    bend: Optional[Bend] = None
    max_growth: float = 1.
    pattern: Optional[Pattern] = None
    shade: Optional[Color] = None
    outline: Optional[Outline] = None
    shadow: Optional[Shadow] = None
