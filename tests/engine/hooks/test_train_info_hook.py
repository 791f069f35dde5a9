"""What the log says about a run."""
from pathlib import Path

import pytest
from engine_dummies import DummyVectors, make_cfg, train
from mmengine.config import Config
from mmengine.runner import Runner

from lmim.engine.launch import enable_auto_scale_lr


def _log(runner: Runner) -> str:
    return Path(runner.log_dir, f'{runner.timestamp}.log').read_text()


def test_effective_batch_and_rate(tmp_path: Path) -> None:
    log = _log(train(make_cfg(tmp_path, accumulate=3, interval=100)))
    assert ('Training on 32 samples: effective batch 24 = 8 a process x 1 '
            'process(es) x 3 accumulated; 4 iterations an epoch, 8 in all, '
            'weights updated 3 times.') in log
    assert ('Learning rate: 0.01 at its peak (not scaled; --auto-scale-lr '
            'does), that is 0.106667 for each 256 images') in log
    assert 'Epoch 2: 32 images in ' in log


def test_auto_scale_counts_accumulation(tmp_path: Path) -> None:
    cfg = make_cfg(tmp_path, accumulate=3, interval=100)
    cfg.auto_scale_lr = dict(base_batch_size=96)
    enable_auto_scale_lr(cfg)
    runner = train(cfg)
    group = runner.optim_wrapper.optimizer.param_groups[0]
    assert group['initial_lr'] == pytest.approx(1e-2 * 24 / 96)
    assert ('0.0025 at its peak (scaled from 0.01 for a batch of 96 by 0.25)'
            in _log(runner))
    # A config that was written down by such a run is not divided again.
    before = cfg.auto_scale_lr.to_dict()
    enable_auto_scale_lr(cfg)
    assert cfg.auto_scale_lr.to_dict() == before


def test_mmengines_own_scaling_is_warned_about(tmp_path: Path) -> None:
    cfg = make_cfg(tmp_path, accumulate=3, interval=100)
    cfg.auto_scale_lr = dict(base_batch_size=96, enable=True)
    runner = train(cfg)
    group = runner.optim_wrapper.optimizer.param_groups[0]
    assert group['initial_lr'] == pytest.approx(1e-2 * 8 / 96)
    assert 'does not count the 3 accumulated' in _log(runner)
    assert 'would take 0.0025.' in _log(runner)


def test_scaling_needs_the_batch_of_the_rate() -> None:
    with pytest.raises(ValueError, match='base_batch_size=512'):
        enable_auto_scale_lr(Config(dict(optim_wrapper=dict())))


def test_unreadable_records_are_named(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(DummyVectors, 'num_unreadable', 2, raising=False)
    monkeypatch.setattr(DummyVectors, 'unreadable_names',
                        lambda self: ['b 7', 'a 3'], raising=False)
    log = _log(train(make_cfg(tmp_path, interval=100)))
    assert ('2 unreadable record(s) were skipped so far: a 3, b 7\n') in log
