"""Mixed precision and parameter groups."""
from pathlib import Path

import pytest
import torch
from engine_dummies import make_cfg, train, weights
from mmengine.config import Config
from mmengine.optim import build_optim_wrapper
from torch import nn

from lmim.engine.optim import BF16OptimWrapper
from lmim.engine.launch import set_precision


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


class _ViTLike(nn.Module):
    """The kinds of parameters that there are in a ViT."""

    def __init__(self) -> None:
        super().__init__()
        self.cls_token = nn.Parameter(torch.zeros(1, 1, 8))
        self.pos_embed = nn.Parameter(torch.zeros(1, 4, 8), False)
        self.attn = nn.MultiheadAttention(8, 2)
        self.norm = nn.LayerNorm(8)
        self.conv = nn.Conv2d(3, 8, 4)


@pytest.mark.parametrize('schedule, betas, rate', [
    ('pretrain_adamw_cosine', (0.9, 0.95), 3e-4),
    ('finetune_adamw_cosine', (0.9, 0.999), 2e-4),
])
def test_schedules_decay_as_mae_does(repo: Path, schedule: str, betas: tuple,
                                     rate: float) -> None:
    cfg = Config.fromfile(
        str(repo / 'configs' / '_base_' / 'schedules' / f'{schedule}.py'))
    model = _ViTLike()
    wrapper = build_optim_wrapper(model, cfg.optim_wrapper)
    groups = wrapper.optimizer.param_groups
    assert len(groups) == 2 and list(wrapper.get_lr()) == ['lr']
    names = {id(p): n for n, p in model.named_parameters()}
    decay = {
        names[id(p)]: group['weight_decay']
        for group in groups for p in group['params']
    }
    # timm's and MAE's rule: none for 1-D tensors.
    assert decay == {
        'cls_token': 0.05,
        'attn.in_proj_weight': 0.05,
        'attn.in_proj_bias': 0.,  # not called 'bias'
        'attn.out_proj.weight': 0.05,
        'attn.out_proj.bias': 0.,
        'norm.weight': 0.,
        'norm.bias': 0.,
        'conv.weight': 0.05,
        'conv.bias': 0.,
    }
    for group in groups:
        assert group['lr'] == pytest.approx(rate)
        assert group['betas'] == betas


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


def test_accumulation_is_a_larger_batch(tmp_path: Path) -> None:
    runners = []
    for number, (batch_size, accumulate) in enumerate([(8, 1), (4, 2)]):
        # The two halves of a batch are two iterations, which would have
        # masks and rates of their own.
        cfg = make_cfg(tmp_path / str(number), batch_size=batch_size,
                       accumulate=accumulate, interval=100,
                       model=dict(dropout=0.),
                       hooks=dict(step_seed=dict(type='IterTimerHook')))
        cfg.param_scheduler = None
        runners.append(train(cfg))
    assert [runner.iter for runner in runners] == [8, 16]
    whole, halves = map(weights, runners)
    for name, value in whole.items():
        torch.testing.assert_close(halves[name], value, rtol=0, atol=1e-6)
