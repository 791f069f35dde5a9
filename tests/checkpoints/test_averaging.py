"""The mean of several checkpoints."""
from pathlib import Path
from typing import Any, List

import pytest
import torch

from lmim.checkpoints import CheckpointError, average


def saved(folder: Path, *contents: Any) -> List[Path]:
    """Files of these weights."""
    paths = []
    for number, weights in enumerate(contents):
        paths.append(folder / f'{number}.pth')
        torch.save({'state_dict': weights, 'meta': {'epoch': number}},
                   paths[-1])
    return paths


def test_floats_are_averaged_and_counters_taken(tmp_path: Path) -> None:
    def weights(value: float, count: int) -> dict:
        return {'w': torch.tensor([value] * 2), 'same': torch.tensor(7),
                'h': torch.tensor([value]).half(), 'n': torch.tensor(count)}

    paths = saved(tmp_path, weights(1., 10), weights(2., 11),
                  weights(6., 12))
    done = average(paths)
    result = done.checkpoint.weights
    assert result['w'].tolist() == [3, 3] and result['h'].tolist() == [3]
    assert [result[k].dtype for k in ('w', 'h', 'n')] == [
        torch.float32, torch.float16, torch.int64]
    assert result['n'] == 12 and result['same'] == 7
    assert done.from_last == ['n']
    assert done.checkpoint.meta == {
        'epoch': 2, 'averaged': ['0.pth', '1.pth', '2.pth']}
    assert done.checkpoint.wraps == 'state_dict'


def test_sums_are_of_double_precision(tmp_path: Path) -> None:
    """In single precision the first would swallow the others."""
    small = torch.tensor([1.], dtype=torch.float32)
    paths = saved(tmp_path, {'w': small * 2**25},
                  *[{'w': small}] * 7)
    # 2**22 + 7/8, to the nearest half.
    assert average(paths).checkpoint.weights['w'].item() == 2**22 + 1


@pytest.mark.parametrize('other, says', [
    ({'v': torch.ones(2)}, 'only one of them has v, w'),
    ({'w': torch.ones(3)}, r'w is \(2,\) float32 in one and \(3,\) float32'),
    ({'w': torch.ones(2).half()}, r'\(2,\) float32 in one and \(2,\) float16'),
    ({'w': torch.tensor([1, float('nan')])}, '1.pth has .* not finite: w'),
])
def test_what_cannot_be_averaged(tmp_path: Path, other: dict,
                                 says: str) -> None:
    paths = saved(tmp_path, {'w': torch.ones(2)}, other)
    with pytest.raises(CheckpointError, match=says):
        average(paths)
    with pytest.raises(CheckpointError, match='two checkpoints or more'):
        average(paths[:1])
