import random

import imgaug
import numpy as np
import pytest
import torch

from lmim.datasets import SetSampleSeed
from lmim.datasets.transforms.seed import RUN_SEED, mix


@pytest.fixture(autouse=True)
def reset_run_seed():
    """Other tests of this process train, which sets both."""
    RUN_SEED.epoch = RUN_SEED.seed = 0
    yield
    RUN_SEED.epoch = RUN_SEED.seed = 0


def draws(transform, index):
    results = transform(dict(sample_idx=index))
    assert results == dict(sample_idx=index)
    return (random.random(), np.random.rand(), float(torch.rand(())),
            imgaug.random.get_global_rng().random(1).item())


def test_draws_depend_on_seed_epoch_and_index_only():
    transform = SetSampleSeed(seed=3)
    first = draws(transform, 5)
    np.random.rand(7)
    torch.rand(7)
    assert draws(transform, 5) == first
    others = [draws(transform, 6), draws(SetSampleSeed(seed=4), 5)]
    RUN_SEED.epoch = 1
    others.append(draws(transform, 5))
    for other in others:
        assert all(a != b for a, b in zip(first, other))
    RUN_SEED.epoch = 0
    assert draws(transform, 5) == first


def test_seed_of_the_run_is_the_default():
    RUN_SEED.seed = 9
    assert draws(SetSampleSeed(), 2) == draws(SetSampleSeed(seed=9), 2)


def test_without_index_it_refuses():
    with pytest.raises(KeyError, match='must be the first transform'):
        SetSampleSeed()(dict(img=None))


def test_mix_spreads_neighbouring_numbers():
    values = [mix(seed, epoch, index) for seed in range(4)
              for epoch in range(4) for index in range(1000)]
    assert len(set(values)) == len(values)
    assert mix(1, 2) != mix(2, 1)
    bits = np.array([[value >> i & 1 for i in range(64)] for value in values])
    # 16,000 fair coins: standard deviation of the mean 0.004.
    assert np.abs(bits.mean(axis=0) - 0.5).max() < 0.02
    assert all(0 <= value < 2**64 for value in values[:10])
    assert mix(-1) == mix(2**64 - 1)
