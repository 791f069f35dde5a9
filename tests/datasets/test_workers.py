import functools

import pytest
import torch
from make_lmdb import make_lmdb, picture
from mmengine.dataset import pseudo_collate
from mmengine.logging import MMLogger
from mmocr.registry import DATASETS
from mmocr.utils import register_all_modules
from torch.utils.data import DataLoader

from lmim.datasets import SetSampleSeed, UnlabelledTextDataset

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
    SetSampleSeed.set_epoch(0)
    SetSampleSeed.set_seed(0)


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
        SetSampleSeed.set_epoch(epoch)
        batches = list(loader)
        epochs.append((torch.cat([b['inputs'][0] for b in batches]),
                       torch.cat([b['inputs'][1] for b in batches]),
                       torch.cat([b['data_samples'] for b in batches])))
    return epochs


@functools.lru_cache(maxsize=None)
def _alone(path):
    return two_epochs(UnlabelledTextDataset(path, pipeline=PRETRAIN), 0)


@pytest.mark.parametrize('num_workers, context', [(1, 'fork'), (2, 'fork'),
                                                  (1, 'spawn')])
def test_workers_change_nothing_and_report(mixed_lmdb, log_file, num_workers,
                                           context):
    dataset = UnlabelledTextDataset(mixed_lmdb, pipeline=PRETRAIN)
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
    assert dataset.unreadable_names() == names
    text = log_file.read_text()
    for name in names:
        assert 1 <= text.count(f'Unreadable record skipped: {name}') <= 2
    assert 'WARNING' in text


def test_seed_changes_the_views(mixed_lmdb):
    first = _alone(mixed_lmdb)
    SetSampleSeed.set_seed(1)
    second = two_epochs(
        UnlabelledTextDataset(mixed_lmdb, pipeline=PRETRAIN), 0)
    assert not torch.equal(first[0][1], second[0][1])
    kept = first[0][2] == second[0][2]
    assert torch.equal(first[0][0][kept], second[0][0][kept])


def test_labelled_lmdb_in_workers(shared_data):
    dataset = DATASETS.build(
        dict(
            type='LabelledLMDBDataset',
            data_root=str(shared_data / 'rec_toy_dataset'),
            paths='imgs.lmdb',
            pipeline=[
                dict(type='SetSampleSeed'),
                dict(type='LoadOCRAnnotations', with_text=True),
                dict(type='Resize', scale=(128, 32)),
                dict(
                    type='PackTextRecogInputs',
                    meta_keys=('img_path', 'ori_shape', 'img_shape',
                               'valid_ratio')),
            ]))
    loader = DataLoader(
        dataset, batch_size=5, num_workers=2, collate_fn=pseudo_collate)
    samples = [s for batch in loader for s in batch['data_samples']]
    assert [s.gt_text.item for s in samples] == [
        'GRAND', 'HOTEL', 'HOTEL', 'PACIFIC', '03/09/2009', 'ANING', 'Virgin',
        'america', 'ATTACK', 'DAVIDSON'
    ]
    assert samples[0].img_path.endswith('imgs.lmdb image-000000001')
