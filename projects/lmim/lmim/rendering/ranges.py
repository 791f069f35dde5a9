"""What styles are drawn from."""
from dataclasses import dataclass, fields
from typing import Tuple


@dataclass(frozen=True)
class StyleRanges:
    """Ranges that a style is drawn from.

    Strengths and chances are those of difficulty 1.

    Args:
        height (tuple[int, int]): Least and greatest height of the picture of
            a level word in pixels, both included. The width follows from the
            text.
        difficulty (float): Factor of every strength and chance below; 0
            gives clean, level text in plain colours.
        rotation (float): Greatest rotation in degrees, either way.
        tilted (float): Chance that a line is turned further.
        tilt (float): Greatest rotation of such a line.
        bent (float): Chance that the base line is bent: an arc, or (one in
            three) a wave.
        arc (float): Greatest angle of an arc in degrees.
        wave (float): Greatest amplitude of a wave, in heights of the line.
        max_growth (float): How many times its height the picture of a bent
            or turned line may have.
        shear (float): Greatest lean of upright strokes in degrees.
        perspective (float): Greatest shift of a corner, as a share of the
            text's height.
        spaced (float): Chance that characters are set apart.
        spacing (float): Greatest distance added between them, in parts of
            the font's size.
        gradient (float): Greatest change of brightness across a picture.
        texture (float): Greatest strength of soft blotches.
        patterned (float): Chance of a pattern on the background.
        pattern (float): Greatest change of brightness by a pattern, in
            0-255.
        shaded (float): Chance that the text's colour changes from top to
            bottom.
        outlined (float): Chance of a rim around the letters; of one in six
            of these nothing but the rim is painted.
        shadowed (float): Chance of a shadow.
        blur (float): Greatest standard deviation of the blur, in pixels, of
            a picture 32 pixels high.
        noise (float): Greatest standard deviation of pixel noise.
        min_contrast (float): Least difference of brightness between text and
            background, in 0-255; neither light nor patterns count.
        saturation (float): 0 for greys only, 1 for any colour.
        dark_text (bool): Whether text is darker than its background, always.
        jpeg_quality (tuple[int, int]): Least and greatest quality of the
            JPEG that a picture goes through; not scaled by ``difficulty``.

    Raises:
        ValueError: If a value is no number or negative, or heights are below
            8 pixels or out of order.
    """
    height: Tuple[int, int] = (28, 48)
    difficulty: float = 1.0
    rotation: float = 5.0
    tilted: float = 0.12
    tilt: float = 25.0
    bent: float = 0.3
    arc: float = 110.0
    wave: float = 0.25
    max_growth: float = 2.0
    shear: float = 10.0
    perspective: float = 0.12
    spaced: float = 0.3
    spacing: float = 0.2
    gradient: float = 40.0
    texture: float = 8.0
    patterned: float = 0.5
    pattern: float = 60.0
    shaded: float = 0.2
    outlined: float = 0.18
    shadowed: float = 0.25
    blur: float = 0.9
    noise: float = 9.0
    min_contrast: float = 90.0
    saturation: float = 0.8
    dark_text: bool = False
    jpeg_quality: Tuple[int, int] = (50, 95)

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(field.default, tuple):
                if not (isinstance(value, (tuple, list)) and len(value) == 2
                        and all(map(_is_size, value))):
                    raise ValueError(f'{field.name} is a pair of numbers, '
                                     f'each 0 or more, not {value!r}')
            elif not _is_size(value):
                raise ValueError(
                    f'{field.name} is 0 or more, not {value!r}')
        if not 8 <= self.height[0] <= self.height[1]:
            raise ValueError('Heights are (least, greatest) with 8 <= least '
                             f'<= greatest, not {self.height}')


def _is_size(value: object) -> bool:
    return isinstance(value, (int, float)) and value >= 0
