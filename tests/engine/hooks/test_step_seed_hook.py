"""Seeds of iterations."""
import random
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from lmim.engine.hooks import StepSeedHook


def _draw(**changes: int) -> tuple:
    facts = dict(seed=3, rank=0, world_size=2, iter=10, epoch=4)
    runner = SimpleNamespace(model=nn.Linear(1, 1), **{**facts, **changes})
    StepSeedHook().before_train_iter(runner, 0)
    return (torch.rand(1).item(), np.random.rand(), random.random())


@pytest.mark.parametrize('change', [
    {}, dict(seed=4), dict(rank=1), dict(iter=11), dict(seed=10, iter=3)
])
def test_only_the_same_iteration_draws_the_same(change: dict) -> None:
    first, second = _draw(), _draw(**change)
    assert first == second if not change else set(first).isdisjoint(second)
