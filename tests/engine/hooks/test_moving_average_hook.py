"""Averages move with the optimizer, not with the iterations."""
from types import SimpleNamespace

import pytest
import torch
from engine_dummies import DummyVectors, make_cfg, resumed, train, weights
from mmocr.registry import DATASETS
from torch import nn

from lmim.engine.hooks import MovingAverageHook
from lmim.utils.errors import UserError
from tests.models.conftest import LMIM
from tests.models.test_ccd import CCD
from tests.models.test_dig import DIG
from tests.models.test_ssm import SSM

MODEL = dict(
    type='MIM', backbone=LMIM['backbone'],
    neck=dict(type='MAEDecoder', in_dims=16, out_dims=16, embed_dims=24,
              num_layers=1, num_heads=2, grid=(2, 8)),
    target_generator=dict(type='EMATarget', momentum=0.3))


@DATASETS.register_module()
class DummyPictures(DummyVectors):
    """Noise of the size that the encoder is for."""

    def __getitem__(self, index):
        generator = torch.Generator().manual_seed(index)
        return dict(inputs=torch.rand(3, 8, 32, generator=generator) * 255,
                    data_samples=index)


class _Average(nn.Module):

    def __init__(self):
        super().__init__()
        self.calls = []

    def begin_average(self):
        self.calls.append('begin')

    def move_average(self, step, total_steps):
        self.calls.append((step, total_steps))


@pytest.mark.parametrize('counts, wanted', [
    (1, [(i, 5) for i in range(5)]), (2, [(0, 3), (1, 3), (2, 3)])])
def test_averages_move_after_each_step_of_the_optimizer(counts, wanted):
    average, done = _Average(), []
    runner = SimpleNamespace(
        model=nn.Sequential(nn.Linear(1, 1), average), max_iters=5,
        optim_wrapper=SimpleNamespace(
            _accumulative_counts=counts,
            should_update=lambda: len(done) % counts == 0 or len(done) == 5))
    hook = MovingAverageHook()
    hook.before_train(runner)
    for iteration in range(5):
        runner.iter = iteration
        done.append(iteration)
        hook.after_train_iter(runner, iteration)
    assert average.calls == ['begin', *wanted]


def run_cfg(work_dir, name='run', **hooks):
    return make_cfg(work_dir, name, accumulate=2, model=MODEL,
                    dataset=dict(type='DummyPictures'), hooks=hooks)


def test_a_run_is_resumed_with_its_average(tmp_path):
    """Weights, average and optimizer are those of a run without a break."""
    hook = dict(type='MovingAverageHook')
    runner = train(run_cfg(tmp_path, moving_average=hook))
    name = 'target_generator.encoder.layers.0.attn.qkv.weight'
    begun, moved = (weights(tmp_path / f'iter_{step}.pth')
                    for step in (1, 2))
    # Gradients of two iterations make a step of the optimizer.
    assert torch.equal(begun[name], begun[name.replace(
        'target_generator.encoder', 'backbone')])
    assert not torch.equal(begun[name], moved[name])
    assert weights(runner)['target_generator.steps'] == 1 + 4
    trained = sum(p.requires_grad for p in runner.model.parameters())
    assert len(runner.optim_wrapper.optimizer.state) == trained
    again = train(resumed(run_cfg(tmp_path, 'again', moving_average=hook),
                          tmp_path / 'iter_4.pth'))
    wanted = weights(tmp_path / 'iter_8.pth')
    assert weights(again).keys() == wanted.keys()
    for name, value in weights(again).items():
        assert torch.equal(value, wanted[name]), name


def test_without_the_hook_training_is_refused(tmp_path):
    with pytest.raises(UserError, match='MovingAverageHook'):
        train(run_cfg(tmp_path))


@DATASETS.register_module()
class DummyViews(DummyPictures):
    """Two such views of each."""

    def __getitem__(self, index):
        views = [super(DummyViews, self).__getitem__(number)['inputs']
                 for number in (index, index + 100)]
        regions = torch.zeros(8, 32, dtype=torch.uint8)
        regions[:, 2:12], regions[:, 16:28] = 1, 2
        warp = torch.linspace(-1, 1, 8 * 32 * 3).view(8, 32, 3)
        return dict(inputs=views, data_samples=dict(
            sample_idx=index, glyph_map=regions, guidance_warp=warp))


@pytest.mark.parametrize('model, name', [
    (DIG, 'projector.mlp.fc0.weight'), (SSM, 'projector.mlp.fc0.weight'),
    (dict(CCD, own_regions=0.4), 'projector.prototypes')],
    ids=['dig', 'ssm', 'ccd'])
def test_a_run_is_resumed_with_its_twin(tmp_path, model, name):
    """Weights, batch norms, averages and centre are those without a break."""
    def cfg(name):
        return make_cfg(
            tmp_path, f'{name}_{model["type"]}', model=model,
            dataset=dict(type='DummyViews'),
            hooks=dict(moving_average=dict(type='MovingAverageHook')))

    runner = train(cfg('twin'))
    again = train(resumed(cfg('again'), tmp_path / 'iter_4.pth'))
    wanted = weights(runner)
    center = wanted.get('distillation_head.center')
    assert center is None or center.abs().min() > 0
    assert not torch.equal(wanted[name], wanted[f'ema.module.{name}'])
    assert weights(again).keys() == wanted.keys()
    for name, value in weights(again).items():
        assert torch.equal(value, wanted[name]), name
