"""What the log says about a run."""
import json
from pathlib import Path
from typing import Any, Dict

import pytest
import torch
from engine_dummies import make_cfg, train
from mmcv.transforms import BaseTransform
from mmengine.config import Config
from mmengine.runner import Runner
from mmocr.registry import TRANSFORMS

from lmim.engine.launch import enable_auto_scale_lr
from tests.datasets.make_lmdb import make_lmdb, picture


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
    with pytest.raises(ValueError, match='base_batch_size=512'):
        enable_auto_scale_lr(Config(dict(optim_wrapper=dict())))


def test_mmengines_own_scaling_is_warned_about(tmp_path: Path) -> None:
    cfg = make_cfg(tmp_path, accumulate=3, interval=100)
    cfg.auto_scale_lr = dict(base_batch_size=96, enable=True)
    runner = train(cfg)
    group = runner.optim_wrapper.optimizer.param_groups[0]
    assert group['initial_lr'] == pytest.approx(1e-2 * 8 / 96)
    assert 'does not count the 3 accumulated' in _log(runner)
    assert 'would take 0.0025.' in _log(runner)


@TRANSFORMS.register_module()
class FourNumbers(BaseTransform):
    """What the dummy model takes, from any picture."""

    def transform(self, results: Dict[str, Any]) -> Dict[str, Any]:
        return dict(inputs=torch.ones(4), data_samples=results['sample_idx'])


def test_unreadable_records_of_joined_sets_are_named(tmp_path: Path) -> None:
    parts, names = [], []
    for name, bad in (('a', 3), ('b', 7)):
        images = [picture(1)] * 16
        images[bad] = b'bad'
        path = make_lmdb(tmp_path / name, images)
        names.append(f'{path} image-{bad + 1:09d}')
        parts.append(dict(type='TextImageDataset', paths=path,
                          pipeline=[dict(type='FourNumbers')]))
    cfg = make_cfg(tmp_path / 'work', interval=100)
    cfg.train_dataloader.dataset = dict(type='ConcatDataset', datasets=parts)
    runner = train(cfg)
    assert (f'2 unreadable record(s) were skipped so far: {", ".join(names)}'
            '\n') in _log(runner)
    for dataset in runner.train_dataloader.dataset.datasets:
        # So that processes without a log file write there, too.
        assert dataset.unreadable.folder == runner.log_dir
    file = Path(runner.log_dir, 'unreadable.jsonl')
    assert sorted(json.loads(line)['name']
                  for line in file.read_text().splitlines()) == names
