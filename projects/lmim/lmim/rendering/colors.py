"""Colours of text and of what is around it."""
from typing import Tuple

import numpy as np

#: Blue, green and red in 0-255.
Color = Tuple[float, float, float]
# Weights of blue, green and red in perceived brightness (ITU-R BT.601).
LUMA = np.array([0.114, 0.587, 0.299])


def brightness(color: Color) -> float:
    """Perceived brightness in 0-255."""
    return float(np.dot(color, LUMA))


def draw_colors(rng: np.random.Generator, min_contrast: float,
                saturation: float,
                dark_text: bool = False) -> Tuple[Color, Color]:
    """Two colours that can be told apart.

    Of 16 pairs the first that differs enough in brightness is taken, or the
    one that differs most.

    Args:
        rng (np.random.Generator): The source of chance.
        min_contrast (float): Least difference of brightness, in 0-255.
        saturation (float): 0 for greys, 1 for any colour.
        dark_text (bool): Whether the first colour is always the darker one.

    Returns:
        tuple: Two BGR colours, of text and background.
    """
    pairs = rng.uniform(0, 255, (16, 2, 3))
    luma = (pairs @ LUMA)[..., None]
    # Pulling a colour towards its grey keeps its brightness.
    pairs = luma + (pairs - luma) * rng.uniform(0, saturation)
    contrast = np.abs(luma[:, 0, 0] - luma[:, 1, 0])
    enough = np.flatnonzero(contrast >= min_contrast)
    chosen = int(enough[0] if len(enough) else contrast.argmax())
    first, second = pairs[chosen].tolist()
    if dark_text and luma[chosen, 0, 0] > luma[chosen, 1, 0]:
        first, second = second, first
    return tuple(first), tuple(second)


def draw_swing(rng: np.random.Generator, most: float,
               saturation: float) -> Color:
    """A change of colour whose brightness changes by no more than ``most``.

    Args:
        rng (np.random.Generator): The source of chance.
        most (float): Greatest change of brightness, in 0-255.
        saturation (float): 0 changes brightness alone.

    Returns:
        tuple: What is added to blue, green and red; any sign.
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
