"""The precision follows what the machine is faster in."""
import logging

import pytest
import torch
from mmengine.config import Config
from mmengine.optim import build_optim_wrapper
from torch import nn

from lmim.engine import precision
from lmim.engine.launch import set_precision, set_test_precision
from lmim.engine.precision import choose_precision, warning_of


@pytest.fixture
def speed(monkeypatch):
    """Sets how many seconds the product takes in each dtype."""

    def set_seconds(**seconds: float) -> None:
        monkeypatch.setattr(
            precision, 'product_seconds',
            lambda kind, dtype: seconds[str(dtype).split('.')[1]])

    return set_seconds


@pytest.mark.parametrize('bf16, chosen', [
    (0.1, 'bf16'), (0.8, 'bf16'), (0.81, 'fp32'), (7.5, 'fp32'),
    (float('inf'), 'fp32')])
def test_auto_takes_bf16_where_it_is_faster(speed, bf16, chosen):
    speed(float32=1., bfloat16=bf16)
    found = choose_precision('auto', 'cpu')
    assert found.name == chosen
    assert found.dtype is (torch.bfloat16 if chosen == 'bf16' else None)
    # 2 * 256 * 384 * 1536 operations in a second
    assert f'fp32 0, bf16 {0.302 / bf16:,.0f} GFLOP/s' in found.reason
    assert warning_of(found) is None


def test_bf16_by_name_is_taken_and_warned_of(speed):
    speed(float32=0.001, bfloat16=0.0075)
    found = choose_precision('bf16', 'cpu')
    assert found.name == 'bf16'
    warning = warning_of(found)
    assert 'bf16 takes 7.5 times as long as fp32' in warning
    assert 'fp32 302, bf16 40 GFLOP/s' in warning


@pytest.mark.parametrize('capability, float16, chosen', [
    ((9, 0), 0.1, 'bf16'), ((7, 5), 0.1, 'fp16'), ((5, 0), 1.0, 'fp32')])
def test_gpus_have_bf16_else_fp16_else_fp32(speed, monkeypatch, capability,
                                            float16, chosen):
    speed(float32=1., bfloat16=0.1, float16=float16)
    monkeypatch.setattr(torch.cuda, 'get_device_capability',
                        lambda: capability)
    assert choose_precision('auto', 'cuda').name == chosen


def test_what_no_device_has_is_refused(speed):
    with pytest.raises(ValueError, match='unknown: use one of auto, fp32'):
        choose_precision('bf32')
    with pytest.raises(ValueError, match='fp16 is for GPUs'):
        choose_precision('fp16', 'cpu')
    speed(float32=1., bfloat16=float('inf'))
    with pytest.raises(ValueError, match='cpu has no matrix product in bf16'):
        choose_precision('bf16', 'cpu')
    assert choose_precision('auto', 'cpu').name == 'fp32'
    assert choose_precision('auto', 'meta').name == 'fp32'
    with pytest.raises(ValueError, match='meta has no matrix product'):
        choose_precision('bf16', 'meta')


def test_an_optimizer_in_bf16_warns_with_the_factor(speed, caplog,
                                                    monkeypatch):
    speed(float32=1., bfloat16=7.5)
    said = []
    monkeypatch.setattr(
        'lmim.engine.precision.print_log',
        lambda text, logger, level: said.append((text, level)))
    build_optim_wrapper(nn.Linear(2, 2), dict(
        type='mmocr.BF16OptimWrapper', optimizer=dict(type='SGD', lr=0.1)))
    [(text, level)] = said
    assert 'takes 7.5 times as long' in text and level == logging.WARNING


@pytest.mark.parametrize('bf16, wrapper', [(0.1, 'BF16OptimWrapper'),
                                           (9., 'OptimWrapper')])
@pytest.mark.parametrize('given', ['OptimWrapper', 'AmpOptimWrapper'])
def test_training_keeps_the_other_settings(speed, given, bf16, wrapper):
    speed(float32=1., bfloat16=bf16)
    cfg = Config(dict(optim_wrapper=dict(
        type=given, loss_scale=512., accumulative_counts=4)))
    set_precision(cfg, 'auto')
    assert cfg.optim_wrapper.to_dict() == dict(
        type=wrapper, accumulative_counts=4)


def test_wrappers_without_a_counterpart_are_refused():
    cfg = Config(dict(optim_wrapper=dict(type='ApexOptimWrapper')))
    with pytest.raises(ValueError, match='ApexOptimWrapper'):
        set_precision(cfg, 'auto')


@pytest.mark.parametrize('bf16, enabled', [(0.1, True), (9., False)])
def test_testing_switches_autocast(speed, bf16, enabled):
    speed(float32=1., bfloat16=bf16)
    cfg = Config(dict(test_cfg=dict(type='TestLoop')))
    set_test_precision(cfg, 'auto')
    assert cfg.test_cfg.fp16 is enabled
