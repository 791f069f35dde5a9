"""LMIM, killed and resumed, or on two processes: the same weights."""
from pathlib import Path
from typing import Any, Dict, Optional

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.runner import Runner
from mmocr.registry import HOOKS

from lmim.engine.hooks import SafeCheckpointHook
from tests.checkpoints.tiny import write_encoder
from tests.datasets.make_lmdb import make_lmdb, noise
from tests.processes import needs_fork, run_killed, run_on_processes
from tests.tool_runs import (
    log_of,
    mini_config,
    run_tool,
    scalars_of,
    small_loader,
)

LMIM = mini_config('pretrain/lmim')
pytestmark = needs_fork


@pytest.fixture(scope='module')
def room(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with pictures of noise and a random teacher."""
    room = tmp_path_factory.mktemp('resume')
    make_lmdb(room / 'words.lmdb', noise(12))
    write_encoder(Config.fromfile(LMIM).model.target_generator.encoder,
                  room / 'teacher.pth')
    return room


def train(room: Path, config: Path, work_dir: str, batch_size: int,
          workers: int, *args: str, **changes: Any) -> None:
    outcome = run_tool(
        'train.py', room, config, '--work-dir', work_dir, *args, options={
            'train_dataloader.dataset.paths': room / 'words.lmdb',
            'model.target_generator.checkpoint': room / 'teacher.pth',
            **small_loader('train_dataloader', batch_size, workers),
            'default_hooks.pictures.enable': False,
            'default_hooks.logger.interval': 1, **changes
        })
    assert outcome.code == 0, outcome.stderr


def weights(path: Path) -> Dict[str, torch.Tensor]:
    return torch.load(path)['state_dict']


def test_a_killed_run_is_resumed_to_the_same_weights(room: Path) -> None:
    """Dropout, masks and guidance views are drawn; two workers load."""

    def run(work_dir: str, interval: int, *args: str) -> None:
        train(room, LMIM, work_dir, 2, 2, *args, **{
            'train_cfg.max_epochs': 2, 'model.neck.drop_rate': 0.1,
            'default_hooks.checkpoint.by_epoch': False,
            'default_hooks.checkpoint.interval': interval})

    run('whole', 100)
    # By SIGKILL, in the second epoch; 12 iterations are the whole.
    assert run_killed(lambda: run('killed', 4), SafeCheckpointHook,
                      '_save_checkpoint_with_step', 2, before=False)
    assert (room / 'killed' / 'iter_8.pth').is_file()
    run('killed', 100, '--resume')
    assert scalars_of(room / 'killed')[0]['step'] == 9
    resumed = weights(room / 'killed' / 'iter_12.pth')
    for name, value in weights(room / 'whole' / 'iter_12.pth').items():
        assert torch.equal(value, resumed[name]), name


@HOOKS.register_module()
class KeepLosses(Hook):
    """Writes losses: MMEngine logs those of the first process alone."""

    def after_train_iter(self, runner: Runner, batch_idx: int,
                         data_batch: Any = None,
                         outputs: Optional[dict] = None) -> None:
        assert outputs is not None
        with open(f'{runner.work_dir}/losses_{runner.rank}.txt', 'a') as file:
            print(float(outputs['loss']), file=file)


def test_two_processes_train_as_one(room: Path) -> None:
    """Three updates, each of a global batch of 4, without dropout."""
    config = room / 'config.py'
    config.write_text(
        f'_base_ = {str(LMIM)!r}\n'
        "custom_hooks = [dict(type='KeepLosses')]\n"
        # At a constant rate; in a warm-up little would change.
        'param_scheduler = []\n'
        'model = dict(neck=dict(drop_rate=0.))\n'
        # AdamW divides by the gradient's size: of one that is nothing but
        # rounding it would make a step like any other.
        'optim_wrapper = dict(optimizer=dict(eps=1e-5))\n'
        'train_cfg = dict(max_epochs=1)\n')
    train(room, config, 'one', 4, 0)
    assert run_on_processes(2, lambda rank: train(
        room, config, 'two', 2, 0, '--launcher', 'pytorch')) == [0, 0]
    assert 'effective batch 4 = 2 a process x 2 process(es)' in log_of(
        room / 'two')
    one = np.loadtxt(room / 'one' / 'losses_0.txt')
    two = [np.loadtxt(room / 'two' / f'losses_{rank}.txt')
           for rank in range(2)]
    assert one.shape == (3, )
    np.testing.assert_allclose(np.mean(two, axis=0), one, rtol=1e-5)
    whole, parts = (weights(room / run / 'epoch_1.pth')
                    for run in ('one', 'two'))
    # It started at 0, and each update moved it by about the rate, 1.5e-3.
    assert whole['neck.decoder_pred.bias'].abs().max() > 2e-3
    for name, value in whole.items():
        torch.testing.assert_close(parts[name], value, rtol=0, atol=1e-5)
