"""Whether two ways to draw the guidance view draw from one distribution."""
from typing import Callable, Dict, List, Sequence, Tuple

import cv2
import numpy as np
from numpy import ndarray

Draw = Callable[[ndarray], ndarray]

#: In these ours differs on purpose: imgaug moves a part of the picture out of
#: sight, ours keeps all of it. Colours are compared without them.
DIFFERENT = ('perspective', 'piecewise_affine')

#: What is compared: largest difference, and whether in parts of the plain
#: value. Each is several times what two runs of the plain one differ by.
TOLERANCES: Dict[str, Tuple[float, bool]] = {
    'brightness': (0.10, True),
    'contrast': (0.10, True),
    'saturation': (0.15, True),
    'grey share': (0.08, False),
    'angle, standard deviation': (0.12, True),
    'angle, largest': (0.10, True),
    'displacement': (0.20, True),
}


def size_of(only: Sequence[str]) -> Tuple[int, int]:
    """The size of a view: that of a picture where one operation is seen."""
    return (64, 64) if only else (32, 128)


def statistics(make: Callable[..., Draw], count: int) -> Dict[str, float]:
    """All of :data:`TOLERANCES`.

    Args:
        make (Callable): Gives the way to draw the view without
            :data:`DIFFERENT`, or one that always does the operations that it
            is given, and nothing else; of size :func:`size_of`.
        count (int): Views to draw for each.
    """
    return {**color_statistics(make(), count),
            **angle_statistics(make('rotate'), count),
            **displacement_statistics(make('piecewise_affine'), count)}


def color_statistics(draw: Draw, count: int) -> Dict[str, float]:
    """What the view does to a colourful picture.

    Args:
        draw (Callable): Draws a view (32, 128, 3) of a picture (H, W, 3).
        count (int): Views to draw.
    """
    picture = np.full((30, 100, 3), 150, np.uint8)
    for number in range(6):
        color = np.roll([230, 60, 20], number).tolist()
        cv2.rectangle(picture, (8 + 15 * number, 8),
                      (16 + 15 * number, 22), color, -1)
    views = np.stack([draw(picture) for _ in range(count)]).astype(float)
    grey = views.mean(axis=3)
    spread = views.max(axis=3) - views.min(axis=3)
    return {
        'brightness': grey.mean(),
        'contrast': grey.std(axis=(1, 2)).mean(),
        'saturation': spread.mean(),
        'grey share': float((spread.max(axis=(1, 2)) == 0).mean()),
    }


def angle_statistics(rotate: Draw, count: int) -> Dict[str, float]:
    """Angles of a bar, in degrees.

    Args:
        rotate (Callable): Draws a view (64, 64, 3) that is turned only, of a
            picture (64, 64, 3).
        count (int): Views to draw.
    """
    bar = np.zeros((64, 64, 3), np.uint8)
    bar[31:33, 8:56] = 255
    angles = []
    for _ in range(count):
        ys, xs = np.nonzero(rotate(bar)[..., 0] > 100)
        angles.append(np.degrees(np.arctan(np.polyfit(xs, ys, 1)[0])))
    return {'angle, standard deviation': float(np.std(angles)),
            'angle, largest': float(np.abs(angles).max())}


def displacement_statistics(bend: Draw, count: int) -> Dict[str, float]:
    """How far points are moved, in parts of the width and height.

    Args:
        bend (Callable): Draws a view (64, 64, 3) that is bent only, of a
            picture (64, 64, 3).
        count (int): Views to draw.
    """
    places = [(y, x) for y in (20, 32, 44) for x in (20, 32, 44)]
    moved: List[float] = []
    for number in range(count):
        y, x = places[number % len(places)]
        dot = np.zeros((64, 64, 3), np.uint8)
        # Wide enough to be found wherever it lands between pixels.
        cv2.circle(dot, (x, y), 3, (255, 255, 255), -1)
        view = bend(dot)[..., 0].astype(float)
        rows, columns = np.indices(view.shape)
        mass = max(view.sum(), 1)
        moved += [((rows * view).sum() / mass - y) / 64,
                  ((columns * view).sum() / mass - x) / 64]
    return {'displacement': float(np.sqrt(np.mean(np.square(moved))))}


def check_views(ours: Dict[str, float],
                plain: Dict[str, float]) -> Dict[str, Dict[str, float]]:
    """Compare the statistics of two ways.

    Args:
        ours (Dict[str, float]): All of :data:`TOLERANCES`.
        plain (Dict[str, float]): The same.

    Returns:
        Dict[str, Dict[str, float]]: Of each ``ours``, ``plain`` and the
        largest ``difference`` that is allowed.

    Raises:
        ValueError: If one differs by more.
    """
    rows, wrong = {}, []
    for name, (tolerance, relative) in TOLERANCES.items():
        allowed = tolerance * (plain[name] if relative else 1)
        rows[name] = {'ours': round(ours[name], 4),
                      'plain': round(plain[name], 4),
                      'allowed difference': round(allowed, 4)}
        if not abs(ours[name] - plain[name]) <= allowed:
            wrong.append(f'{name} {ours[name]:.3g} and {plain[name]:.3g}')
    if wrong:
        raise ValueError(
            'pipeline: the views of ours and of the plain reference differ '
            f'in {"; ".join(wrong)}: nothing was measured. One of them draws '
            'something else.')
    return rows
