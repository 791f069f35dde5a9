"""How well groups of pixels agree with parts that are known."""
from typing import Tuple

import numpy as np
from scipy.optimize import linear_sum_assignment


def contingency(groups: np.ndarray, parts: np.ndarray) -> np.ndarray:
    """How many elements each group shares with each part.

    Args:
        groups (np.ndarray): The group of each element, whole numbers, (P, ).
        parts (np.ndarray): The part of each, (P, ).

    Returns:
        np.ndarray: (groups, parts), of those that have an element.
    """
    rows, row = np.unique(groups, return_inverse=True)
    columns, column = np.unique(parts, return_inverse=True)
    return np.bincount(row * len(columns) + column,
                       minlength=len(rows) * len(columns)).reshape(
                           len(rows), len(columns))


def adjusted_rand_index(table: np.ndarray) -> float:
    """The share of pairs that both partitions treat alike, less chance.

    Hubert & Arabie, Comparing partitions, Journal of Classification 2 (1985),
    equation 5.

    Args:
        table (np.ndarray): As :func:`contingency` gives it.

    Returns:
        float: 1 where both are the same, 0 on the average of groups by
        chance; 1 too where neither has anything to tell apart.
    """
    both, rows, columns, every = (
        float((counts * (counts - 1) / 2).sum()) for counts in (
            table, table.sum(axis=1), table.sum(axis=0), table.sum()))
    expected = rows * columns / every if every else 0.
    most = (rows + columns) / 2
    return (both - expected) / (most - expected) if most > expected else 1.


def mean_iou(table: np.ndarray) -> float:
    """Mean over parts of the IoU with a group of its own.

    Groups are given to parts, one each, so that the sum is largest (Kuhn &
    Munkres); a part that gets none counts as 0.

    Args:
        table (np.ndarray): As :func:`contingency` gives it.
    """
    union = table.sum(axis=1)[:, None] + table.sum(axis=0) - table
    iou = table / np.maximum(union, 1)
    return float(iou[linear_sum_assignment(-iou)].sum() / table.shape[1])


def score_groups(groups: np.ndarray,
                 letters: np.ndarray) -> Tuple[float, float]:
    """Score groups of pictures by their letters, where there is ink.

    Args:
        groups (np.ndarray): The group of each pixel, (N, H, W).
        letters (np.ndarray): Which letter it shows, 0 for none, (N, H, W).

    Returns:
        Tuple[float, float]: Adjusted Rand index and mean IoU over the pixels
        that show a letter, the means over pictures that have any.
    """
    tables = [contingency(group[shown > 0], shown[shown > 0])
              for group, shown in zip(groups, letters) if shown.any()]
    return (float(np.mean([adjusted_rand_index(each) for each in tables])),
            float(np.mean([mean_iou(each) for each in tables])))
