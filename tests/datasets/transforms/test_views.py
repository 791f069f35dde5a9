"""Several views of a picture make one batch."""
import numpy as np
import pytest
import torch
from mmengine.registry import FUNCTIONS
from mmocr.registry import TRANSFORMS

from lmim.datasets import SetSampleSeed
from lmim.datasets.transforms import SeveralViews, collate_views


def pipeline(num_views: int = 2) -> SeveralViews:
    return TRANSFORMS.build(dict(
        type='SeveralViews', _scope_='mmocr', num_views=num_views,
        transforms=[
            dict(type='RandomRotate', max_angle=30),
            dict(type='PackTextRecogInputs',
                 meta_keys=('img_path', 'ori_shape', 'img_shape'))
        ]))


def record(number: int) -> dict:
    rng = np.random.default_rng(number)
    img = rng.integers(0, 255, (32, 128, 3), 'uint8')
    return SetSampleSeed(seed=1)(dict(
        img=img, img_shape=(32, 128), ori_shape=(32, 128), sample_idx=number,
        img_path=f'{number}.png'))


def test_views_of_a_picture_differ_and_come_back_the_same() -> None:
    one, two = pipeline()(record(3))
    assert not torch.equal(one['inputs'], two['inputs'])
    again = pipeline()(record(3))
    assert torch.equal(one['inputs'], again[0]['inputs'])
    assert torch.equal(two['inputs'], again[1]['inputs'])
    # The first view is what a pipeline of one view gives.
    assert torch.equal(pipeline(1)(record(3))[0]['inputs'], one['inputs'])


def test_a_batch_has_the_views_of_all_pictures() -> None:
    assert FUNCTIONS.get('collate_views') is collate_views
    batch = collate_views([pipeline(3)(record(n)) for n in range(2)])
    assert [s.img_path for s in batch['data_samples']] == (
        ['0.png'] * 3 + ['1.png'] * 3)
    assert len(batch['inputs']) == 6
    assert batch['inputs'][0].shape[0] == 3


def test_a_picture_is_not_changed_for_the_next_view() -> None:
    def blacken(results: dict) -> dict:
        found.append(results['img'].copy())
        results['img'][:] = 0
        return results

    found: list = []
    SeveralViews([blacken])(dict(img=np.full((2, 2, 3), 7, 'uint8')))
    assert len(found) == 2 and (found[1] == 7).all()


def test_no_view_at_all_is_refused() -> None:
    with pytest.raises(ValueError, match='1 or more, not 0'):
        SeveralViews([], num_views=0)


def test_views_for_pretraining_are_stacked_view_by_view() -> None:
    def batch(**options) -> dict:
        several = TRANSFORMS.build(dict(
            type='SeveralViews', _scope_='mmocr', transforms=[
                dict(type='GuidanceView', level='sequence', **options),
                dict(type='PackPretrainInputs', keys=['guidance_img'],
                     meta_keys=['guidance_warp'] if options else [])]))
        return FUNCTIONS.get('stack_views')(
            [several(record(n)) for n in range(3)])

    found = batch()
    first, second = found['inputs']
    assert first.shape == second.shape == (3, 3, 32, 128)
    assert first.dtype == torch.uint8 and not torch.equal(first, second)
    assert found['data_samples'].tolist() == [0, 1, 2]
    assert list(found) == ['inputs', 'data_samples']
    # Each view with what bent it.
    bent = batch(with_warp=True)
    assert torch.equal(bent['inputs'][1], second)
    assert bent['data_samples']['sample_idx'].tolist() == [0, 1, 2]
    warps = bent['data_samples']['guidance_warp']
    assert [each.shape for each in warps] == [(3, 32, 128, 3)] * 2
    assert not torch.equal(*warps)
