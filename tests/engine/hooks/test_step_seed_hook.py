"""Seeds of iterations."""
import random
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from lmim.datasets.transforms.seed import SetSampleSeed
from lmim.engine.hooks import StepSeedHook


class _Masks(nn.Module):

    def seed_masks(self, seed: int, rank: int, world_size: int) -> None:
        self.given = (seed, rank, world_size)


def _runner(**changes: int) -> SimpleNamespace:
    facts = dict(seed=3, rank=0, world_size=2, iter=10, epoch=4)
    return SimpleNamespace(
        model=nn.Sequential(nn.Linear(1, 1), _Masks()), **{
            **facts,
            **changes
        })


def _draw(runner: SimpleNamespace) -> tuple:
    StepSeedHook().before_train_iter(runner, 0)
    return (torch.rand(1).item(), np.random.rand(), random.random())


@pytest.mark.parametrize('change', [
    {}, dict(seed=4), dict(rank=1), dict(iter=11), dict(seed=10, iter=3)
])
def test_only_the_same_iteration_draws_the_same(change: dict) -> None:
    first, second = _draw(_runner()), _draw(_runner(**change))
    assert first == second if not change else set(first).isdisjoint(second)


def test_masks_get_one_seed_on_all_processes() -> None:
    one, two, later = _runner(), _runner(rank=1), _runner(iter=11)
    for runner in (one, two, later):
        StepSeedHook().before_train_iter(runner, 0)
    seed = one.model[1].given[0]
    assert one.model[1].given == (seed, 0, 2)
    assert two.model[1].given == (seed, 1, 2)
    assert later.model[1].given[0] != seed


def test_pipelines_learn_the_epoch_and_the_seed() -> None:
    before = SetSampleSeed.get_epoch()
    StepSeedHook().before_train_epoch(_runner(epoch=before + 7, seed=9))
    assert SetSampleSeed.get_epoch() == before + 7
    assert SetSampleSeed().run_seed.seed == 9
    SetSampleSeed.set_epoch(0)
    SetSampleSeed.set_seed(0)
