"""LeanSampler deals what MMEngine's DefaultSampler deals."""
import tracemalloc

import pytest
from mmengine.dataset import DefaultSampler

from lmim.datasets.samplers import LeanSampler, lean_sampler


@pytest.mark.parametrize('shuffle', [True, False])
@pytest.mark.parametrize('round_up', [True, False])
@pytest.mark.parametrize('count, rank, processes', [
    (100, 0, 1), (103, 2, 3), (2, 4, 5), (7, 1, 2)])
def test_the_order_is_that_of_mmengine(monkeypatch, shuffle, round_up, count,
                                       rank, processes):
    monkeypatch.setattr(lean_sampler, 'CHUNK', 4)
    monkeypatch.setattr('mmengine.dataset.sampler.get_dist_info',
                        lambda: (rank, processes))
    samplers = [kind(range(count), shuffle=shuffle, seed=3,
                     round_up=round_up)
                for kind in (DefaultSampler, LeanSampler)]
    for epoch in (0, 1):
        theirs, ours = ([*sampler] for sampler in samplers)
        assert ours == theirs and len(ours) == len(samplers[1])
        for sampler in samplers:
            sampler.set_epoch(epoch + 1)


def test_no_object_for_each_record():
    def peak(kind):
        sampler = kind(range(2 * 10**5), seed=0)
        tracemalloc.start()
        next(iter(sampler))
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found

    assert peak(LeanSampler) < 2e6 < 6e6 < peak(DefaultSampler)
