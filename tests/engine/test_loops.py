"""Resuming in the middle of an epoch."""
from pathlib import Path
from typing import Any, Dict, List

import pytest
import torch
from engine_dummies import (
    assert_equal,
    make_cfg,
    resumed,
    train,
    with_val,
)

from lmim.datasets.transforms.seed import RUN_SEED
from lmim.engine.config_fitting import fit_config
from tests.tool_runs import scalars_of


@pytest.mark.parametrize('step', [1, 4, 6, 8])
def test_resumed_run_ends_with_the_same_weights(tmp_path: Path, finished: Path,
                                                step: int) -> None:
    runner = train(resumed(make_cfg(tmp_path), finished / f'iter_{step}.pth'))
    assert (runner.iter, runner.epoch) == (8, 2)
    assert_equal(runner, finished / 'iter_8.pth')
    remaining = 32 * 2 - 8 * step
    assert len(runner.train_dataloader.dataset.loaded) == remaining


def test_neither_workers_nor_their_number_change_the_weights(
        tmp_path: Path, finished: Path) -> None:
    cfg = resumed(make_cfg(tmp_path, num_workers=2), finished / 'iter_2.pth')
    assert_equal(train(cfg), finished / 'iter_8.pth')


def test_checkpoints_by_epoch_resume_as_before(tmp_path: Path,
                                               finished: Path) -> None:
    train(make_cfg(tmp_path, by_epoch=True))
    cfg = make_cfg(tmp_path, 'again', by_epoch=True)
    runner = train(resumed(cfg, tmp_path / 'epoch_1.pth'))
    assert len(runner.train_dataloader.dataset.loaded) == 32
    assert_equal(runner, finished / 'iter_8.pth')


def test_what_ends_an_epoch_is_made_up_for(tmp_path: Path,
                                           finished: Path) -> None:
    # iter_4 was written before the first epoch was validated.
    cfg = with_val(make_cfg(tmp_path), [0.5, 0.6])
    runner = train(resumed(cfg, finished / 'iter_4.pth'))
    history = runner.message_hub.get_scalar('val/acc').data[0]
    assert history.tolist() == [0.5, 0.6]


def test_accumulated_gradients_are_resumed(tmp_path: Path) -> None:
    # Updates after iterations 3, 6 and 8: the second is of both epochs.
    train(make_cfg(tmp_path, accumulate=3))
    for step in (2, 5, 7):
        cfg = make_cfg(tmp_path / f'from{step}', accumulate=3)
        runner = train(resumed(cfg, tmp_path / f'iter_{step}.pth'))
        assert_equal(runner, tmp_path / 'iter_8.pth')
    pending = [
        'pending_gradients' in torch.load(tmp_path / f'iter_{i}.pth')
        for i in range(1, 9)
    ]
    assert pending == [True, True, False, True, True, False, True, False]


def test_a_resumed_run_keeps_the_rate_of_its_checkpoint(
        tmp_path: Path, finished: Path) -> None:
    # LossCheckHook's advice rests on it.
    cfg = make_cfg(tmp_path)
    cfg.optim_wrapper.optimizer.lr = 1e-5
    runner = train(resumed(cfg, finished / 'iter_4.pth'))
    assert_equal(runner, finished / 'iter_8.pth')


def test_a_random_seed_is_resumed_with_the_order_of_the_data(
        tmp_path: Path) -> None:
    cfg = make_cfg(tmp_path)
    cfg.randomness = dict(seed=None)
    whole = train(cfg)
    cfg = make_cfg(tmp_path / 'again')
    cfg.randomness = dict(seed=None)
    again = train(resumed(cfg, tmp_path / 'iter_3.pth'))
    assert again.seed == whole.seed
    assert_equal(again, whole)


