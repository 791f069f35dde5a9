"""Many small pictures on one, to be looked at."""
from typing import Iterable, Tuple

import cv2
import numpy as np

from .captions import draw_caption

CAPTION_HEIGHT = 16


def contact_sheet(samples: Iterable[Tuple[np.ndarray, str]],
                  columns: int = 8,
                  cell: Tuple[int, int] = (48, 192)) -> np.ndarray:
    """Lay pictures out in rows, each with its caption below.

    Args:
        samples (Iterable[tuple[np.ndarray, str]]): Pictures, BGR uint8 of
            shape (H, W, 3), and captions, in any script.
        columns (int): Pictures in a row.
        cell (tuple[int, int]): Greatest height and width of a picture;
            larger ones are shrunk.

    Returns:
        np.ndarray: BGR uint8 of shape (H, W, 3).

    Raises:
        ValueError: If there is no picture.
    """
    tiles = [_tile(image, caption, cell) for image, caption in samples]
    if not tiles:
        raise ValueError('A contact sheet needs one picture at least')
    blank = np.full_like(tiles[0], 255)
    tiles += [blank] * (-len(tiles) % columns)
    return np.concatenate([
        np.concatenate(tiles[start:start + columns], axis=1)
        for start in range(0, len(tiles), columns)
    ])


def _tile(image: np.ndarray, caption: str,
          cell: Tuple[int, int]) -> np.ndarray:
    """One picture above its caption, on white."""
    height, width = image.shape[:2]
    scale = min(1.0, cell[0] / height, cell[1] / width)
    if scale < 1:
        height, width = (max(int(side * scale), 1)
                         for side in (height, width))
        image = cv2.resize(
            image, (width, height), interpolation=cv2.INTER_AREA)
    tile = np.full((cell[0] + CAPTION_HEIGHT + 4, cell[1] + 4, 3), 255,
                   np.uint8)
    tile[2:2 + height, 2:2 + width] = image
    draw_caption(tile, caption, (2, cell[0] + CAPTION_HEIGHT - 1), cell[1])
    return tile
