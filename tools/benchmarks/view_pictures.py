"""Guidance views by both ways, side by side."""
from typing import Sequence

import numpy as np
from matplotlib.figure import Figure

from lmim.datasets import GuidanceView
from lmim.visualization.sheet import Row, draw_sheet

from .plain.guidance import PlainGuidanceView

#: Draws of each way for a picture.
DRAWS = 3


def draw_both(pictures: Sequence[np.ndarray]) -> Figure:
    """A contact sheet: pictures, and some views of each by both ways.

    Args:
        pictures (Sequence[np.ndarray]): Each (H, W, 3), uint8, BGR.
    """
    ours, plain = GuidanceView('medium'), PlainGuidanceView()
    rows = [
        Row([picture,
             *(ours(dict(img=picture.copy()))['guidance_img']
               for _ in range(DRAWS)),
             *(plain(picture) for _ in range(DRAWS))])
        for picture in pictures]
    titles = ['picture', *['ours'] * DRAWS, *['imgaug and Pillow'] * DRAWS]
    return draw_sheet(
        rows, titles, 'Guidance views of level medium, drawn at random: the '
        'columns show one distribution, not the same draws.', width=128)
