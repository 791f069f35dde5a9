"""Draws styles by chance."""
from typing import Any, Dict

import numpy as np

from .bends import Bend
from .colors import (Color, brightness, draw_colors, draw_opposite,
                     draw_swing)
from .patterns import PATTERNS, Pattern
from .ranges import StyleRanges
from .style import Outline, Shadow, Style

#: A pattern, or a shade of the text, changes its brightness by no more than
#: this share of the contrast.
MOST_OF_CONTRAST = 0.3


def draw_style(ranges: StyleRanges, rng: np.random.Generator) -> Style:
    """Draw a style.

    Args:
        ranges (StyleRanges): What it is drawn from.
        rng (np.random.Generator): The only source of chance.
    """
    hard = ranges.difficulty
    height = int(rng.integers(ranges.height[0], ranges.height[1] + 1))
    foreground, background = draw_colors(rng, ranges.min_contrast,
                                         ranges.saturation, ranges.dark_text)
    left, right = rng.uniform(0.04, 0.25, 2).tolist()
    top, bottom = rng.uniform(0.03, 0.12, 2).tolist()
    perspective = ranges.perspective * hard
    corners = rng.uniform(-perspective, perspective, 8)
    gradient = ranges.gradient * hard
    plain: Dict[str, Any] = dict(
        height=height,
        margins=(left, top, right, bottom),
        slack=rng.random(),
        rotation=_either_way(ranges, rng, ranges.rotation),
        shear=_either_way(ranges, rng, ranges.shear),
        perspective=tuple(corners.tolist()),
        foreground=foreground,
        background=background,
        gradient=tuple(rng.uniform(-gradient, gradient, 2).tolist()),
        texture=rng.uniform(0, ranges.texture * hard),
        blur=rng.uniform(0, ranges.blur * hard) * height / 32,
        noise=rng.uniform(0, ranges.noise * hard),
        jpeg_quality=int(
            rng.integers(ranges.jpeg_quality[0], ranges.jpeg_quality[1] + 1)),
        seed=int(rng.integers(2**32)))
    # Last, so that settings without them give the same styles as before
    # there were any.
    plain.update(_shape(ranges, rng), max_growth=ranges.max_growth)
    plain.update(_decoration(ranges, rng, foreground, background))
    return Style(**plain)


def _shape(ranges: StyleRanges,
           rng: np.random.Generator) -> Dict[str, Any]:
    """How the line runs, where it is not level and straight."""
    shape: Dict[str, Any] = {}
    if _happens(ranges, rng, ranges.tilted):
        shape['rotation'] = _either_way(ranges, rng, ranges.tilt)
    if _happens(ranges, rng, ranges.bent):
        if rng.random() < 1 / 3:
            shape['bend'] = Bend(
                'wave', rng.uniform(0.3, 1) * ranges.wave * ranges.difficulty,
                rng.uniform(0.6, 1.6), rng.uniform(0, 2 * np.pi))
        else:
            angle = rng.uniform(0.2, 1) * ranges.arc * ranges.difficulty
            shape['bend'] = Bend(
                'arc', angle if rng.random() < 0.6 else -angle)
    if _happens(ranges, rng, ranges.spaced):
        shape['spacing'] = rng.uniform(0, ranges.spacing * ranges.difficulty)
    return shape


def _decoration(ranges: StyleRanges, rng: np.random.Generator,
                foreground: Color, background: Color) -> Dict[str, Any]:
    """What is on the background and around the letters."""
    contrast = brightness(foreground) - brightness(background)
    most = abs(contrast) * MOST_OF_CONTRAST
    found: Dict[str, Any] = {}
    if _happens(ranges, rng, ranges.patterned):
        kind = list(PATTERNS)[int(rng.integers(len(PATTERNS)))]
        strength = min(ranges.pattern * ranges.difficulty, most)
        found['pattern'] = Pattern(
            kind, draw_swing(rng, rng.uniform(0.3, 1) * strength,
                             ranges.saturation))
    if _happens(ranges, rng, ranges.shaded):
        swing = draw_swing(rng, most, ranges.saturation)
        found['shade'] = tuple(
            float(np.clip(color + change, 0, 255))
            for color, change in zip(foreground, swing))
    if _happens(ranges, rng, ranges.outlined):
        hollow = rng.random() < 1 / 6
        found['outline'] = Outline(
            rng.uniform(0.02, 0.05), foreground if hollow else
            draw_opposite(rng, foreground, ranges.saturation), hollow)
    if _happens(ranges, rng, ranges.shadowed):
        found['shadow'] = _shadow(rng, foreground, background, contrast > 0)
    return found


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


def _happens(ranges: StyleRanges, rng: np.random.Generator,
             chance: float) -> bool:
    return rng.random() < chance * ranges.difficulty


def _either_way(ranges: StyleRanges, rng: np.random.Generator,
                most: float) -> float:
    most *= ranges.difficulty
    return rng.uniform(-most, most)
