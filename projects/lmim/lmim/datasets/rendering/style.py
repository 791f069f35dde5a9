"""How a word looks, apart from its text and its font."""
from dataclasses import dataclass
from typing import Tuple

import cv2
import numpy as np

Color = Tuple[float, float, float]
# Weights of blue, green and red in perceived brightness (ITU-R BT.601).
LUMA = np.array([0.114, 0.587, 0.299])


@dataclass(frozen=True)
class Style:
    """Everything that is drawn by chance, so that the same style can be put
    on another text.

    Args:
        height (int): Height of the picture in pixels.
        margins (tuple[float, ...]): Left, top, right and bottom margin, as
            shares of the height.
        slack (float): 0 crops tight to the ink above and below, 1 leaves
            room for the ascenders and descenders that a word may lack.
        rotation (float): Degrees, counter-clockwise.
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
        seed (int): Seed of blotches and noise.
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


def paint(mask: np.ndarray, style: Style) -> np.ndarray:
    """Lay coloured text on a background and age it.

    Args:
        mask (np.ndarray): uint8 of shape (H, W); 255 is ink.
        style (Style): Colours and strengths.

    Returns:
        np.ndarray: BGR uint8 of shape (H, W, 3).
    """
    height, width = mask.shape
    rng = np.random.default_rng(style.seed)
    across, down = style.gradient
    # One plane of brightness for all three channels: light, not colour.
    light = (
        np.linspace(-across / 2, across / 2, width, dtype=np.float32) +
        np.linspace(-down / 2, down / 2, height, dtype=np.float32)[:, None])
    blotches = rng.standard_normal((3, 6), dtype=np.float32) * style.texture
    light += cv2.resize(
        blotches, (width, height), interpolation=cv2.INTER_CUBIC)
    background = np.array(style.background, np.float32)
    ink = np.array(style.foreground, np.float32) - background
    alpha = mask.astype(np.float32)[..., None] / 255
    image: np.ndarray = background + ink * alpha
    # The text lies on the background but in the same light, half as strong,
    # so that contrast is never lost.
    image += light[..., None] * (1 - alpha / 2)
    if style.blur > 0.2:  # below, the kernel is a single pixel
        image = cv2.GaussianBlur(image, (0, 0), style.blur)
    image += (
        rng.standard_normal((height, width, 1), dtype=np.float32) *
        style.noise)
    image = np.clip(image, 0, 255).astype(np.uint8)
    _, data = cv2.imencode('.jpg', image,
                           (cv2.IMWRITE_JPEG_QUALITY, style.jpeg_quality))
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR))
