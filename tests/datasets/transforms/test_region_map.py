"""Regions of one colour, and letters, as maps for HSG."""
import numpy as np
import pytest

from lmim.datasets import RegionMap, RenderedTextDataset
from lmim.datasets.transforms.region_map import cluster_colors
from lmim.utils.errors import UserError


@pytest.fixture
def picture():
    """A red and a blue block on grey, and a speck."""
    img = np.full((32, 128, 3), 128, np.uint8)
    img[8:24, 60:90] = (0, 0, 200)
    img[8:24, 20:40] = (200, 0, 0)
    img[2:5, 100:103] = (200, 0, 0)
    return img


def test_colours_are_clustered(picture):
    labels = cluster_colors(picture, 3)
    found = [labels[0, 0], labels[10, 30], labels[10, 70], labels[3, 101]]
    assert len(set(found)) == 3 and found[1] == found[3]
    assert (labels[8:24, 60:90] == found[2]).all()
    # A picture of one colour is of one cluster.
    assert len(np.unique(cluster_colors(picture[:4, :4], 3))) == 1


def test_regions_are_numbered_from_left_to_right(picture):
    found = RegionMap()(dict(img=picture))['region_map']
    wanted = np.zeros((32, 128), np.uint8)
    wanted[8:24, 20:40], wanted[8:24, 60:90] = 1, 2
    assert found.dtype == np.uint8 and np.array_equal(found, wanted)
    found = RegionMap(least=5)(dict(img=picture))['region_map']
    wanted[2:5, 100:103] = 3
    assert np.array_equal(found, wanted)
    half = RegionMap(img_size=(16, 64))(dict(img=picture))['region_map']
    assert np.array_equal(half, wanted[::2, ::2] * (wanted[::2, ::2] < 3))


def test_letters_are_those_of_the_renderer():
    dataset = RenderedTextDataset(2, 'test', with_letters='labels')
    word = dataset.load(0)
    size = word['gt_seg_map'].shape
    found = RegionMap('letters', img_size=size)(word)['region_map']
    assert np.array_equal(found, word['gt_seg_map']) and found.max() >= 3


def test_what_is_lacking_is_told(picture):
    with pytest.raises(UserError, match="RegionMap.source='otsu'"):
        RegionMap('otsu')
    with pytest.raises(UserError, match="source='colors' for pictures"):
        RegionMap('letters')(dict(img=picture))
    with pytest.raises(UserError, match="color_type='color'"):
        RegionMap()(dict(img=picture[..., 0]))
