"""Draws word images."""
from typing import Any, Dict, Tuple

import cv2
import numpy as np
from PIL import ImageFont

from .fonts import Font, load_face
from .style import Style, draw_colors, paint

#: Settings by name: anything that photographs show, or dark, almost grey ink
#: on light paper, which is learnt with far fewer pictures.
STYLES: Dict[str, Dict[str, Any]] = {
    'varied': {},
    'print': dict(
        difficulty=0.5, saturation=0.2, min_contrast=150., dark_text=True),
}


class WordRenderer:
    """Draws words as crops of photographs show them, legible throughout.

    It has no state but its settings: the same text, font and generator state
    give the same bytes (with the same versions of Pillow, OpenCV and NumPy).

    Args:
        height (tuple[int, int]): Least and greatest height of a picture in
            pixels, both included. The width follows from the text.
        difficulty (float): Factor of every strength below; 0 gives clean,
            level text in plain colours, 1 the mild default.
        rotation (float): Greatest rotation in degrees, either way.
        shear (float): Greatest lean of upright strokes in degrees.
        perspective (float): Greatest shift of a corner, as a share of the
            text's height.
        gradient (float): Greatest change of brightness across a picture.
        texture (float): Greatest strength of soft blotches.
        blur (float): Greatest standard deviation of the blur, in pixels, of
            a picture 32 pixels high.
        noise (float): Greatest standard deviation of pixel noise.
        min_contrast (float): Least difference of brightness between text and
            background, in 0-255.
        saturation (float): 0 for greys only, 1 for any colour.
        dark_text (bool): Whether text is darker than its background, always.
        jpeg_quality (tuple[int, int]): Least and greatest quality of the
            JPEG that a picture goes through; not scaled by ``difficulty``.

    Raises:
        ValueError: If heights are below 8 pixels or out of order, or the
            difficulty is negative.
    """

    # Text is drawn at the size it is needed, or a little larger: shrinking
    # it in the warp by more would cost time and fray its edges.
    MIN_FACE_SIZE = 10

    def __init__(self,
                 height: Tuple[int, int] = (28, 48),
                 difficulty: float = 1.0,
                 rotation: float = 3.0,
                 shear: float = 5.0,
                 perspective: float = 0.06,
                 gradient: float = 40.0,
                 texture: float = 8.0,
                 blur: float = 0.8,
                 noise: float = 8.0,
                 min_contrast: float = 90.0,
                 saturation: float = 0.8,
                 dark_text: bool = False,
                 jpeg_quality: Tuple[int, int] = (60, 95)) -> None:
        if not 8 <= height[0] <= height[1]:
            raise ValueError('Heights are (least, greatest) with 8 <= least '
                             f'<= greatest, not {height}')
        if difficulty < 0:
            raise ValueError(f'difficulty is 0 or more, not {difficulty}')
        self.height = height
        self.rotation = rotation * difficulty
        self.shear = shear * difficulty
        self.perspective = perspective * difficulty
        self.gradient = gradient * difficulty
        self.texture = texture * difficulty
        self.blur = blur * difficulty
        self.noise = noise * difficulty
        self.min_contrast = min_contrast
        self.saturation = saturation
        self.dark_text = dark_text
        self.jpeg_quality = jpeg_quality

    def render(self, text: str, font: Font,
               rng: np.random.Generator) -> np.ndarray:
        """Draw a word in a style drawn by chance.

        Args:
            text (str): The word.
            font (Font): Its face; it must have every character.
            rng (np.random.Generator): The only source of chance.

        Returns:
            np.ndarray: BGR uint8 of shape (H, W, 3).

        Raises:
            ValueError: If the text leaves no ink.
        """
        return self.compose(text, font, self.draw_style(rng))

    def draw_style(self, rng: np.random.Generator) -> Style:
        """Draw a style within the settings."""
        height = int(rng.integers(self.height[0], self.height[1] + 1))
        foreground, background = draw_colors(rng, self.min_contrast,
                                             self.saturation, self.dark_text)
        sides = rng.uniform(0.04, 0.25, 2)
        ends = rng.uniform(0.03, 0.12, 2)
        corners = rng.uniform(-self.perspective, self.perspective, 8)
        return Style(
            height=height,
            margins=(sides[0], ends[0], sides[1], ends[1]),
            slack=rng.random(),
            rotation=rng.uniform(-self.rotation, self.rotation),
            shear=rng.uniform(-self.shear, self.shear),
            perspective=tuple(corners.tolist()),
            foreground=foreground,
            background=background,
            gradient=tuple(
                rng.uniform(-self.gradient, self.gradient, 2).tolist()),
            texture=rng.uniform(0, self.texture),
            blur=rng.uniform(0, self.blur) * height / 32,
            noise=rng.uniform(0, self.noise),
            jpeg_quality=int(
                rng.integers(self.jpeg_quality[0], self.jpeg_quality[1] + 1)),
            seed=int(rng.integers(2**32)))

    def compose(self, text: str, font: Font, style: Style) -> np.ndarray:
        """Draw a word in a given style; arguments as of :meth:`render`."""
        return paint(self.glyph_mask(text, font, style), style)

    def glyph_mask(self, text: str, font: Font, style: Style) -> np.ndarray:
        """The ink of a word where it lies in the picture.

        Returns:
            np.ndarray: uint8 of shape (H, W), 255 where a glyph covers the
            pixel.
        """
        flat, top, bottom = self._draw_text(text, font, style)
        corners, scale = _place(flat.shape[1], top, bottom, style)
        left, above, right, _ = style.margins
        corners = corners * scale + np.array([left, above]) * style.height
        width = round(float(corners[:, 0].max()) + right * style.height)
        source = np.array([[0, top], [flat.shape[1], top],
                           [flat.shape[1], bottom], [0, bottom]])
        matrix = cv2.getPerspectiveTransform(
            source.astype(np.float32), corners.astype(np.float32))
        return cv2.warpPerspective(
            flat, matrix, (max(width, 1), style.height))

    def _draw_text(self, text: str, font: Font,
                   style: Style) -> Tuple[np.ndarray, float, float]:
        """Draw level text, tight to its ink.

        Returns:
            tuple: The ink, uint8 of shape (h, w), and the y of the upper and
            lower edge of the line in it; they lie outside it where the style
            leaves slack.
        """
        room = style.height * (1 - style.margins[1] - style.margins[3])
        # The first drawing only measures: sizes are whole numbers, and ink
        # grows with the size all but linearly.
        _, top, bottom = _line_box(text, load_face(font.path, 64), style)
        size = max(round(64 * room / (bottom - top)), self.MIN_FACE_SIZE)
        face = load_face(font.path, size)
        ink_top, top, bottom = _line_box(text, face, style)
        core, _ = face.getmask2(text, mode='L')
        flat = np.array(core, np.uint8).reshape(core.size[::-1])
        return flat, top - ink_top, bottom - ink_top


