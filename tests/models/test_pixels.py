"""Patches of a pixel or two: positions, cells, contrast, a sample, memory."""
import math
from typing import Any, Dict, List, Tuple

import numpy as np
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_iter

from lmim.models.layers import (ContrastMasking, RandomMasking,
                                use_cpu_kernels)
from lmim.models.layers.content_masking import contrast_map
from lmim.models.targets import PixelTarget
from lmim.utils.errors import UserError

from .conftest import ARCH, build

CPU = torch.device('cpu')
#: MAE of single pixels, in pictures of 8x32.
BACKBONE: Dict[str, Any] = dict(
    type='MaskedViT', arch=ARCH, img_size=(8, 32), patch_size=1,
    pos_embed='learned',
    mask=dict(type='RandomMasking', ratio=0.8, cell=(4, 4)))
NECK: Dict[str, Any] = dict(
    type='SampledDecoder', in_dims=16, embed_dims=24, num_layers=2,
    num_heads=2, sample=0.25, grid=(8, 32), pos_embed='learned')
PIXELS: Dict[str, Any] = dict(
    type='MIM', backbone=BACKBONE, neck=NECK,
    target_generator=dict(type='PixelTarget', patch_size=1, cell=(4, 4)))


@pytest.fixture
def images() -> torch.Tensor:
    return torch.randn(2, 3, 8, 32,
                       generator=torch.Generator().manual_seed(2))


def test_positions_are_drawn_and_learnt(images: torch.Tensor) -> None:
    model: Any = build(PIXELS)
    model.init_weights()
    for positions in (model.backbone.pos_embed, model.neck.decoder_pos_embed):
        assert positions.requires_grad and positions.shape[1] == 1 + 256
        assert positions.std().item() == pytest.approx(0.02, rel=0.05)
    model.train().loss(images)['loss_recon'].backward()
    # Every pixel that was seen or asked for has a gradient.
    seen = model.backbone.pos_embed.grad[0, 1:].abs().sum(dim=1) > 0
    asked = model.neck.decoder_pos_embed.grad[0, 1:].abs().sum(dim=1) > 0
    assert 51 <= seen.sum() <= 2 * 51 and asked.sum() > 51


@pytest.mark.parametrize('grid, keep', [((8, 32), 51), ((10, 30), 60)])
def test_whole_cells_are_hidden(grid: Tuple[int, int], keep: int) -> None:
    """The last in part; cells at the right and lower end are cut off."""
    torch.manual_seed(0)
    masking = RandomMasking(0.8, cell=(4, 4))(6, grid, CPU)
    assert masking.ids_keep.shape == (6, keep)
    mask = masking.mask.view(6, *grid)
    parts = [sum(0 < cell[image].mean() < 1
                 for rows in mask.split(4, dim=1)
                 for cell in rows.split(4, dim=2)) for image in range(6)]
    assert max(parts) <= 1
    # One noise of the cells, whoever uses it.
    noise = torch.rand(2, math.ceil(grid[0] / 4) * math.ceil(grid[1] / 4))
    first, again = (RandomMasking(0.8, cell=(4, 4))(2, grid, CPU, noise)
                    for _ in range(2))
    assert torch.equal(first.mask, again.mask)


def test_masks_without_cells_are_as_they_were() -> None:
    plain, cells = RandomMasking(0.8), RandomMasking(0.8, cell=(1, 1))
    for each in (plain, cells):
        each.seed_masks(3)
    assert torch.equal(plain(4, (8, 32), CPU).mask,
                       cells(4, (8, 32), CPU).mask)
    with pytest.raises(UserError, match='one row and column'):
        RandomMasking(0.8, cell=(0, 4))


def words() -> torch.Tensor:
    """Two bright strokes on a dark ground, in the second picture inverse."""
    picture = torch.full((1, 3, 8, 32), -0.8)
    picture[..., 2:7, 5:8] = 0.9
    picture[..., 2:7, 20:24] = 0.9
    return torch.cat([picture, -picture])


def test_contrast_is_the_distance_from_the_border() -> None:
    found = contrast_map(words(), (8, 32))
    stroke = words()[0, 0] > 0
    assert found[:, stroke].unique().tolist() == pytest.approx([1.7])
    assert found[:, ~stroke].abs().max() == 0
    assert contrast_map(words(), (2, 8)).shape == (2, 2, 8)


@pytest.mark.parametrize('strength, least, most', [
    (3., 0.9, 1.), (0., 0.4, 0.6), (-3., 0., 0.1)])
def test_strokes_are_hidden_or_seen(strength: float, least: float,
                                    most: float) -> None:
    torch.manual_seed(0)
    masking = ContrastMasking(0.5, cell=(1, 1), strength=strength)
    pictures = words().repeat(8, 1, 1, 1)
    mask = masking(16, (8, 32), CPU,
                   context=dict(images=pictures)).mask.bool()
    assert mask.sum(dim=1).tolist() == [128] * 16
    stroke = (words()[0, 0] > 0).flatten()
    assert least <= mask[:, stroke].float().mean() <= most


def test_contrast_masks_train(images: torch.Tensor) -> None:
    model: Any = build(PIXELS)
    model.backbone.mask = ContrastMasking(0.8)
    loss = model.train().loss(images)['loss_recon']
    assert loss.isfinite() and loss.requires_grad


