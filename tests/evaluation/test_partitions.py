"""Agreement of partitions, on those whose figures are known."""
import numpy as np
import pytest

from lmim.evaluation.partitions import (adjusted_rand_index, contingency,
                                        mean_iou, score_groups)


@pytest.mark.parametrize('groups, parts, ari, iou', [
    ([5, 5, 9, 9], [0, 0, 1, 1], 1, 1),
    # As scikit-learn's documentation has them.
    ([0, 0, 1, 2], [0, 0, 1, 1], 0.5714285714285714, 0.75),
    ([0, 0, 1, 1], [0, 0, 1, 2], 0.5714285714285714, 0.5),
    ([0, 1, 0, 1], [0, 0, 1, 1], -0.5, 1 / 3),
    ([0, 1, 2, 3], [0, 0, 0, 0], 0, 0.25),
    ([3, 3, 3], [1, 1, 1], 1, 1),
    # By hand: 6 pairs of one group, 4 of one part, 3 of both, of 15.
    ([0, 0, 0, 0, 1, 2], [0, 0, 0, 1, 1, 2],
     (3 - 6 * 4 / 15) / (5 - 6 * 4 / 15), (3 / 4 + 1 / 2 + 1) / 3),
])
def test_known_partitions(groups, parts, ari, iou):
    table = contingency(np.array(groups), np.array(parts))
    assert table.sum() == len(groups)
    assert adjusted_rand_index(table) == pytest.approx(ari)
    assert mean_iou(table) == pytest.approx(iou)


def test_chance_is_zero():
    draw = np.random.RandomState(0)
    values = [adjusted_rand_index(contingency(
        draw.randint(4, size=200), draw.randint(3, size=200)))
        for _ in range(200)]
    assert abs(np.mean(values)) < 0.003


def test_pictures_are_scored_over_ink():
    letters = np.zeros((3, 2, 4), np.uint8)
    letters[0, 0] = [1, 1, 2, 2]
    letters[1, 1] = [0, 1, 2, 2]
    groups = np.zeros((3, 2, 4), int)
    groups[0, 0] = [7, 7, 3, 3]
    groups[1, 0] = [1, 2, 3, 4]  # where there is no ink
    assert score_groups(groups, letters) == pytest.approx(
        ((1 + 0) / 2, (1 + (2 / 3) / 2) / 2))
