"""Figures that are written whole, or become pictures."""
import io
from pathlib import Path
from typing import Union

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from lmim.utils.atomic import write_atomic

#: Of our figures, in pixels to the inch.
DPI = 120
#: What a file of a figure may end in.
SUFFIXES = ('.png', '.pdf', '.svg')


def save_figure(figure: Figure, path: Union[str, Path]) -> None:
    """Write a figure, whole or not at all.

    Args:
        figure (Figure): The figure; it needs no display.
        path (str or Path): The file: .pdf or .svg by its name, else PNG.
    """
    suffix = Path(path).suffix.lower()
    buffer = io.BytesIO()
    kind = suffix[1:] if suffix in SUFFIXES else 'png'
    figure.savefig(buffer, format=kind, dpi=figure.dpi)
    write_atomic(path, buffer.getvalue())


def figure_pixels(figure: Figure) -> np.ndarray:
    """Draw a figure into an array, (H, W, 3) uint8, RGB."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()
