"""Words that are drawn while training runs."""
import pickle

import cv2
import numpy as np
import pytest
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from mmocr.registry import DATASETS, MODELS
from mmocr.utils import register_all_modules
from torch.utils.data import DataLoader, default_collate

from lmim.utils.errors import UserError
from lmim.datasets import (ForEachPicture, RenderedTextDataset,
                           SetSampleSeed)
from lmim.datasets.labels.reading import innermost, iter_labels
from lmim.datasets.transforms.seed import RUN_SEED
from lmim.models.selfsup.base import PREPROCESSOR, labelled_samples
from tests.datasets.make_lmdb import make_lmdb, picture

PRETRAIN = [
    dict(type='SetSampleSeed'),
    dict(type='Resize', scale=(128, 32)),
    dict(type='PackPretrainInputs'),
]


@pytest.fixture(autouse=True)
def reset_run():
    register_all_modules()
    yield
    RUN_SEED.epoch = 0


def build(**kwargs):
    return DATASETS.build(dict(type='RenderedTextDataset', **kwargs))


def images(dataset):
    return [dataset[index]['img'].tobytes() for index in range(len(dataset))]


def test_keys_are_those_of_text_images():
    dataset = build(length=5, with_text=True, alphabet='abc', seed=2)
    data = dataset[3]
    assert set(data) == {'img', 'ori_shape', 'img_shape', 'img_path',
                         'sample_idx', 'instances'}
    assert data['img'].dtype == np.uint8
    assert data['ori_shape'] == data['img_shape'] == data['img'].shape[:2]
    assert data['sample_idx'] == 3
    (instance, ) = data['instances']
    assert 3 <= len(instance['text']) <= 6 and set(instance['text']) <= set(
        'abc')
    assert data['img_path'] == dataset.describe(3) == (
        'rendered words (train, seed 2) 3')
    assert dataset.get_data_info(3) == {
        key: data[key] for key in ('img_path', 'sample_idx', 'instances')}
    assert 'instances' not in build(length=5)[0]
    assert (dataset[-1]['img'] == dataset[4]['img']).all()
    with pytest.raises(IndexError):
        dataset[5]
    with pytest.raises(ValueError, match='length'):
        build(length=0)


def test_fresh_and_fixed_epochs():
    for kwargs, fixed in ((dict(), False), (dict(fixed=True), True),
                          (dict(part='test'), True),
                          (dict(part='test', fixed=False), False)):
        dataset = build(length=4, with_text=True, **kwargs)
        RUN_SEED.epoch = 0
        first = images(dataset)
        RUN_SEED.epoch = 1
        assert (images(dataset) == first) == fixed
        for index in range(4):
            assert (dataset.get_data_info(index)['instances'] ==
                    dataset[index]['instances'])
        RUN_SEED.epoch = 0
        assert images(dataset) == first


def test_workers_draw_the_same():
    dataset = build(length=24, with_text=True, pipeline=PRETRAIN)

    def two_epochs(dataset, workers=0):
        loader = DataLoader(dataset, 8, collate_fn=default_collate,
                            num_workers=workers,
                            persistent_workers=workers > 0)
        found = []
        for epoch in range(2):
            RUN_SEED.epoch = epoch
            found += [batch['inputs'] for batch in loader]
        return found

    alone = two_epochs(dataset)
    assert not (alone[0] == alone[3]).all()
    sent = pickle.loads(pickle.dumps(dataset))  # as to a spawned worker
    for others in (two_epochs(dataset, 2), two_epochs(sent)):
        for one, two in zip(alone, others):
            assert (one == two).all()


def test_letters_are_carried_along_by_resize():
    kwargs = dict(length=3, with_text=True, with_letters=True)
    data = build(**kwargs)[1]
    text = data['instances'][0]['text']
    assert len(data['gt_polygons']) == len(text)
    assert {polygon.shape for polygon in data['gt_polygons']} == {(8, )}
    assert data['gt_seg_map'].shape == data['img'].shape[:2]
    resize = dict(type='Resize', scale=(128, 32), clip_object_border=False)
    small = build(**kwargs, pipeline=[resize])[1]
    assert small['gt_seg_map'].shape == small['img'].shape[:2] == (32, 128)
    factor = np.array(small['scale_factor'] * 4)
    for one, two in zip(data['gt_polygons'], small['gt_polygons']):
        np.testing.assert_allclose(two, one * factor, rtol=1e-5)
    # Told apart, and still so when resized.
    kwargs['with_letters'] = 'labels'
    labels = build(**kwargs)[1]['gt_seg_map']
    assert ((labels > 0) <= (data['gt_seg_map'] >= 128)).all()
    small = build(**kwargs, pipeline=[resize])[1]['gt_seg_map']
    assert set(np.unique(small)) == set(range(len(text) + 1))
    with pytest.raises(ValueError, match="with_letters is .* 'label'"):
        build(length=1, with_letters='label')