def _line_box(text: str, face: ImageFont.FreeTypeFont,
              style: Style) -> Tuple[float, float, float]:
    """Top of the ink, and top and bottom of the line, in face pixels."""
    _, ink_top, right, ink_bottom = face.getbbox(text)
    if ink_bottom <= ink_top or right <= 0:
        raise ValueError(f'The text {text!r} leaves no ink')
    _, line_top, _, line_bottom = face.getbbox('bp')
    top = ink_top + min(line_top - ink_top, 0) * style.slack
    bottom = ink_bottom + max(line_bottom - ink_bottom, 0) * style.slack
    return ink_top, top, bottom


def _place(width: float, top: float, bottom: float,
           style: Style) -> Tuple[np.ndarray, float]:
    """Turn, lean and bend the line's box.

    Returns:
        tuple: The box's corners from top left clockwise, of shape (4, 2),
        moved so that the least x and y are 0; and the scale by which they fit
        into the picture's height less its margins.
    """
    tall = bottom - top
    lean = np.tan(np.deg2rad(style.shear)) * tall
    corners = np.array([[lean, 0], [width + lean, 0], [width, tall],
                        [0, tall]])
    angle = np.deg2rad(style.rotation)
    turn = np.array([[np.cos(angle), -np.sin(angle)],
                     [np.sin(angle), np.cos(angle)]])
    corners = corners @ turn
    corners += np.reshape(style.perspective, (4, 2)) * tall
    corners -= corners.min(axis=0)
    room = style.height * (1 - style.margins[1] - style.margins[3])
    return corners, room / float(corners[:, 1].max())
