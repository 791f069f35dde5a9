"""Images of other widths than an encoder was trained for."""
import pytest
import torch

from lmim.checkpoints.loading import resize_positions
from lmim.models.backbones import MaskedViT, TextViT
from lmim.models.layers import build_positions
from lmim.utils.errors import UserError

from .conftest import ARCH


def make(kind=TextViT, **settings):
    vit = kind(arch=ARCH, img_size=(8, 32), widths=(16, 96), **settings)
    vit.init_weights()
    return vit.eval()


@pytest.mark.parametrize('pos_embed', ['square', 'grid', 'line'])
@pytest.mark.parametrize('stem', [None, (8, )])
def test_positions_are_interpolated_by_rows_and_columns(pos_embed, stem):
    vit = make(pos_embed=pos_embed, stem=stem)
    images = torch.randn(2, 3, 8, 48)
    assert vit.grid_of(images) == (2, 12)
    # 16 patches as 4x4 would be another table for 'square'.
    table = resize_positions(
        build_positions(pos_embed, (2, 8), 16), (2, 12), (2, 8))[:, 1:]
    with torch.no_grad():
        positions = vit.embed(images) - vit.patch_embed(images)[0]
    assert torch.allclose(positions, table.expand_as(positions), atol=1e-5)
    assert vit(images).shape == (2, 1 + 24, 16)


def test_its_own_width_is_computed_as_before():
    vit = make()
    images = torch.randn(2, 3, 8, 32)
    wanted = vit(images)
    assert vit.positions((2, 8)).data_ptr() == vit.pos_embed[:, 1:].data_ptr()
    vit.widths = None
    assert torch.equal(vit(images), wanted)


def test_equal_counts_of_patches_are_not_equal_grids():
    # 2x8 and 4x4 patches: 16 of each.
    flat, high = (TextViT(arch=ARCH, img_size=size, widths=(16, 96),
                          pos_embed='square') for size in ((8, 32), (16, 16)))
    assert torch.equal(flat.pos_embed, high.pos_embed)
    with torch.no_grad():
        assert not torch.allclose(flat.positions((4, 8)),
                                  high.positions((4, 8)), atol=0.1)


def test_a_feature_map_has_the_columns_of_its_images():
    vit = make(out_type='featmap')
    assert vit(torch.randn(2, 3, 8, 64)).shape == (2, 16, 2, 16)


def test_masks_have_the_grid_of_their_images():
    vit = make(MaskedViT, stem=(8, ))
    _, mask, _ = vit(torch.randn(2, 3, 8, 64))
    assert mask.shape == (2, 32)


@pytest.mark.parametrize('width', [12, 34, 100])
def test_other_widths_are_refused(width):
    with pytest.raises(UserError, match='8x16 to 96 in steps of 4'):
        make()(torch.zeros(1, 3, 8, width))


@pytest.mark.parametrize('widths', [(16, 98), (64, 32), (0, 32)])
def test_widths_that_are_no_range_of_whole_patches_are_refused(widths):
    with pytest.raises(UserError, match='in multiples of the 4 columns'):
        TextViT(arch=ARCH, img_size=(8, 32), widths=widths)