TRIPLE = [
    dict(type='SetSampleSeed'),
    dict(type='ForEachPicture', transforms=[
        dict(type='Resize', scale=(128, 32), clip_object_border=False)]),
    dict(type='ForEachPicture', keys=['plain_glyphs'], transforms=[
        dict(type='Resize', scale=(128, 32))]),
    dict(type='PackPretrainInputs', keys=('img', 'pair_img', 'erased_img'),
         meta_keys=('text', 'pair_text', 'plain_glyphs')),
]


def test_pairs_in_one_style():
    kwargs = dict(length=4, with_text=True, with_letters='labels', seed=1,
                  pair='same_style', with_plain_glyphs=True)
    data = build(**kwargs)[2]
    for key in ('pair_img', 'erased_img'):
        assert data[key].shape == data['img'].shape
    for prefix, text in (('gt_', data['instances'][0]['text']),
                         ('pair_', data['pair_text'])):
        assert data[prefix + 'seg_map'].max() == len(text)
        assert len(data[prefix + 'polygons']) == len(text)
    assert data['instances'] == build(**kwargs).get_data_info(2)['instances']
    plain = (data['plain_glyphs'], data['pair_plain_glyphs'])
    assert {one.shape for one in plain} == {data['img'].shape[:2]}
    assert not (plain[0] == plain[1]).all()
    # All are resized alike, with their letters.
    small = build(**kwargs, pipeline=TRIPLE[:2])[2]
    for key in ('img', 'pair_img', 'erased_img', 'gt_seg_map',
                'pair_seg_map'):
        assert small[key].shape[:2] == (32, 128)
    factor = np.array(small['scale_factor'] * 4)
    for one, two in zip(data['pair_polygons'], small['pair_polygons']):
        np.testing.assert_allclose(two, one * factor, rtol=1e-5)
    with pytest.raises(ValueError, match="pair is .* 'style'"):
        build(length=1, pair='style')


def test_near_words_are_given_as_pairs():
    dataset = build(length=3, with_text=True, pair='near_text')
    for index in range(3):
        record = dataset.load(index)
        assert record['pair_text'] == dataset.words.same_style(
            index, near=True).second.text != dataset.words.text(index)
        assert record['erased_img'].shape == record['img'].shape


def test_pairs_are_packed_with_their_texts():
    dataset = build(length=6, with_text=True, pair='same_style',
                    with_plain_glyphs=True, pipeline=TRIPLE)
    (batch, ) = DataLoader(dataset, 6, collate_fn=default_collate)
    assert [view.shape for view in batch['inputs']] == [(6, 3, 32, 128)] * 3
    about = batch['data_samples']
    assert list(about['text']) == [dataset.words.text(i) for i in range(6)]
    assert list(about['pair_text']) == [
        dataset.words.same_style(i).second.text for i in range(6)]
    assert about['plain_glyphs'].shape == (6, 32, 128)
    # As the preprocessor hands them on, and MMOCR's losses take them.
    preprocessor = MODELS.build(PREPROCESSOR)
    found = preprocessor(batch)['data_samples']
    samples = labelled_samples(found['pair_text'])
    assert [sample.gt_text.item for sample in samples] == list(
        about['pair_text'])
    bare = build(length=1, pair='same_style', pipeline=TRIPLE[:2] + TRIPLE[3:])
    with pytest.raises(ValueError, match='no text to pack'):
        bare[0]


def test_pairs_of_one_text():
    data = build(length=3, pair='same_text', with_letters=True)[1]
    assert data['pair_text'] == build(length=3).words.text(1)
    assert len(data['pair_polygons']) == len(data['gt_polygons'])
    assert data['pair_seg_map'].shape == data['pair_img'].shape[:2]
    assert 'erased_img' not in data
    small = build(length=3, pair='same_text', pipeline=TRIPLE[:2])[1]
    assert small['pair_img'].shape == small['img'].shape == (32, 128, 3)


def test_pictures_of_a_pair_get_the_same_draws():
    def spot(results):
        y, x = np.random.randint(20, size=2)
        results['img'] = results['img'].copy()
        results['img'][y, x] = np.random.randint(256, size=3)
        return results

    dataset = build(length=2, pair='same_style')
    plain = dataset[0]
    dataset.pipeline.transforms = [
        SetSampleSeed(), ForEachPicture([spot, spot])]
    found = dataset[0]
    spots = [np.argwhere((found[key] != plain[key]).any(axis=2)).tolist()
             for key in ('img', 'pair_img', 'erased_img')]
    assert spots[0] == spots[1] == spots[2] and len(spots[0]) == 2
    dataset.pipeline.transforms = [ForEachPicture([spot], keys=['no_img'])]
    with pytest.raises(ValueError, match='finds no no_img'):
        dataset[0]
    dataset.pipeline.transforms = [ForEachPicture([lambda results: None])]
    with pytest.raises(ValueError, match='nothing could be made'):
        dataset[0]


