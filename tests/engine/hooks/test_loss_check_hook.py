"""Stopping at losses that are not finite."""
from pathlib import Path

import pytest
import torch
from engine_dummies import make_cfg, weights
from mmengine.hooks import Hook
from mmengine.runner import Runner
from mmocr.structures import TextRecogDataSample

from lmim.engine.hooks.loss_check_hook import batch_names
from lmim.utils.errors import UserError
from tests.tool_runs import log_of


class _Poison(Hook):
    """What an infinite gradient under a finite loss leaves behind."""

    def after_train_iter(self, runner: Runner, *args, **kwargs) -> None:
        if runner.iter == 2:
            with torch.no_grad():
                runner.model.layers[0].weight.fill_(float('inf'))


def test_weights_that_are_not_finite_are_not_saved(tmp_path: Path) -> None:
    runner = Runner.from_cfg(make_cfg(tmp_path))
    runner.register_hook(_Poison())
    with pytest.raises(UserError, match='layers.0.weight the first'):
        runner.train()
    assert sorted(p.name for p in tmp_path.glob('*.pth')) == [
        'iter_1.pth', 'iter_2.pth'
    ]


class _BadGradients(Hook):
    """Gradients that are not finite, in the updates of these numbers."""

    def __init__(self, *updates: int) -> None:
        self.updates = updates

    def before_train(self, runner: Runner) -> None:
        runner.model.layers[0].weight.register_hook(
            lambda gradient: gradient * (
                float('nan') if runner.iter + 1 in self.updates else 1))


def test_an_update_is_left_out_where_asked_for(
        tmp_path: Path) -> None:
    hooks = dict(loss_check=dict(type='LossCheckHook', skip=1))
    runner = Runner.from_cfg(make_cfg(tmp_path, max_keep_ckpts=-1,
                                      hooks=hooks))
    runner.register_hook(_BadGradients(3, 5))
    runner.train()
    one, two, three, four, five = (
        weights(tmp_path / f'iter_{n}.pth') for n in range(1, 6))
    for name, value in two.items():
        assert torch.equal(value, three[name]), name
        assert torch.equal(four[name], five[name]), name
        assert not torch.equal(value, one[name]), name
        assert not torch.equal(value, four[name]), name
    log = log_of(tmp_path)
    assert 'The gradients of this loss are not finite: ' in log
    assert '2 were left out in all, and 2 in a row end the run' in log

    runner = Runner.from_cfg(make_cfg(tmp_path / 'on', 'on', hooks=hooks))
    runner.register_hook(_BadGradients(3, 4))
    with pytest.raises(UserError, match='gradients of this loss .*tion 4 '):
        runner.train()


def test_names_of_batches() -> None:
    samples = [TextRecogDataSample(metainfo=dict(img_path=f'{i}.jpg'))
               for i in range(2)]
    assert batch_names(dict(data_samples=samples), None) == ['0.jpg', '1.jpg']
    # Without a description, and of a batch that tells nothing.
    batch = dict(data_samples=torch.tensor([3, 4]))
    assert batch_names(batch, object()) == ['picture 3', 'picture 4']
    assert batch_names([torch.zeros(2)], object()) == []
