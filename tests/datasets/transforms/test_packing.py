import numpy as np
import pytest
import torch
from mmocr.registry import MODELS
from torch.utils.data import default_collate

from lmim.datasets import PackPretrainInputs
from lmim.engine.hooks.loss_check_hook import batch_names
from lmim.models.selfsup.base import PREPROCESSOR


def sample(**kwargs):
    img = np.arange(32 * 128 * 3).reshape(32, 128, 3).astype(np.uint8)
    return dict(img=img, sample_idx=7, img_path='a.jpg', **kwargs)


def test_both_views_are_packed_channels_first():
    results = sample(guidance_img=np.full((32, 128, 3), 9, np.uint8))
    packed = PackPretrainInputs()(results)
    assert list(packed) == ['inputs', 'data_samples']
    img, guidance = packed['inputs']
    assert img.shape == guidance.shape == (3, 32, 128)
    assert img.dtype == torch.uint8 and img.is_contiguous()
    assert (img.permute(1, 2, 0).numpy() == results['img']).all()
    assert int(guidance.min()) == int(guidance.max()) == 9
    assert packed['data_samples'] == 7


def test_one_view_is_a_tensor_and_batches_are_stacked():
    packed = PackPretrainInputs()(sample())
    assert packed['inputs'].shape == (3, 32, 128)
    batch = default_collate([packed, packed])
    assert batch['inputs'].shape == (2, 3, 32, 128)
    assert batch['inputs'].dtype == torch.uint8
    assert batch['data_samples'].tolist() == [7, 7]
    assert batch['data_samples'].dtype == torch.int64


def test_the_aspect_is_that_before_resizing():
    """It reaches the model beside the index, through loader and device."""
    packed = PackPretrainInputs(meta_keys=['aspect'])
    batch = default_collate([packed(sample(ori_shape=(20, 90))),
                             packed(sample(ori_shape=(48, 24)))])
    preprocessor = MODELS.build(PREPROCESSOR)
    about = preprocessor(batch)['data_samples']
    assert about['aspect'].tolist() == [4.5, 0.5]
    assert about['sample_idx'].tolist() == [7, 7]
    assert batch_names(batch, None) == ['picture 7'] * 2


def test_views_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match='the same size'):
        PackPretrainInputs()(
            sample(guidance_img=np.zeros((16, 128, 3), np.uint8)))
    with pytest.raises(ValueError, match="'img'. of a.jpg is .* float64"):
        results = sample()
        results['img'] = results['img'] / 255
        PackPretrainInputs()(results)
    with pytest.raises(ValueError, match="no results.'guidance_img'. to pack"):
        PackPretrainInputs(keys=['guidance_img'])(sample())
    with pytest.raises(ValueError, match='32, 128.*uint8'):
        results = sample()
        results['img'] = results['img'][..., 0]
        PackPretrainInputs()(results)