def test_guidance_view_is_another_rendering():
    dataset = build(length=3, guidance_size=(32, 128), pipeline=PRETRAIN)
    picture, guidance = dataset[0]['inputs']
    assert picture.shape == guidance.shape == (3, 32, 128)
    assert (picture != guidance).float().mean() > 0.9
    assert (dataset[0]['inputs'][1] == guidance).all()
    word = dataset.words.same_text(0)
    assert word.text == dataset.words.text(0)
    assert abs(word.image.mean() - guidance.float().mean()) < 5


def test_in_wrappers_and_label_checks():
    one = dict(type='RenderedTextDataset', length=3, with_text=True)
    joined = DATASETS.build(dict(
        type='ConcatDataset', datasets=[one, dict(one, seed=1)]))
    assert len(joined) == 6
    leaves = innermost(joined)
    assert [leaf.words.seed for leaf in leaves] == [0, 1]
    for leaf in leaves:
        assert [label.text for label in iter_labels(leaf)] == [
            leaf[index]['instances'][0]['text'] for index in range(3)]
    batch = next(iter(DataLoader(joined, 6, collate_fn=pseudo_collate)))
    assert len(set(batch['img_path'])) == 6
    assert leaves[0].metainfo == dict(
        dataset_type='TextRecogDataset', task_name='textrecog')


def test_a_transform_that_refuses():
    dataset = RenderedTextDataset(10, alphabet='abc', with_text=True)

    def not_the_first(results):
        return None if results['sample_idx'] == 0 else results

    dataset.pipeline.transforms = [not_the_first]
    assert dataset[0]['sample_idx'] == dataset[0]['sample_idx'] != 0
    assert dataset[1]['sample_idx'] == 1
    dataset.pipeline.transforms = [lambda results: None]
    with pytest.raises(ValueError, match='rendered words .* nothing could be'):
        dataset[0]


def test_words_from_the_data_root(tmp_path):
    (tmp_path / 'words.txt').write_text('left\nright\n')
    dataset = build(length=20, part=None, words='words.txt',
                    data_root=str(tmp_path), with_text=True)
    assert {dataset.get_data_info(i)['instances'][0]['text']
            for i in range(20)} == {'left', 'right'}
    with pytest.raises(FileNotFoundError, match='words .* do not exist'):
        build(length=20, words='words.txt')
    with pytest.raises(UserError, match='path of a list, not .*one a line'):
        build(length=20, words=['a', 'b'])


def test_words_from_labels_of_other_sets(tmp_path):
    labels = [b'Coca', b'Cola', b'Coca', b'\xff', b'Fanta']
    path = make_lmdb(tmp_path / 'set', [picture(1)] * 6, labels)
    vocabulary = build(length=1, part=None, words=path).words.words.vocabulary
    assert dict(zip(vocabulary, vocabulary.counts)) == {
        'Coca': 2, 'Cola': 1, 'Fanta': 1}
    with pytest.raises(ValueError, match='has no labels'):
        build(length=1, words=make_lmdb(tmp_path / 'bare', [picture(1)]))
    (tmp_path / 'one.png').write_bytes(picture(1))
    (tmp_path / 'list.txt').write_text('one.png\tHello\n')
    words = build(length=1, part=None, words='list.txt',
                  data_root=str(tmp_path)).words
    assert list(words.words.vocabulary) == ['Hello']


def test_as_a_source_of_records():
    dataset = build(length=8)
    source, word = dataset.source, dataset.words[7]
    assert len(source) == 8 and source.label(7) == word.text
    image = cv2.imdecode(np.frombuffer(source.read(7), np.uint8), 1)
    assert np.abs(image - word.image.astype(float)).mean() < 3


def test_the_base_config(repo):
    cfg = Config.fromfile(
        repo / 'configs/_base_/datasets/rendered_on_the_fly.py')
    train, test = (
        DATASETS.build(cfg[f'rendered_on_the_fly_textrecog_{part}'])
        for part in ('train', 'test'))
    assert (train.fixed, test.fixed) == (False, True)
    assert train.with_text and test.with_text
    words = {train.words.text(i) for i in range(300)}
    assert not words & {test.words.text(i) for i in range(300)}
    assert {len(word) for word in words} == set(range(1, 13))
    pretrain = DATASETS.build(dict(
        cfg.rendered_on_the_fly_pretrain, pipeline=PRETRAIN))
    assert pretrain[0]['inputs'].shape == (3, 32, 128)
