"""LMIM, killed and resumed, or on two processes: the same weights."""
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Dict

import cv2
import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmocr.registry import MODELS

from lmim.datasets.lmdb_writer import LMDBWriter
from tests.tool_runs import (
    TOOLS,
    arguments,
    mini_config,
    run_tool,
    scalars_of,
    small_loader,
)

LMIM = mini_config('pretrain/lmim')
NUM_IMAGES = 24


@pytest.fixture(scope='module')
def room(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with pictures of noise and a random teacher."""
    room = tmp_path_factory.mktemp('resume')
    rng = np.random.default_rng(0)
    with LMDBWriter(room / 'words.lmdb') as writer:
        for number in range(NUM_IMAGES):
            image = rng.integers(0, 255, (20, 40 + number, 3), 'uint8')
            writer.add(cv2.imencode('.png', image)[1].tobytes())
    encoder = MODELS.build(dict(
        Config.fromfile(LMIM).model.target_generator.encoder,
        _scope_='mmocr'))
    encoder.init_weights()
    torch.save({f'backbone.{name}': value
                for name, value in encoder.state_dict().items()},
               room / 'teacher.pth')
    return room


def settings(room: Path, batch_size: int, workers: int,
             **changes: Any) -> Dict[str, Any]:
    return {
        'train_dataloader.dataset.paths': room / 'words.lmdb',
        'model.target_generator.checkpoint': room / 'teacher.pth',
        **small_loader('train_dataloader', batch_size, workers),
        'train_cfg.max_epochs': 2, 'default_hooks.logger.interval': 1,
        **changes
    }


def environment() -> Dict[str, str]:
    scripts = Path(sys.executable).parent
    return dict(os.environ, OMP_NUM_THREADS='1',
                PATH=f'{scripts}{os.pathsep}{os.environ["PATH"]}')


def weights(path: Path) -> Dict[str, torch.Tensor]:
    return torch.load(path)['state_dict']


def kill_when_there(process: subprocess.Popen, path: Path) -> None:
    """SIGKILL a process, and its workers, once a file has appeared."""
    end = time.monotonic() + 120
    while not path.exists() and process.poll() is None:
        assert time.monotonic() < end, f'{path} did not appear'
        time.sleep(0.002)
    assert process.poll() is None, 'it ended before it could be killed'
    os.killpg(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL


def test_a_killed_run_goes_on_to_the_same_weights(room: Path) -> None:
    """Dropout, masks and guidance views are drawn; two workers load."""
    options = settings(
        room, 2, 2, **{
            'model.neck.drop_rate': 0.1,
            'default_hooks.checkpoint.by_epoch': False,
            'default_hooks.checkpoint.interval': 100,
        })
    outcome = run_tool('train.py', room, LMIM, '--work-dir', 'whole',
                       options=options)
    assert outcome.code == 0, outcome.stderr
    options['default_hooks.checkpoint.interval'] = 1
    process = subprocess.Popen(
        [sys.executable, str(TOOLS / 'train.py'),
         *arguments(LMIM, '--work-dir', 'killed', options=options)],
        cwd=room, env=environment(), start_new_session=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    kill_when_there(process, room / 'killed' / 'iter_5.pth')
    pointer = (room / 'killed' / 'last_checkpoint').read_text()
    last = int(Path(pointer).stem.split('_')[1])
    assert 4 <= last < 24
    outcome = run_tool('train.py', room, LMIM, '--work-dir', 'killed',
                       '--resume', options=options)
    assert outcome.code == 0, outcome.stderr
    first = scalars_of(room / 'killed')[0]
    assert first['step'] == last + 1
    resumed = weights(room / 'killed' / 'iter_24.pth')
    for name, value in weights(room / 'whole' / 'iter_24.pth').items():
        assert torch.equal(value, resumed[name]), name


#: A hook, for MMEngine logs the loss of the first process alone.
KEEP_LOSSES = """\
from mmengine.hooks import Hook
from mmocr.registry import HOOKS


@HOOKS.register_module(force=True)
class KeepLosses(Hook):

    def after_train_iter(self, runner, batch_idx, data_batch=None,
                         outputs=None):
        with open(f'{runner.work_dir}/losses_{runner.rank}.txt', 'a') as file:
            print(float(outputs['loss']), file=file)
"""


def test_two_processes_train_as_one(room: Path,
                                    monkeypatch: pytest.MonkeyPatch) -> None:
    """Three updates, each of a global batch of 8, without dropout.

    Masks are drawn for the global batch, of which each process takes its
    share; guidance views depend on the picture alone.
    """
    (room / 'keep_losses.py').write_text(KEEP_LOSSES)
    monkeypatch.syspath_prepend(str(room))
    config = room / 'config.py'
    config.write_text(
        f'_base_ = {str(LMIM)!r}\n'
        "custom_imports = dict(imports=['lmim', 'keep_losses'])\n"
        "custom_hooks = [dict(type='KeepLosses')]\n"
        # At a constant rate; in a warm-up little would change.
        'param_scheduler = []\n'
        'model = dict(neck=dict(drop_rate=0.))\n'
        # AdamW divides by the gradient's size: of one that is nothing but
        # rounding it would make a step like any other.
        'optim_wrapper = dict(optimizer=dict(eps=1e-5))\n'
        'train_cfg = dict(max_epochs=1)\n')
    options = settings(room, 8, 0)
    del options['train_cfg.max_epochs']
    outcome = run_tool('train.py', room, config, '--work-dir', 'one',
                       options=options)
    assert outcome.code == 0, outcome.stderr
    with socket.socket() as free:
        free.bind(('127.0.0.1', 0))
        port = str(free.getsockname()[1])
    options['train_dataloader.batch_size'] = 4
    done = subprocess.run(
        ['bash', str(TOOLS / 'dist_train.sh'), str(config), '2',
         *arguments('--work-dir', 'two', options=options)],
        cwd=room, text=True, capture_output=True,
        env=dict(environment(), PORT=port, PYTHONPATH=os.pathsep.join(
            [str(room), os.environ.get('PYTHONPATH', '')])))
    assert done.returncode == 0, done.stderr
    assert 'effective batch 8 = 4 a process x 2 process(es)' in done.stdout
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
