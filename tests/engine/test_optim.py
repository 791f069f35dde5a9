"""Mixed precision and parameter groups."""
from pathlib import Path
from typing import Any

import pytest
import torch
from engine_dummies import make_cfg, train, weights
from mmengine.config import Config
from mmengine.optim import build_optim_wrapper
from mmengine.registry import DefaultScope

from lmim.engine.optim import BF16OptimWrapper
from lmim.engine.launch import set_precision
from tests.models.conftest import ENCODER, LMIM, build


def test_bf16_on_the_cpu(tmp_path: Path) -> None:
    full = train(make_cfg(tmp_path / 'fp32'))
    cfg = make_cfg(tmp_path / 'bf16')
    cfg.optim_wrapper.clip_grad = dict(max_norm=10.)
    set_precision(cfg, 'bf16')
    mixed = train(cfg)
    assert isinstance(mixed.optim_wrapper, BF16OptimWrapper)
    assert (full.model.dtype, mixed.model.dtype) == (torch.float32,
                                                     torch.bfloat16)
    for name, value in weights(mixed).items():
        assert value.dtype is torch.float32
        assert not torch.equal(value, weights(full)[name])
        torch.testing.assert_close(
            value, weights(full)[name], rtol=0.05, atol=0.02)


def test_bf16_and_fp32_resume_each_other(tmp_path: Path) -> None:
    train(make_cfg(tmp_path, epochs=2))
    cfg = make_cfg(tmp_path, 'bf16')
    set_precision(cfg, 'bf16')
    cfg.resume, cfg.load_from = True, str(tmp_path / 'iter_4.pth')
    assert train(cfg).iter == 8


@pytest.mark.parametrize('schedule, betas, rate', [
    ('pretrain_adamw_cosine', (0.9, 0.95), 3e-4),
    ('finetune_adamw_cosine', (0.9, 0.999), 2e-4),
])
def test_schedules_decay_as_mae_does(repo: Path, schedule: str, betas: tuple,
                                     rate: float) -> None:
    cfg = Config.fromfile(
        str(repo / 'configs' / '_base_' / 'schedules' / f'{schedule}.py'))
    model = build(LMIM)
    with DefaultScope.overwrite_default_scope('mmocr'):
        wrapper = build_optim_wrapper(model, cfg.optim_wrapper)
    groups = wrapper.optimizer.param_groups
    assert len(groups) == 2 and list(wrapper.get_lr()) == ['lr']
    names = {id(p): n for n, p in model.named_parameters()}
    decay = {
        names[id(p)]: group['weight_decay']
        for group in groups for p in group['params']
    }
    # timm's and MAE's rule: none for 1-D tensors, whatever they are called.
    assert decay == {name: 0.05 if p.ndim > 1 else 0.
                     for name, p in model.named_parameters()
                     if p.requires_grad}
    for group in groups:
        assert group['lr'] == pytest.approx(rate)
        assert group['betas'] == betas


@pytest.mark.parametrize('paramwise', [None, dict(flat_decay_mult=0.)])
def test_learned_frequencies_do_not_decay(paramwise: Any) -> None:
    model = build(ENCODER, rotary=dict(type='MixedRotary'))
    with DefaultScope.overwrite_default_scope('mmocr'):
        wrapper = build_optim_wrapper(model, dict(
            constructor='GroupedOptimWrapperConstructor',
            optimizer=dict(type='AdamW', lr=1e-3, weight_decay=0.05),
            paramwise_cfg=paramwise))
    decay = {p: group['weight_decay'] for group
             in wrapper.optimizer.param_groups for p in group['params']}
    named = dict(model.named_parameters())
    assert decay[named['rotary.freqs']] == 0
    assert decay[named['layers.0.attn.qkv.weight']] == 0.05


@pytest.mark.parametrize('epochs', [2, 3])
def test_schedule_warms_up_then_falls_to_zero(tmp_path: Path, repo: Path,
                                              epochs: int) -> None:
    schedule = Config.fromfile(
        str(repo / 'configs/_base_/schedules/pretrain_adamw_cosine.py'))
    cfg = make_cfg(tmp_path, epochs=epochs, interval=100)
    cfg.param_scheduler = schedule.param_scheduler
    runner = train(cfg)
    rates = runner.message_hub.get_scalar('train/lr').data[0]
    steps = torch.arange(4) / 3
    warm_up = 1e-2 * (1e-4 + (1 - 1e-4) * steps)
    torch.testing.assert_close(
        torch.from_numpy(rates[:4]).float(), warm_up, rtol=1e-5, atol=0)
    total = 4 * (epochs - 1)
    cosine = 5e-3 * (1 + torch.cos(torch.pi * torch.arange(total) / total))
    torch.testing.assert_close(
        torch.from_numpy(rates[4:]).float(), cosine, rtol=1e-4, atol=1e-9)


def test_a_compiled_run_ends_with_the_same_weights(tmp_path: Path) -> None:
    """MMEngine's groups of parameters are ConfigDicts, which do not trace."""
    runs = []
    for compiled in (False, dict(backend='eager')):
        cfg = make_cfg(tmp_path / str(bool(compiled)), epochs=1,
                       model=dict(dropout=0.))
        cfg.optim_wrapper.update(
            constructor='GroupedOptimWrapperConstructor',
            paramwise_cfg=dict(flat_decay_mult=0.))
        cfg.param_scheduler = None
        cfg.compile = compiled
        runs.append(train(cfg))
    assert all(type(group) is dict
               for group in runs[1].optim_wrapper.optimizer.param_groups)
    for name, value in weights(runs[0]).items():
        torch.testing.assert_close(weights(runs[1])[name], value)
