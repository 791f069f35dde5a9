"""Every config loads, builds and runs a step, with the data it names."""
from pathlib import Path
from typing import Any, Dict

import pytest
import torch
from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.runner import Runner
from mmocr.registry import MODELS

from lmim.datasets.data_root import read_config
from lmim.models.backbones import TextViT
from tests.lay_data import lay_loader

REPO = Path(__file__).resolve().parent.parent
CONFIGS = sorted(path for path in (REPO / 'configs').rglob('*.py')
                 if '_base_' not in path.parts)


class StopAfterEpoch(Hook):
    """Ends training after the first of the config's epochs."""

    def after_train_epoch(self, runner: Runner) -> None:
        runner.train_loop.stop_training = True


def write_encoder(cfg: Dict[str, Any], path: Path) -> str:
    """Save an encoder as the run that a config follows would."""
    encoder = MODELS.build(dict(cfg, init_cfg=None, _scope_='mmocr'))
    encoder.init_weights()
    torch.save({'state_dict': {f'backbone.{name}': value for name, value
                               in encoder.state_dict().items()}}, path)
    return str(path)


@pytest.mark.parametrize(
    'path', CONFIGS, ids=[path.stem for path in CONFIGS])
def test_config_runs(path: Path, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setenv('LMIM_DATA_ROOT', str(tmp_path))
    # The width of the published encoders, with two blocks of twelve.
    monkeypatch.setattr(TextViT, 'arch_zoo', {
        name: dict(arch, num_layers=2)
        for name, arch in TextViT.arch_zoo.items()
    })
    cfg = read_config(str(path))
    assert cfg.default_scope == 'mmocr'
    if 'target_generator' in cfg.model and 'checkpoint' in (
            cfg.model.target_generator):
        cfg.model.target_generator.checkpoint = write_encoder(
            cfg.model.target_generator.encoder, tmp_path / 'teacher.pth')
    if cfg.model.backbone.get('init_cfg'):
        cfg.model.backbone.init_cfg.checkpoint = write_encoder(
            cfg.model.backbone, tmp_path / 'encoder.pth')
    for name in ('train_dataloader', 'val_dataloader', 'test_dataloader'):
        if cfg.get(name):
            lay_loader(cfg[name].dataset)
            cfg[name].update(
                batch_size=2, num_workers=0, persistent_workers=False)
    # A file of a gigabyte for each step of a ViT-B would be too much.
    cfg.default_hooks.checkpoint.interval = -1
    cfg.work_dir = str(tmp_path / 'work')
    cfg.experiment_name = path.stem
    cfg.log_level = 'WARNING'

    runner = Runner.from_cfg(cfg)
    runner.register_hook(StopAfterEpoch())
    before = runner.model.backbone.layers[0].attn.qkv.weight.detach().clone()
    runner.train()
    after = runner.model.backbone.layers[0].attn.qkv.weight
    assert not torch.equal(before, after) and after.isfinite().all()
    if cfg.get('test_dataloader'):
        metrics = runner.test()
        prefixes = cfg.test_evaluator.dataset_prefixes
        for prefix in prefixes:
            key = f'{prefix}/recog/word_acc_ignore_case_symbol'
            assert 0 <= metrics[key] <= 1


def test_published_runs_have_the_papers_settings() -> None:
    """Batch, learning rate, epochs and mask of the paper."""
    cfg = Config.fromfile(
        REPO / 'configs/pretrain/lmim/lmim_vit-small_8xb64-10e_union14m-u.py')
    assert cfg.optim_wrapper.optimizer.lr == pytest.approx(3e-4)
    assert tuple(cfg.optim_wrapper.optimizer.betas) == (0.9, 0.95)
    assert cfg.optim_wrapper.optimizer.weight_decay == 0.05
    assert cfg.train_dataloader.batch_size * 8 == 512
    assert cfg.auto_scale_lr.base_batch_size == 512
    assert cfg.train_cfg.max_epochs == 10
    assert cfg.model.backbone.mask == dict(type='RandomMasking', ratio=0.8)
    cfg = Config.fromfile(
        REPO / 'configs/pretrain/mae/mae_vit-small_8xb128-20e_union14m-u.py')
    assert cfg.optim_wrapper.optimizer.lr == pytest.approx(6e-4)
    assert cfg.train_dataloader.batch_size * 8 == 1024
    assert cfg.train_cfg.max_epochs == 20
    assert [s.end for s in cfg.param_scheduler if 'end' in s] == [2]
    cfg = Config.fromfile(
        REPO / 'configs/textrecog/lmim/lmim_vit-small_8xb64-10e_union14m-l.py')
    assert cfg.optim_wrapper.optimizer.lr == pytest.approx(2e-4)
    assert tuple(cfg.optim_wrapper.optimizer.betas) == (0.9, 0.999)
    assert cfg.model.decoder.max_seq_len == 25
    assert cfg.train_dataloader.dataset.pipeline[1].num_views == 2
    assert len(cfg.test_dataloader.dataset.datasets) == 6 + 7
