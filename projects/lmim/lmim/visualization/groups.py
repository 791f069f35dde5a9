"""Groups of patches drawn over words."""
from typing import List, Sequence

import numpy as np

from .pretraining_sheets import REGION_COLORS, ZOOM
from .sheet import Column, draw_sheet

NOTE = ('letters: which letter each pixel shows. HSG: groups of the patches '
        'of an encoder, in colours over the word, by a head that was trained '
        'on its frozen patches without labels; what a colour is has no '
        'meaning. ARI: the adjusted Rand index of groups and letters over '
        'ink, 1 is the same and 0 chance.')


def tinted(images: np.ndarray, maps: np.ndarray) -> np.ndarray:
    """Lay the colours of regions (N, H, W), from 1, over pictures.

    Pictures are (N, H, W, 3) uint8; region 0 stays as it is.
    """
    colors = REGION_COLORS[maps.astype(np.uint8)].astype(np.float32)
    mixed = (images / 2 + colors / 2).round().astype(np.uint8)
    return np.where((maps > 0)[..., None], mixed, images)


def draw_group_sheet(images: np.ndarray, letters: np.ndarray,
                     titles: Sequence[str], maps: Sequence[np.ndarray],
                     names: Sequence[str]) -> np.ndarray:
    """Draw words, their letters, and groups of several kinds.

    Args:
        images (np.ndarray): (N, H, W, 3) uint8, BGR.
        letters (np.ndarray): (N, H, W), 0 is none.
        titles (Sequence[str]): Of the kinds of groups.
        maps (Sequence[np.ndarray]): Groups of each kind, from 0, (N, H, W).
        names (Sequence[str]): Of the words.

    Returns:
        np.ndarray: The sheet, (H, W, 3) uint8, BGR, a row for each word.
    """
    columns: List[Column] = [('word', images),
                             ('letters', tinted(images, letters))]
    columns += [(title, tinted(images, groups + 1))
                for title, groups in zip(titles, maps)]
    return draw_sheet(columns, names, NOTE, ZOOM * images.shape[2])
