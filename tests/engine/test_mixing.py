"""Sets mixed by ratio, through MMEngine's runner."""
from pathlib import Path
from typing import Any, List

import pytest
from engine_dummies import DummyVectors, assert_equal, make_cfg, resumed, train
from mmocr.registry import DATASETS


@DATASETS.register_module()
class PartOfVectors(DummyVectors):
    """One of the sets of a ConcatDataset."""

    def full_init(self) -> None:
        pass


def mixed(work_dir: Any, **kwargs: Any) -> Any:
    """Two epochs of four batches of 8, three of four from the smaller set."""
    cfg = make_cfg(work_dir, **kwargs)
    cfg.train_dataloader.sampler = dict(
        type='RatioSampler', ratios=[1, 3], shuffle=True)
    cfg.train_dataloader.dataset = dict(
        type='ConcatDataset',
        datasets=[dict(type='PartOfVectors', length=24),
                  dict(type='PartOfVectors', length=8)])
    return cfg


def loaded(runner: Any) -> List[List[int]]:
    return [part.loaded for part in runner.train_dataloader.dataset.datasets]


@pytest.mark.parametrize('step', [4, 6])
def test_a_resumed_run_goes_on_with_the_same_records(tmp_path: Path,
                                                     step: int) -> None:
    whole = train(mixed(tmp_path / 'whole'))
    large, small = loaded(whole)
    assert len(large) == len(set(large)) == 16
    # Each pass over the smaller set has all of it.
    assert len(small) == 48
    for begin in range(0, 48, 8):
        assert sorted(small[begin:begin + 8]) == list(range(8))
    again = train(resumed(mixed(tmp_path / 'again'),
                          tmp_path / 'whole' / f'iter_{step}.pth'))
    rest = [part[-len(more):] for part, more in zip(
        (large, small), loaded(again))]
    assert loaded(again) == rest
    assert sum(map(len, rest)) == 64 - 8 * step
    assert_equal(again, whole)
    log = Path(whole.log_dir, f'{whole.timestamp}.log').read_text()
    assert log.count('RatioSampler: 32 records an epoch') == 1
    assert '24 records, 8 drawn an epoch (25.00%), each seen 0.333' in log
