"""The one dataset: what it gives, and what it does with bad records."""
import json
import pickle

import pytest
from mmocr.registry import DATASETS
from mmocr.utils import register_all_modules

from lmim.datasets import TextImageDataset, TooManyUnreadableError
from lmim.datasets.transforms.seed import RUN_SEED
from lmim.datasets.records import UnreadableRecordError
from tests.datasets.make_lmdb import make_lmdb, picture


@pytest.fixture(autouse=True)
def reset_run_seed():
    yield
    RUN_SEED.epoch = RUN_SEED.seed = 0


def test_record_is_decoded_and_described(tmp_path):
    path = make_lmdb(tmp_path / 'a', [picture(10), picture(20, 8, 40)])
    dataset = TextImageDataset('a', data_root=str(tmp_path))
    results = dataset[1]
    assert results['img'].shape == (8, 40, 3)
    assert results['img'].min() == results['img'].max() == 20
    assert results['ori_shape'] == results['img_shape'] == (8, 40)
    assert results['sample_idx'] == 1
    assert results['img_path'] == f'{path} image-000000002'
    assert dataset.describe(1) == results['img_path']
    assert len(dataset) == 2 and dataset[-1]['sample_idx'] == 1
    with pytest.raises(IndexError, match='no record 2 in a set of 2'):
        dataset[2]
    assert [r['sample_idx'] for r in dataset] == [0, 1]


def test_set_without_readable_record_is_refused(shared_data, tmp_path):
    path = shared_data / 'rec_toy_dataset' / 'broken.lmdb'
    with pytest.raises(ValueError, match='no readable record among 1 looked'
                       '.*image-000000001: its 512 bytes are no image'):
        TextImageDataset(str(path))
    with pytest.raises(ValueError, match='1,000 looked at, of 2,000'):
        TextImageDataset(make_lmdb(tmp_path / 'a', [b''] * 2000))
    # One readable record is found wherever it lies in a small set.
    images = [b'bad'] * 49 + [picture(7)]
    assert len(TextImageDataset(make_lmdb(tmp_path / 'b', images))) == 50


def test_unreadable_records_are_replaced_counted_and_named(tmp_path):
    images = [picture(i) for i in range(100)]
    images[3], images[7], images[9] = b'no image', None, b''
    path = make_lmdb(tmp_path / 'a', images)
    dataset = TextImageDataset(path)
    first = [dataset[i]['sample_idx'] for i in range(100)]
    assert [i for i in range(100) if first[i] != i] == [3, 7, 9]
    # Not a neighbour, and the same whenever it is asked.
    assert all(abs(first[i] - i) > 1 for i in (3, 7, 9))
    assert [dataset[i]['sample_idx'] for i in range(100)] == first
    assert dataset[3]['img'][0, 0, 0] == first[3]
    RUN_SEED.epoch = 1
    other = [dataset[i]['sample_idx'] for i in (3, 7, 9)]
    assert other != [first[i] for i in (3, 7, 9)]
    assert dataset.num_unreadable == 3
    assert dataset.unreadable.listed() == {3, 7, 9}


def test_limit_stops_a_bad_set_and_spares_a_toy_set(tmp_path):
    toy = TextImageDataset(
        make_lmdb(tmp_path / 'toy', [b'bad'] + [picture(1)] * 9))
    for _ in range(50):
        assert [toy[i]['sample_idx'] > 0 for i in range(10)] == [True] * 10
    images = [picture(1)] * 200
    images[50:80] = [b'bad'] * 30
    path = make_lmdb(tmp_path / 'bad', images)
    dataset = TextImageDataset(path, max_unreadable=0.05)
    with pytest.raises(TooManyUnreadableError,
                       match='10 different ones; max_unreadable=0.05 allows '
                       '5.0%.*image-000000051'):
        for i in range(200):
            dataset[i]
    with pytest.raises(ValueError, match='from 0 to 1'):
        TextImageDataset('x', max_unreadable=5)
    tolerant = TextImageDataset(path, max_unreadable=0.5)
    assert len([tolerant[i] for i in range(200)]) == 200
    assert tolerant.num_unreadable == 30


def test_a_test_set_is_never_evaluated_in_part(tmp_path):
    path = make_lmdb(tmp_path / 'a', [picture(1), b'bad'], [b'a', b'b'])
    dataset = TextImageDataset(path, with_text=True, test_mode=True)
    assert dataset[0]['instances'] == [dict(text='a')]
    with pytest.raises(UnreadableRecordError, match='image-000000002 is unre'):
        dataset[1]
    dataset.pipeline = lambda results: None
    with pytest.raises(ValueError, match='nothing could be made of this re'
                       'cord, nor of 0 others'):
        dataset[0]


