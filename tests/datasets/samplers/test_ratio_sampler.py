"""Mixing by ratio: exact, without overlap, the same again on resume."""
from collections import Counter

import numpy as np
import pytest
import torch
from mmocr.registry import DATASETS
from mmocr.utils import register_all_modules
from torch.utils.data import ConcatDataset, DataLoader

from lmim.datasets import RatioSampler, SetSampleSeed, TextImageDataset
from lmim.datasets.samplers import ratio_sampler as module
from tests.datasets.make_lmdb import make_lmdb, picture

SIZES = (60, 30, 10)


class Numbers(torch.utils.data.Dataset):
    """Gives its indices."""

    def __init__(self, size):
        self.size = size

    def __len__(self):
        return self.size

    def __getitem__(self, index):
        return index


def joined(*sizes):
    return ConcatDataset([Numbers(size) for size in sizes])


def parts_of(indices, sizes=SIZES):
    """Indices within each part."""
    ends = torch.tensor(sizes).cumsum(0)
    parts = torch.bucketize(torch.tensor(indices), ends, right=True).tolist()
    return [[index - int(ends[part]) + sizes[part]
             for index, its in zip(indices, parts) if its == part]
            for part in range(len(sizes))]


def epoch(sampler, number):
    sampler.set_epoch(number)
    return list(sampler)


def ranks(monkeypatch, world_size, *args, **kwargs):
    """The samplers of all processes."""
    samplers = []
    for rank in range(world_size):
        monkeypatch.setattr(module, 'get_dist_info',
                            lambda rank=rank: (rank, world_size))
        samplers.append(RatioSampler(*args, seed=3, **kwargs))
    return samplers


@pytest.mark.parametrize('ratios, length, counts', [
    ([5, 3, 2], None, [50, 30, 20]),
    ([.1, .2, .7], 1000, [100, 200, 700]),
    ([1, 1, 1], 100, [34, 33, 33]),
    ([0, 1, 3], 8, [0, 2, 6]),
    (None, None, [60, 30, 10]),
    (None, 10, [6, 3, 1]),
])
def test_proportions_are_exact(ratios, length, counts):
    sampler = RatioSampler(joined(*SIZES), ratios, epoch_length=length, seed=0)
    for number in range(3):
        drawn = epoch(sampler, number)
        assert len(drawn) == len(sampler) == sum(counts)
        assert [len(part) for part in parts_of(drawn)] == counts
        if (ratios, length) == (None, None):  # an epoch is the set
            assert sorted(drawn) == list(range(100)) != drawn


def test_an_empty_part_may_be_left_out():
    sampler = RatioSampler(joined(5, 0, 2), [1, 0, 1], seed=0, epoch_length=4)
    assert sampler.quotas == [2, 0, 2] and len(list(sampler)) == 4


def test_each_part_is_gone_through_pass_after_pass():
    """20 of 60, 30 of 30 and 50 of 10 an epoch; 3 epochs."""
    sampler = RatioSampler(joined(*SIZES), [2, 3, 5], seed=0)
    epochs = [parts_of(epoch(sampler, number)) for number in range(3)]
    for part, size in enumerate(SIZES):
        row = [index for drawn in epochs for index in drawn[part]]
        passes = [row[i:i + size] for i in range(0, len(row), size)]
        for one in passes:
            assert sorted(one) == list(range(size))
            assert one != sorted(one)
        assert len({tuple(one) for one in passes}) == len(passes)


@pytest.mark.parametrize('ratios', [[1, 1, 1], [1, 5, 94], None])
def test_every_stretch_has_the_mix(ratios):
    sampler = RatioSampler(
        joined(*SIZES), ratios, epoch_length=1000, seed=1)
    drawn = epoch(sampler, 0)
    shares = [quota / 1000 for quota in sampler.quotas]
    for begin in range(0, 1000, 50):
        counts = map(len, parts_of(drawn[begin:begin + 50]))
        for count, share in zip(counts, shares):
            assert abs(count - 50 * share) <= 2
    # Random all the same: no part has one place in each of its spans.
    spans = {tuple(map(len, parts_of(drawn[begin:begin + 7])))
             for begin in range(0, 994, 7)}
    assert len(spans) > 3


@pytest.mark.parametrize('world_size, length', [(2, 100), (3, 100), (4, 3)])
def test_processes_share_an_epoch(monkeypatch, world_size, length):
    whole = ranks(monkeypatch, 1, joined(*SIZES), [1, 2, 3],
                  epoch_length=length)[0]
    samplers = ranks(monkeypatch, world_size, joined(*SIZES), [1, 2, 3],
                     epoch_length=length)
    for number in range(2):
        drawn = [epoch(sampler, number) for sampler in samplers]
        assert {len(one) for one in drawn} == {len(samplers[0])}
        order = [index for step in zip(*drawn) for index in step]
        expected = epoch(whole, number)
        # Only the end is filled up, with the beginning.
        assert order[:length] == expected
        assert order[length:] == (expected * 2)[:len(order) - length]
        assert len(order) - length < world_size


