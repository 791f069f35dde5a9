"""Every config loads, builds and runs a step, with the data it names."""
import gc
import re
from pathlib import Path
from typing import Any, Iterator

import pytest
import torch
from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.runner import Runner

from lmim.checkpoints.config_text import dicts_in
from lmim.datasets.known_sets import read_config
from lmim.models.backbones import TextViT
from tests.checkpoints.tiny import write_encoder
from tests.documents import CONFIGS, REPO
from tests.lay_data import LABELS, lay_loader

#: Comparisons are run by tests/comparison/test_compare.py, but for those of
#: widths, which are runs.
RUNS = [path for path in CONFIGS if path.parent.name != 'comparison']


class StopAfterEpoch(Hook):
    """Ends training after the first of the config's epochs."""

    def after_train_epoch(self, runner: Runner) -> None:
        runner.train_loop.stop_training = True


def shrink(cfg: Config) -> None:
    """One block of each part, in its own width; short words; two test sets."""
    for part in dicts_in(cfg.model):
        # A refinement by the layer before needs one.
        layers = 2 if 'refinement' in part else 1
        for name, most in (('n_layers', 1), ('num_layers', layers),
                           ('frozen_stages', 1),
                           ('max_seq_len', 12)):
            if name in part:
                part[name] = min(part[name], most)
        if 'taps' in part:
            part['taps'] = [1] * len(part['taps'])
    tested = cfg.get('test_dataloader', {}).get('dataset', {})
    if 'datasets' in tested:
        tested.datasets = tested.datasets[:2]
        cfg.test_evaluator.dataset_prefixes = (
            cfg.test_evaluator.dataset_prefixes[:2])


def lay_dictionary(cfg: Config, root: Path) -> None:
    """Write the dictionary where a config expects one made of its labels."""
    dictionary = cfg.model.get('decoder', {}).get('dictionary', {})
    path = Path(dictionary.get('dict_file', '/'))
    if root in path.parents:
        path.write_text('\n'.join(sorted(set(''.join(LABELS)))))


@pytest.fixture
def free_memory() -> Iterator[None]:
    """Drop the model of a run, which is part of reference cycles."""
    yield
    gc.collect()


@pytest.mark.usefixtures('free_memory')
@pytest.mark.parametrize(
    'path', RUNS, ids=[path.stem for path in RUNS])
def test_config_runs(path: Path, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setenv('LMIM_DATA_ROOT', str(tmp_path))
    monkeypatch.setattr(TextViT, 'arch_zoo', {
        name: dict(arch, num_layers=1)
        for name, arch in TextViT.arch_zoo.items()
    })
    cfg = read_config(str(path))
    assert cfg.default_scope == 'mmocr'
    shrink(cfg)
    if 'target_generator' in cfg.model and 'checkpoint' in (
            cfg.model.target_generator):
        cfg.model.target_generator.checkpoint = write_encoder(
            cfg.model.target_generator.encoder, tmp_path / 'teacher.pth')
    # In other recognizers than the paper's it is within a feature map.
    vit = cfg.model.backbone.get('vit', cfg.model.backbone)
    if isinstance(vit.get('init_cfg'), dict):
        vit.init_cfg.checkpoint = write_encoder(vit, tmp_path / 'encoder.pth')
    for name in ('train_dataloader', 'val_dataloader', 'test_dataloader'):
        if cfg.get(name):
            lay_loader(cfg[name].dataset)
            cfg[name].update(
                batch_size=2, num_workers=0, persistent_workers=False)
            if 'epoch_length' in cfg[name].sampler:
                cfg[name].sampler.epoch_length = 8
    lay_dictionary(cfg, tmp_path)
    # A file of a gigabyte for each step of a ViT-B would be too much.
    cfg.default_hooks.checkpoint.interval = -1
    cfg.work_dir = str(tmp_path / 'work')
    cfg.experiment_name = path.stem
    cfg.log_level = 'WARNING'

    runner = Runner.from_cfg(cfg)
    runner.register_hook(StopAfterEpoch())
    encoder = getattr(runner.model.backbone, 'vit', runner.model.backbone)
    after = (encoder.layers[0].attn.qkv.weight if hasattr(encoder, 'layers')
             else next(encoder.parameters()))
    before = after.detach().clone()
    runner.train()
    assert not torch.equal(before, after) and after.isfinite().all()
    if cfg.get('test_dataloader'):
        metrics = runner.test()
        prefixes = cfg.test_evaluator.dataset_prefixes
        for prefix in prefixes:
            # The Chinese protocol has a metric of its own.
            found = [value for key, value in metrics.items() if re.match(
                rf'{prefix}/recog/word_acc(_ignore_case_symbol)?$', key)]
            assert found and all(0 <= value <= 1 for value in found)


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
        REPO / 'configs/textrecog/transformer' /
        'transformer_vit-small_8xb64-10e_union14m-l.py')
    assert cfg.optim_wrapper.optimizer.lr == pytest.approx(2e-4)
    assert tuple(cfg.optim_wrapper.optimizer.betas) == (0.9, 0.999)
    assert cfg.model.decoder.max_seq_len == 25
    assert cfg.train_dataloader.dataset.pipeline[1].num_views == 2
    assert len(cfg.test_dataloader.dataset.datasets) == 6 + 7