def test_labels_are_read_and_missing_ones_skipped(tmp_path, shared_data):
    toy = shared_data / 'rec_toy_dataset'
    for paths in (dict(path='imgs.lmdb', labels='label.lmdb'),
                  dict(path='old_label.txt', image_root='imgs')):
        dataset = TextImageDataset(paths, str(toy), with_text=True)
        word = [dict(text='03/09/2009')]
        assert dataset[4]['instances'] == word
        assert dataset.get_data_info(4)['instances'] == word
        assert 'instances' not in TextImageDataset(paths, str(toy))[4]
    path = make_lmdb(tmp_path / 'a', [picture(0)] * 20,
                     [b'w%d' % i for i in range(19)])
    dataset = TextImageDataset(path, with_text=True)
    results = dataset[19]
    index = results['sample_idx']
    assert index < 19 and results['instances'] == [dict(text=f'w{index}')]
    assert dataset.unreadable.listed() == {19}


def test_sets_without_labels_are_refused_where_they_are_needed(tmp_path):
    labelled = make_lmdb(tmp_path / 'a', [picture(1)], [b'word'])
    bare = make_lmdb(tmp_path / 'b', [picture(1)])
    (tmp_path / 'c').mkdir()
    (tmp_path / 'c' / 'd.png').write_bytes(picture(1))
    with pytest.raises(ValueError) as error:
        TextImageDataset(['a', 'b', 'c'], str(tmp_path), with_text=True)
    message = str(error.value)
    assert f'\n  {bare} (LMDB with images only)\n' in message
    assert f'\n  {tmp_path}/c (folder of images)\n' in message
    assert f'  {labelled} (' not in message
    assert 'leave out with_text' in message
    assert len(TextImageDataset(['a', 'b', 'c'], str(tmp_path))) == 3


def test_a_broken_part_is_refused_and_a_record_replaced_from_its_own(
        tmp_path):
    good = [picture(value) for value in range(40)]
    large = make_lmdb(tmp_path / 'large', good)
    small = make_lmdb(tmp_path / 'small', [b'bad'] + good[:4] + [b''])
    dataset = TextImageDataset([large, small, large])
    seen = set()
    for RUN_SEED.epoch in range(20):
        seen |= {dataset[index]['sample_idx'] for index in (40, 45)}
    assert seen == {41, 42, 43, 44}
    broken = make_lmdb(tmp_path / 'broken', [b'bad'] * 30)
    with pytest.raises(ValueError, match=f'^{broken}: no readable record '
                       'among 30 looked at, of 30'):
        TextImageDataset([large, broken])


def test_it_is_joined_with_sets_of_mmocr(tmp_path):
    register_all_modules()
    entries = [dict(img_path='a.png', instances=[dict(text='json')])]
    (tmp_path / 'a.json').write_text(json.dumps(dict(
        metainfo=dict(dataset_type='TextRecogDataset',
                      task_name='textrecog'), data_list=entries)))
    (tmp_path / 'a.png').write_bytes(picture(1))
    path = make_lmdb(tmp_path / 'a', [picture(2)], [b'lmdb'])
    lmdb = dict(type='TextImageDataset', paths=path, with_text=True,
                published=dict(name='A', num_samples=1))
    dataset = DATASETS.build(dict(
        type='ConcatDataset',
        datasets=[lmdb, dict(type='OCRDataset', ann_file='a.json',
                             data_root=str(tmp_path)),
                  dict(lmdb, published=None)],
        pipeline=[dict(type='LoadOCRAnnotations', with_text=True)]))
    assert [dataset[i]['gt_texts'] for i in range(3)] == [
        ['lmdb'], ['json'], ['lmdb']
    ]
    assert dataset.datasets[0].published == dict(name='A', num_samples=1)


def test_nothing_grows_with_the_number_of_records(tmp_path):
    small = TextImageDataset(make_lmdb(tmp_path / 'a', [picture(1)]))
    large = TextImageDataset(
        make_lmdb(tmp_path / 'b', [picture(1)], num_samples=b'9999999'))
    assert len(large) == 9999999
    sizes = [len(pickle.dumps(dataset)) for dataset in (small, large)]
    assert abs(sizes[0] - sizes[1]) < 20


def test_pipeline_that_gives_none_is_refetched(tmp_path):

    def odd_only(results):
        return results if results['sample_idx'] % 2 else None

    path = make_lmdb(tmp_path / 'a', [picture(i) for i in range(10)])
    dataset = TextImageDataset(path, pipeline=[odd_only])
    assert all(dataset[i]['sample_idx'] % 2 for i in range(10))
    dataset = TextImageDataset(path, pipeline=[lambda results: None])
    with pytest.raises(ValueError, match='transform that returns None'):
        dataset[0]
    assert dataset.num_unreadable == 0
