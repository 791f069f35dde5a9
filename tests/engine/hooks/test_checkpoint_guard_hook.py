"""Refusing checkpoints that do not fit."""
from pathlib import Path

import pytest
import torch
from engine_dummies import (
    DummyModel,
    assert_equal,
    make_cfg,
    resumed,
    train,
    with_val,
)
from mmengine.config import Config
from mmengine.runner import Runner

from lmim.checkpoints import CheckpointError
from lmim.engine.hooks.checkpoint_guard_hook import compare_keys


def _test_cfg(work_dir: Path, checkpoint: Path, **kwargs) -> Config:
    cfg = with_val(make_cfg(work_dir, **kwargs), [0.5])
    cfg.test_dataloader = cfg.val_dataloader
    cfg.test_cfg = dict(type='TestLoop')
    cfg.test_evaluator = cfg.val_evaluator
    cfg.load_from = str(checkpoint)
    return cfg


def test_keys_are_sorted_into_four_kinds() -> None:
    state = DummyModel().state_dict()
    state['module.layers.3.bias'] = state.pop('layers.3.bias')
    state['layers.0.weight'] = torch.zeros(2, 2)
    del state['layers.1.bias']
    state['extra'] = torch.zeros(1)
    report = compare_keys(DummyModel(), state)
    assert report.missing == ['layers.1.bias']
    assert report.unexpected == ['extra']
    assert report.mismatched == [
        'layers.0.weight (2, 2), the model has (8, 4)'
    ]
    assert report.loaded == [
        'layers.0.bias', 'layers.1.weight', 'layers.3.weight', 'layers.3.bias'
    ]
    assert str(report) == ('4 loaded, 1 missing, 1 unexpected, 1 mismatched')


def test_testing_needs_every_weight(tmp_path: Path, finished: Path) -> None:
    path = finished / 'iter_8.pth'
    runner = Runner.from_cfg(_test_cfg(tmp_path, path))
    runner.test()
    assert_equal(runner, path)
    cfg = _test_cfg(tmp_path, path, name='wide', model=dict(width=16))
    with pytest.raises(CheckpointError) as error:
        Runner.from_cfg(cfg).test()
    for words in ('1 loaded, 0 missing, 0 unexpected, 5 mismatched',
                  'layers.0.weight (8, 4), the model has (16, 4)',
                  'checkpoint_guard.allow_mismatch=True'):
        assert words in str(error.value)
    cfg.default_hooks.checkpoint_guard.allow_mismatch = True
    cfg.experiment_name += 'allowed'
    assert Runner.from_cfg(cfg).test() == dict(acc=0.5)


def test_a_file_of_another_kind_is_named(tmp_path: Path) -> None:
    path = tmp_path / 'authors.pth'
    torch.save(dict(model=DummyModel().state_dict(), args=dict(lr=1)), path)
    with pytest.raises(CheckpointError, match='no "state_dict" but model'):
        Runner.from_cfg(_test_cfg(tmp_path, path)).test()


def test_training_may_start_from_a_part(tmp_path: Path) -> None:
    state = DummyModel().state_dict()
    del state['layers.3.bias']
    torch.save(dict(state_dict=state), tmp_path / 'part.pth')
    cfg = make_cfg(tmp_path, epochs=2, interval=100)
    cfg.load_from = str(tmp_path / 'part.pth')
    runner = train(cfg)
    log = Path(runner.log_dir, f'{runner.timestamp}.log').read_text()
    assert '5 loaded, 1 missing, 0 unexpected, 0 mismatched' in log
    torch.save(dict(state_dict=dict(other=torch.zeros(1))),
               tmp_path / 'part.pth')
    cfg.experiment_name += 'none'
    with pytest.raises(CheckpointError, match='0 loaded, 6 missing'):
        train(cfg)


def test_resuming_needs_the_optimizer(tmp_path: Path) -> None:
    path = tmp_path / 'best.pth'
    torch.save(
        dict(state_dict=DummyModel().state_dict(),
             meta=dict(epoch=1, iter=4)), path)
    with pytest.raises(CheckpointError, match='no state of the optimizer'):
        train(resumed(make_cfg(tmp_path), path))


def test_resuming_another_model_is_refused(tmp_path: Path,
                                           finished: Path) -> None:
    cfg = resumed(make_cfg(tmp_path, model=dict(width=16)),
                  finished / 'iter_4.pth')
    with pytest.raises(CheckpointError, match='5 mismatched'):
        train(cfg)


def test_missing_and_truncated_files_are_told(tmp_path: Path,
                                              finished: Path) -> None:
    cfg = resumed(make_cfg(tmp_path), tmp_path / 'none.pth')
    with pytest.raises(FileNotFoundError, match='none.pth does not exist'):
        train(cfg)
    path = tmp_path / 'cut.pth'
    path.write_bytes((finished / 'iter_4.pth').read_bytes()[:2000])
    with pytest.raises(CheckpointError, match='truncated'):
        train(resumed(make_cfg(tmp_path, 'cut'), path))