@pytest.mark.parametrize('change, words', [
    (dict(batch_size=4), ['8 then, 4 now', 'epochs of 8 iterations']),
    (dict(length=64), ['32 then, 64 now', 'iteration 6 (epoch 2)']),
])
def test_another_epoch_length_is_refused(tmp_path: Path, finished: Path,
                                         change: Dict[str, Any],
                                         words: List[str]) -> None:
    cfg = resumed(make_cfg(tmp_path, **change), finished / 'iter_6.pth')
    with pytest.raises(ValueError, match='Cannot resume') as error:
        train(cfg)
    for word in words + ['load_from=CHECKPOINT']:
        assert word in str(error.value)


def test_other_data_of_the_same_length_are_warned_about(
        tmp_path: Path, finished: Path) -> None:
    cfg = resumed(make_cfg(tmp_path, length=31), finished / 'iter_6.pth')
    runner = train(cfg)
    log = Path(runner.log_dir, f'{runner.timestamp}.log').read_text()
    assert 'samples: 32 then, 31 now' in log


def test_epochs_without_a_batch_are_refused(tmp_path: Path) -> None:
    cfg = make_cfg(tmp_path)
    cfg.train_dataloader.update(batch_size=100, drop_last=True)
    with pytest.raises(ValueError, match='batch_size to 32 or less'):
        train(cfg)


@pytest.mark.parametrize('batch, epochs, first', [
    (32, 3, 1e-2),  # one batch: there is no room for a warm-up
    (8, 1, 1e-2),
    (1, 1, 1e-5),  # the warm-up is 3 of 32 iterations
])
def test_short_trainings_run(tmp_path: Path, batch: int, epochs: int,
                             first: float) -> None:
    cfg = make_cfg(tmp_path, batch_size=batch, epochs=epochs)
    train(cfg)
    rates = [one['lr'] for one in scalars_of(tmp_path) if 'lr' in one]
    assert len(rates) == epochs * 32 // batch
    assert rates[0] == pytest.approx(first)
    assert max(rates) == pytest.approx(1e-2) and rates[-1] < 5e-3


def test_a_loop_of_iterations_counts_passes_over_the_data(
        tmp_path: Path) -> None:
    cfg = make_cfg(tmp_path, loop='IterBasedTrainLoop')
    cfg.train_cfg.max_iters = 10
    fit_config(cfg)
    train(cfg)
    rates = [one['lr'] for one in scalars_of(tmp_path) if 'lr' in one]
    assert len(rates) == 10 and max(rates) == pytest.approx(1e-2)
    assert (tmp_path / 'iter_10.pth').is_file()
    assert RUN_SEED.epoch == 2  # of 4 iterations each


def mixed(work_dir: Any) -> Any:
    """Two epochs of four batches of 8, three of four from the smaller set."""
    cfg = make_cfg(work_dir)
    cfg.train_dataloader.sampler = dict(
        type='RatioSampler', ratios=[1, 3], shuffle=True)
    cfg.train_dataloader.dataset = dict(
        type='ConcatDataset',
        datasets=[dict(type='DummyVectors', length=24),
                  dict(type='DummyVectors', length=8)])
    return cfg


def loaded(runner: Any) -> List[List[int]]:
    return [part.loaded for part in runner.train_dataloader.dataset.datasets]


def test_sets_mixed_by_ratio_are_resumed(tmp_path: Path) -> None:
    whole = train(mixed(tmp_path / 'whole'))
    large, small = loaded(whole)
    assert len(large) == len(set(large)) == 16
    # Each pass over the smaller set has all of it.
    assert len(small) == 48
    for begin in range(0, 48, 8):
        assert sorted(small[begin:begin + 8]) == list(range(8))
    for step in (4, 6):
        again = train(resumed(mixed(tmp_path / f'from{step}'),
                              tmp_path / 'whole' / f'iter_{step}.pth'))
        rest = [part[-len(more):] for part, more in zip(
            (large, small), loaded(again))]
        assert loaded(again) == rest
        assert sum(map(len, rest)) == 64 - 8 * step
        assert_equal(again, whole)
    log = Path(whole.log_dir, f'{whole.timestamp}.log').read_text()
    assert log.count('RatioSampler: 32 records an epoch') == 1
    assert '24 records, 8 drawn an epoch (25.00%), each seen 0.333' in log
