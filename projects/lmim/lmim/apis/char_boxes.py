"""Where in a picture the characters of a word are, as its decoder says."""
from typing import List, Sequence, Tuple

import numpy as np

#: Left, top, right and bottom edge, in pixels of the picture as it was given.
Box = List[float]


def boxes_of_columns(centers: Sequence[float]) -> np.ndarray:
    """Boxes around characters that CTC wrote.

    A border is half way between two characters; the first and the last reach
    as far out as they reach in. They are as high as the picture, of which a
    single one takes the whole width too.

    Args:
        centers (Sequence[float]): Where each was written, rising, as shares
            of the width.

    Returns:
        np.ndarray: (N, 4), left, top, right, bottom, as shares of width and
        height; those of the ends may lie outside.
    """
    places = np.asarray(centers, np.float64)
    middles = (places[1:] + places[:-1]) / 2
    if len(middles):
        edges = np.concatenate([
            [2 * places[0] - middles[0]], middles,
            [2 * places[-1] - middles[-1]]])
    else:
        edges = np.arange(len(places) + 1.)
    top, bottom = np.zeros(len(places)), np.ones(len(places))
    return np.stack([edges[:-1], top, edges[1:], bottom], axis=1)


def boxes_of_attention(maps: np.ndarray) -> np.ndarray:
    """Boxes around what a decoder looked at as it wrote each character.

    They have the mean and the deviation of the attention, which is spread
    evenly within each patch: attention to a rectangle of patches, the same to
    each, gives that rectangle.

    Args:
        maps (np.ndarray): (N, rows, columns), not negative; each sums to 1.

    Returns:
        np.ndarray: (N, 4), as of :func:`boxes_of_columns`.
    """
    sides = []
    for axis in (1, 2):  # of the sums: over rows, then over columns
        weights = maps.sum(axis=axis, dtype=np.float64)
        count = weights.shape[1]
        places = (np.arange(count) + 0.5) / count
        mean = weights @ places
        variance = (weights * (places - mean[:, None])**2).sum(axis=1)
        # That of an even spread over a length is its square / 12.
        half = np.sqrt(3 * variance + 0.25 / count**2)
        sides += [mean - half, mean + half]
    return np.stack([sides[0], sides[2], sides[1], sides[3]], axis=1)


def in_pixels(boxes: np.ndarray, valid_ratio: float, turns: int,
              size: Tuple[int, int]) -> List[Box]:
    """Bring boxes back to the picture that was given.

    Args:
        boxes (np.ndarray): (N, 4), shares of the picture that the model saw.
        valid_ratio (float): How much of that one's width was no padding.
        turns (int): By how many quarters the picture was turned, counter-
            clockwise as ``np.rot90`` does, before it was resized.
        size (Tuple[int, int]): Height and width of the picture as given.

    Returns:
        List[Box]: Clipped to the picture.
    """
    left, top, right, bottom = boxes.T
    left, right = left / valid_ratio, right / valid_ratio
    for _ in range(turns % 4):  # back, clockwise
        left, top, right, bottom = 1 - bottom, left, 1 - top, right
    shares = np.stack([left, top, right, bottom], axis=1).clip(0, 1)
    return (shares * [size[1], size[0], size[1], size[0]]).tolist()