def test_order_depends_on_seed_and_epoch_alone():
    dataset = joined(*SIZES)
    one = RatioSampler(dataset, [1, 1, 1], seed=5)
    for number in range(4):
        epoch(one, number)
    again = RatioSampler(dataset, [1, 1, 1], seed=5)
    assert epoch(again, 3) == list(one)
    other = RatioSampler(dataset, [1, 1, 1], seed=6)
    assert epoch(other, 3) != list(one)
    # A loop may set the seed of the run that it resumes.
    other.seed = 5
    assert list(other) == list(one)


def test_unshuffled_parts_keep_their_order():
    sampler = RatioSampler(joined(4, 2), [1, 1], shuffle=False, seed=0,
                           epoch_length=6)
    assert epoch(sampler, 0) == [0, 4, 1, 5, 2, 4]
    assert epoch(sampler, 1) == [3, 5, 0, 4, 1, 5]


def test_paths_of_our_dataset_and_of_mmocrs_joined_ones(tmp_path):
    register_all_modules()
    paths = [make_lmdb(tmp_path / name, [picture(value)] * 4)
             for value, name in ((10, 'a'), (20, 'b'))]
    one = TextImageDataset(paths)
    many = DATASETS.build(dict(
        type='ConcatDataset',
        datasets=[dict(type='TextImageDataset', paths=path)
                  for path in paths]))
    for dataset in (one, many):
        sampler = RatioSampler(dataset, [3, 1], seed=0)
        assert [part.name for part in sampler.parts] == paths
        values = [int(dataset[index]['img'][0, 0, 0]) for index in sampler]
        assert Counter(values) == {10: 6, 20: 2}


@pytest.mark.parametrize('workers', [0, 1])
@pytest.mark.parametrize('nested', [False, True])
def test_what_is_drawn_again_is_drawn_otherwise(tmp_path, nested, workers):
    """Within an epoch too: a small set is not the same few pictures."""
    register_all_modules()
    parts = [dict(
        type='TextImageDataset',
        paths=make_lmdb(tmp_path / name, [picture(1)] * 3),
        pipeline=[SetSampleSeed(seed=1), lambda results: (
            results['img_path'], np.random.random())]) for name in 'xy']
    dataset = DATASETS.build(dict(
        type='ConcatDataset', datasets=parts) if nested else parts[0])
    sampler = RatioSampler(dataset, epoch_length=15, seed=0)

    def draws():
        return [one for batch in DataLoader(
            dataset, 4, sampler=sampler, num_workers=workers,
            multiprocessing_context='fork' if workers else None,
            collate_fn=list) for one in batch]

    found = draws()
    assert len(found) == len(set(found)) == 15 and draws() == found
    # The first time is as if it were the only one, as with any sampler.
    first = dict(reversed(found))
    assert [dataset[index] for index in range(len(dataset))] == sorted(
        first.items())
    turns = Counter(getattr(index, 'turn', 0) for index in sampler)
    assert turns == Counter({0: 6, 1: 6, 2: 3} if nested else
                            {0: 3, 1: 3, 2: 3, 3: 3, 4: 3})


@pytest.mark.parametrize('sizes, kwargs, message', [
    (SIZES, dict(ratios=[1, 2]), r'(?s)2 ratios for 3 part\(s\).*Numbers '
     r'\(60 records\).*Numbers \(10 records\)'),
    (SIZES, dict(ratios=[1, -1, 2]), r'ratios=\[1, -1, 2\]: give numbers'),
    (SIZES, dict(ratios=[0, 0, 0]), 'at least one of them above 0'),
    (SIZES, dict(ratios=[1, float('nan'), 0]), 'give numbers from 0 on'),
    (SIZES, dict(ratios=[1, float('inf'), 0]), 'give numbers from 0 on'),
    ((5, 0), dict(ratios=[1, 1]), 'Numbers has no records to draw'),
    (SIZES, dict(ratios=[1, 1, 1e-6]), 'none of the 100 records of an epoch'),
    (SIZES, dict(epoch_length=0), 'epoch_length is 0. Give 1 or more'),
])
def test_ratios_that_make_no_sense(sizes, kwargs, message):
    with pytest.raises(ValueError, match=message):
        RatioSampler(joined(*sizes), seed=0, **kwargs)
