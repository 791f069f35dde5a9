"""Workers, forked and spawned: the same data, and what they report."""
import functools
import json
import re

import pytest
import torch
from mmengine.logging import MMLogger
from mmocr.utils import register_all_modules
from torch.utils.data import DataLoader

from lmim.datasets import TextImageDataset, TooManyUnreadableError
from lmim.datasets.transforms.seed import RUN_SEED
from lmim.datasets.unreadable import UnreadableRecords
from tests.datasets.make_lmdb import make_lmdb, picture

PRETRAIN = [
    dict(type='SetSampleSeed'),
    dict(type='GuidanceView', level='medium'),
    dict(type='Resize', scale=(128, 32)),
    dict(type='PackPretrainInputs'),
]


@pytest.fixture(autouse=True)
def reset_run():
    register_all_modules()
    yield
    RUN_SEED.epoch = RUN_SEED.seed = 0


@pytest.fixture
def log_file(tmp_path):
    """The log file of a run, as MMEngine's runner would make it."""
    path = tmp_path / 'run.log'
    name = f'test_{tmp_path.name}'
    MMLogger.get_instance(name, logger_name='mmengine', log_file=str(path))
    yield path
    del MMLogger._instance_dict[name]


@pytest.fixture
def mixed_lmdb(tmp_path):
    """40 pictures of noise, of which the 6th and the 31st are broken."""
    images = [picture(i) for i in range(40)]
    images[5], images[30] = b'broken', b''
    return make_lmdb(tmp_path / 'mixed', images)


def two_epochs(dataset, num_workers, **kwargs):
    """Views and indices of two epochs, with one loader."""
    loader = DataLoader(
        dataset,
        batch_size=8,
        num_workers=num_workers,
        persistent_workers=num_workers > 0,
        **kwargs)
    epochs = []
    for epoch in range(2):
        RUN_SEED.epoch = epoch
        batches = list(loader)
        epochs.append((torch.cat([b['inputs'][0] for b in batches]),
                       torch.cat([b['inputs'][1] for b in batches]),
                       torch.cat([b['data_samples'] for b in batches])))
    return epochs


@functools.lru_cache(maxsize=None)
def _alone(path):
    return two_epochs(TextImageDataset(path, pipeline=PRETRAIN), 0)


@pytest.mark.parametrize('num_workers, context', [(1, 'fork'), (2, 'fork'),
                                                  (1, 'spawn')])
def test_workers_change_nothing_and_report(mixed_lmdb, log_file, num_workers,
                                           context):
    dataset = TextImageDataset(mixed_lmdb, pipeline=PRETRAIN)
    # Open in the main process before workers start: they must open it anew.
    assert dataset[0]['data_samples'] == 0
    epochs = two_epochs(dataset, num_workers, multiprocessing_context=context)
    for seen, wanted in zip(epochs, _alone(mixed_lmdb)):
        for one, other in zip(seen, wanted):
            assert torch.equal(one, other)
    img, guidance, indices = epochs[0]
    assert img.shape == guidance.shape == (40, 3, 32, 128)
    assert img.dtype == guidance.dtype == torch.uint8
    assert indices.dtype == torch.int64
    # The masked branch sees the same picture again, the guidance another.
    kept = indices == epochs[1][2]
    assert kept.sum() >= 38
    assert torch.equal(img[kept], epochs[1][0][kept])
    changed = (guidance != epochs[1][1]).flatten(1).any(dim=1)
    assert changed.sum() > 30
    # The main process knows what its workers met, and the log file too.
    assert dataset.num_unreadable == 2
    names = [f'{mixed_lmdb} image-{i:09d}' for i in (6, 31)]
    assert dataset.unreadable.listed() == {5, 30}
    text = log_file.read_text()
    for name in names:
        assert 1 <= text.count(f'Unreadable record skipped: {name}') <= 2
    assert 'WARNING' in text
    lines = [json.loads(line) for line in (
        log_file.parent / 'unreadable.jsonl').read_text().splitlines()]
    assert sorted({line['name'] for line in lines}) == names
    assert {line['reason'] for line in lines} == {
        'its 6 bytes are no image that OpenCV can decode; they begin with '
        "b'broken'", 'no bytes'}
    assert 2 <= len(lines) <= 4


def bad_lmdb(path, number, bad):
    images = [b'bad' if i % bad == 1 else picture(1) for i in range(number)]
    return make_lmdb(path, images)


def test_the_limit_holds_over_all_workers(tmp_path, log_file):
    """A thirtieth of the records, in two workers; 1 % is allowed."""
    path = bad_lmdb(tmp_path / 'bad', 600, 30)
    dataset = TextImageDataset(path, pipeline=PRETRAIN[2:])
    loader = DataLoader(dataset, batch_size=10, num_workers=2)
    batches = iter(loader)
    with pytest.raises(TooManyUnreadableError) as error:
        for _ in batches:
            pass
    # The other worker may be in the middle of a batch: counted, not yet named.
    batches._shutdown_workers()
    # Neither worker has met ten of them alone.
    message = str(error.value)
    assert dataset.num_unreadable < 20
    assert re.search(r'1\d of \d+ reads met an unreadable record .* 1\d '
                     'different ones; max_unreadable=0.01', message)
    assert f'For example: {path} image-000000002; {path} image-000000032' in (
        message)
    lines = (log_file.parent / 'unreadable.jsonl').read_text().splitlines()
    names = {json.loads(line)['name'] for line in lines}
    assert names == {
        dataset.describe(i) for i in dataset.unreadable.listed()}


def test_chance_does_not_stop_a_set_within_the_limit():
    """0.9 % of reads fail, in some stretches more than 1 %."""
    for seed in range(4):
        unreadable = UnreadableRecords(0.01)
        order = torch.randperm(
            2000, generator=torch.Generator().manual_seed(seed))
        for index in order.tolist() * 2:
            unreadable.count_read()
            if index < 18:
                unreadable.report(index, ValueError('bad'), str)
    unreadable = UnreadableRecords(0.01)
    for index in range(9):  # ten different ones are tolerated in any case
        unreadable.count_read()
        unreadable.report(index, ValueError('bad'), str)
    unreadable.count_read()
    with pytest.raises(TooManyUnreadableError, match='10 of 10 reads'):
        unreadable.report(9, ValueError('bad'), str)
