"""Stopping at losses that are not finite."""
from pathlib import Path

import pytest
import torch
from engine_dummies import make_cfg
from mmengine.hooks import Hook
from mmengine.runner import Runner
from mmocr.structures import TextRecogDataSample

from lmim.engine.hooks.loss_check_hook import batch_names
from lmim.utils.errors import UserError


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


def test_names_of_batches() -> None:
    samples = [TextRecogDataSample(metainfo=dict(img_path=f'{i}.jpg'))
               for i in range(2)]
    assert batch_names(dict(data_samples=samples), None) == ['0.jpg', '1.jpg']
    # Without a description, and of a batch that tells nothing.
    batch = dict(data_samples=torch.tensor([3, 4]))
    assert batch_names(batch, object()) == ['picture 3', 'picture 4']
    assert batch_names([torch.zeros(2)], object()) == []