class TestSampledDecoder:

    @staticmethod
    def decoder(**settings: Any) -> Any:
        made: Any = build(dict(NECK, **settings))
        made.init_weights()
        return made

    @pytest.fixture
    def given(self) -> Tuple[torch.Tensor, torch.Tensor]:
        masking = RandomMasking(0.8)(2, (8, 32), CPU)
        return torch.randn(2, 1 + 51, 16), masking.ids_restore

    def test_each_patch_is_rebuilt_by_itself(self, given: Any) -> None:
        """A sample has what it has among all hidden patches."""
        decoder = self.decoder()
        whole, hidden = decoder.eval()(*given)
        assert hidden.sum(dim=1).tolist() == [205, 205]
        assert torch.equal(hidden, (given[1] >= 51).float())
        part, asked = decoder.train()(*given)
        assert asked.sum(dim=1).tolist() == [51, 51]
        assert ((asked == 1) <= (hidden == 1)).all()
        torch.testing.assert_close(part[asked.bool()], whole[asked.bool()])
        assert part[~asked.bool()].abs().max() == 0
        assert not torch.equal(asked, decoder(*given)[1])

    def test_the_loss_is_the_mean_over_the_sample(
            self, images: torch.Tensor) -> None:
        model: Any = build(PIXELS)
        model.init_weights()
        model.train()
        torch.manual_seed(4)
        found = model.predict(images)
        torch.manual_seed(4)
        loss = model.loss(images)['loss_recon']
        asked = found.mask.bool()
        assert asked.sum() == 2 * 51
        wanted = (found.pred - found.target)[asked].square().mean()
        assert loss.item() == pytest.approx(wanted.item(), rel=1e-5)

    @pytest.mark.parametrize('sample', [0, 1.1])
    def test_a_share_outside_its_range_is_refused(self,
                                                  sample: float) -> None:
        with pytest.raises(UserError, match='share of the hidden patches'):
            self.decoder(sample=sample)


class TestTarget:

    @pytest.mark.parametrize('norm_pix', [True, 'channel'])
    @pytest.mark.parametrize('patch', [1, 2, (1, 4)])
    def test_pixels_have_the_target_of_their_cell(
            self, images: torch.Tensor, patch: Any, norm_pix: Any) -> None:
        """Whatever the patch, as many numbers of equal values."""
        small = PixelTarget(patch, norm_pix, cell=(4, 4))
        large = PixelTarget(4, norm_pix)
        found, wanted = small(images), large(images)
        np.testing.assert_allclose(
            np.sort(found.flatten()), np.sort(wanted.flatten()), rtol=1e-6)
        if patch == 1:
            # Row 5, column 9: of the cell (1, 2) pixel (1, 1).
            torch.testing.assert_close(
                found[:, 5 * 32 + 9], wanted[:, 8 + 2].view(2, 4, 4, 3)[:, 1,
                                                                        1])
        torch.testing.assert_close(
            small.pixels_of(found, images), small.cut(images))

    @pytest.mark.parametrize('changes', [
        dict(target_generator=dict(type='PixelTarget', patch_size=1)),
        dict(
            pixel_weight=0.5, neck=dict(NECK, out_dims=16),
            target_generator=dict(type='RandomFeatureTarget', encoder=dict(
                type='TextViT', arch=ARCH, img_size=(8, 32),
                patch_size=1)))])
    def test_single_pixels_are_not_normalised(self, changes: Any) -> None:
        with pytest.raises(UserError, match=r'each pixel by itself.*cell'):
            build(PIXELS, **changes)

    def test_cells_are_whole_patches(self) -> None:
        with pytest.raises(UserError, match='cell is 4x4'):
            PixelTarget(3, cell=(4, 4))


class Largest(TorchDispatchMode):
    """Notes the most elements of all tensors that torch makes."""

    def __init__(self) -> None:
        super().__init__()
        self.elements = 0

    def __torch_dispatch__(self, function: Any, types: Any,
                           args: Any = (), kwargs: Any = None) -> Any:
        result = function(*args, **(kwargs or {}))
        self.elements = max([self.elements, *(
            each.numel() for each in tree_iter(result)
            if isinstance(each, torch.Tensor))])
        return result


@pytest.mark.parametrize('dtype', [torch.float32, torch.bfloat16])
def test_no_map_of_all_pixels_is_made(dtype: torch.dtype) -> None:
    """4,096 tokens: nothing as large as one head's weights, 67 MB."""
    sizes: List[int] = []
    arch = dict(embed_dims=8, num_layers=1, num_heads=1,
                feedforward_channels=32)
    cfg = dict(
        PIXELS, backbone=dict(BACKBONE, arch=arch, img_size=(32, 128)),
        neck=dict(NECK, in_dims=8, grid=(32, 128)))
    model: Any = build(cfg)
    model.init_weights()
    use_cpu_kernels(model)  # as in training
    images = torch.randn(1, 3, 32, 128)
    for step in ('whole', 'masked'):
        with Largest() as largest, torch.autocast(
                'cpu', torch.bfloat16, enabled=dtype is torch.bfloat16):
            if step == 'whole':
                loss = model.extract_feat(images).square().mean()
            else:
                loss = model.train().loss(images)['loss_recon']
            loss.backward()
        sizes.append(largest.elements)
    # The feed-forward part's channels; of 820 visible tokens weights may be
    # written out, for each of the decoder's two heads.
    assert sizes[0] <= 4097 * 32
    assert sizes[1] <= 2 * 820**2
