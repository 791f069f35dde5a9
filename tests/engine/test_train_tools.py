"""The command line of training and testing, as users run it."""
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from engine_dummies import assert_equal, make_cfg, train, weights

from lmim.engine import precision
from lmim.engine.loops import ResumableEpochLoop
from lmim.utils.atomic import write_atomic
from tests.good_runs import refused
from tests.processes import free_port, needs_fork, run_killed
from tests.tool_runs import TOOLS, log_of, run_tool


def _write(cfg: Any, path: Path) -> Path:
    cfg.dump(str(path))
    return path


@needs_fork
def test_killed_and_resumed_runs_end_with_the_same_weights(
        tmp_path: Path) -> None:
    """SIGKILL in the midst of a checkpoint, and in training."""
    whole = train(make_cfg(tmp_path / 'whole', interval=100))
    work_dir = tmp_path / 'run'
    config = _write(make_cfg(work_dir, max_keep_ckpts=1),
                    tmp_path / 'config.py')

    def run(*args: str, **options: Any) -> None:
        outcome = run_tool('train.py', tmp_path, config, *args,
                           options=options)
        assert outcome.code == 0, outcome.stderr

    # Of a checkpoint and of the pointer to it, the file and its folder are
    # brought to the disk: the third one's bytes are written, and not there.
    assert run_killed(run, os, 'fsync', 9, before=True)
    assert sorted(p.name for p in work_dir.glob('iter_*')) == [
        'iter_2.pth', 'iter_3.pth.partial'
    ]
    assert run_killed(lambda: run('--resume'), ResumableEpochLoop, 'run_iter',
                      5, before=True)
    assert 'Resuming epoch 1 after 2 of 4' in log_of(work_dir)
    assert [p.name for p in work_dir.glob('iter_*')] == ['iter_6.pth']
    # The last leg loads with a spawned worker, which finds lmim, too.
    run('--resume', **{'train_dataloader.num_workers': 1,
                       'train_dataloader.multiprocessing_context': 'spawn'})
    assert_equal(whole, work_dir / 'iter_8.pth')


def test_two_processes_are_one_with_the_same_global_batch(
        tmp_path: Path) -> None:
    """Started as users do, with the dummies, but not lmim, on the path."""
    settings = dict(interval=100, model=dict(dropout=0.))
    one = train(make_cfg(tmp_path / 'one', batch_size=8, **settings))
    config = _write(
        make_cfg(tmp_path / 'two', batch_size=4, **settings),
        tmp_path / 'config.py')
    scripts = Path(sys.executable).parent
    done = subprocess.run(
        ['bash', str(TOOLS / 'dist_train.sh'), str(config), '2'],
        cwd=tmp_path, text=True, capture_output=True,
        env=dict(os.environ, OMP_NUM_THREADS='1', PORT=str(free_port()),
                 PYTHONPATH=str(Path(__file__).parent),
                 PATH=f'{scripts}:{os.environ["PATH"]}'))
    assert done.returncode == 0, done.stderr
    assert 'effective batch 8 = 4 a process x 2 process(es)' in done.stdout
    two = weights(tmp_path / 'two' / 'iter_8.pth')
    for name, value in weights(one).items():
        torch.testing.assert_close(two[name], value, rtol=0, atol=2e-6)


def test_errors_end_in_one_message(tmp_path: Path) -> None:
    config = _write(make_cfg(tmp_path / 'run'), tmp_path / 'config.py')
    none = tmp_path / 'none.pth'
    refused(run_tool('train.py', tmp_path, config, '--resume', none),
            f'Error: checkpoint {none} does not exist', 'LMIM_DEBUG=1')
    refused(run_tool('train.py', tmp_path, tmp_path / 'no_config.py'),
            'no_config.py')
    refused(run_tool('train.py', tmp_path, config,
                     options={'model.type': 'NoModel'}),
            'Error: NoModel is not in the')


def test_options_reach_the_run(tmp_path: Path, capsys: pytest.CaptureFixture,
                               monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(precision, 'product_seconds', lambda *args: 1.)
    cfg = make_cfg(tmp_path / 'unused', accumulate=2, interval=100)
    cfg.auto_scale_lr = dict(base_batch_size=64)
    config = _write(cfg, tmp_path / 'config.py')
    assert run_tool(
        'train.py', tmp_path, config, '--work-dir', 'run',
        '--precision', 'bf16', '--auto-scale-lr', '--resume',
        options={'optim_wrapper.clip_grad.max_norm': 0.5}).code == 0
    out = capsys.readouterr().out
    assert 'Nothing to resume in' in out
    assert '0.0025 at its peak (scaled from 0.01 for a batch of 64' in out
    assert 'grad_norm: ' in out and "'BF16OptimWrapper'" in out
    assert not (tmp_path / 'unused').exists()
    assert (tmp_path / 'run' / 'iter_8.pth').is_file()


def test_resuming_prefers_the_run_to_its_start(tmp_path: Path) -> None:
    """`load_from` of a config is a start, not what --resume resumes."""
    start = train(make_cfg(tmp_path / 'start', interval=100))
    cfg = make_cfg(tmp_path / 'run', interval=4)
    cfg.load_from = str(tmp_path / 'start' / 'iter_8.pth')
    cfg.optim_wrapper.optimizer.lr = 0.
    config = _write(cfg, tmp_path / 'config.py')
    for _ in range(2):
        # At first there is nothing to resume: it starts from `load_from`.
        assert run_tool('train.py', tmp_path, config, '--resume').code == 0
        assert_equal(start, tmp_path / 'run' / 'iter_8.pth')
        (tmp_path / 'run' / 'iter_8.pth').unlink()
        write_atomic(tmp_path / 'run' / 'last_checkpoint',
                     str(tmp_path / 'run' / 'iter_4.pth').encode())
