"""Figures that are written whole."""
import io
from pathlib import Path
from typing import Union

from matplotlib.figure import Figure

from lmim.engine.fileio import write_atomic


def save_figure(figure: Figure, path: Union[str, Path]) -> None:
    """Write a figure as PNG, whole or not at all.

    Args:
        figure (Figure): The figure; it needs no display.
        path (str or Path): The file.
    """
    buffer = io.BytesIO()
    figure.savefig(buffer, format='png', dpi=120)
    write_atomic(path, buffer.getvalue())
