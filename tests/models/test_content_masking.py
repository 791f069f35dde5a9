"""Masks that depend on what a picture shows."""
import pytest
import torch

from lmim.models.layers import (CharacterSpanMasking, DSHMMasking, InkMasking,
                                RandomMasking)
from lmim.models.layers.content_masking import ink_map

CPU = torch.device('cpu')
KINDS = [InkMasking, CharacterSpanMasking, DSHMMasking]


def known(grid, count=6, patch=4):
    """Pictures of noise of which all is known that masks may ask for."""
    generator = torch.Generator().manual_seed(5)
    images = torch.rand(count, 3, grid[0] * patch, grid[1] * patch,
                        generator=generator)
    features = torch.randn(count, grid[0] * grid[1], 7, generator=generator)
    return dict(images=images, features=features,
                aspect=torch.linspace(1, 9, count))


@pytest.mark.parametrize('kind', KINDS)
@pytest.mark.parametrize('grid', [(8, 32), (1, 32), (5, 19)])
def test_counts_are_exact_on_any_grid(kind, grid):
    mask = kind()(6, grid, CPU, context=known(grid)).mask
    keep = RandomMasking(0.8).num_keep(grid[0] * grid[1])
    assert (mask == 0).sum(dim=1).tolist() == [keep] * 6
    assert (mask == 1).sum(dim=1).tolist() == [grid[0] * grid[1] - keep] * 6


@pytest.mark.parametrize('kind', KINDS)
def test_processes_share_the_masks_of_the_global_batch(kind):
    masking, context = kind(0.6), known((4, 8))
    masking.seed_masks(7)
    whole = masking(6, (4, 8), CPU, context=context).mask
    parts = []
    for rank in range(2):
        masking.seed_masks(7, rank, world_size=2)
        parts.append(masking(3, (4, 8), CPU, context={
            name: value[rank::2] for name, value in context.items()}).mask)
    assert torch.equal(whole[0::2], parts[0])
    assert torch.equal(whole[1::2], parts[1])


def test_ink_is_the_change_of_luminance():
    images = torch.zeros(1, 3, 4, 8)
    images[:, 1, :, 4:] = 1.  # a green half: 0.587 of white
    # Two of the four columns of each patch lie beside no edge; of the other
    # two, one has a central difference of 0.587, halved.
    assert torch.allclose(ink_map(images, (1, 2)),
                          torch.full((1, 1, 2), 0.587 / 2 / 4))


def test_ink_is_hidden_in_whole_blocks():
    """Of two halves, one blank, nearly all hard blocks lie in the other."""
    images = torch.zeros(64, 3, 32, 128)
    images[..., 64:] = torch.rand(64, 3, 32, 64)
    torch.manual_seed(0)
    masking = InkMasking(0.5, ink_share=0.5, strength=8)
    mask = masking(64, (8, 32), CPU, context=dict(images=images)).mask
    blocks = mask.view(64, 2, 4, 16, 2).transpose(2, 3).flatten(3)
    assert torch.equal(blocks.amin(dim=3), blocks.amax(dim=3))
    assert mask.view(64, 8, 32)[..., 16:].mean() > 0.99


def test_without_strength_ink_does_not_count():
    images, draws = torch.rand(2, 3, 32, 128), torch.rand(2, 256 + 32)
    masking = InkMasking(strength=0)
    blank = masking(2, (8, 32), CPU, draws, dict(images=images * 0)).mask
    assert torch.equal(
        masking(2, (8, 32), CPU, draws, dict(images=images)).mask, blank)
    assert not torch.equal(blank, InkMasking()(
        2, (8, 32), CPU, draws, dict(images=images)).mask)


def test_ink_blocks_are_clipped_to_the_grid():
    """A grid of one row has blocks of one row; a rest has blocks of its own.
    """
    masking = InkMasking(0.5, ink_share=0.5)
    assert masking.num_draws((1, 32)) == 16
    assert masking.num_draws((5, 19)) == 2 * 10
    mask = masking(6, (1, 32), CPU, context=known((1, 32))).mask
    pairs = mask.view(6, 16, 2)
    assert torch.equal(pairs[..., 0], pairs[..., 1])


def test_spans_are_as_wide_as_characters():
    masking = CharacterSpanMasking(0.25, span_share=0.25)
    pitch = masking.pitch(torch.tensor([0.5, 2., 7.2, 100.]), 32)
    assert pitch.tolist() == pytest.approx([16, 10.8, 3, 1.5])
    cells = masking.cells(torch.tensor([0.5]), torch.tensor([7.2]), 32)
    # Half of the first cell is cut off.
    assert cells[0].tolist()[:9] == [0, 0, 1, 1, 1, 2, 2, 2, 3]
    # In falling order of their draws: cells 2, 3, and two columns of 1.
    draws = torch.zeros(1, 8 * 32 + 34)
    draws[0, 256] = 0.5
    draws[0, 257 + 1:257 + 4] = torch.tensor([.5, .9, .7])
    mask = masking(1, (8, 32), CPU, draws,
                   dict(aspect=torch.tensor([7.2]))).mask.view(8, 32)
    assert torch.equal(mask[0], mask[7])
    assert mask[0].nonzero().flatten().tolist() == [
        2, 3, 5, 6, 7, 8, 9, 10]


def test_local_score_is_the_spread_of_the_neighbours():
    features = torch.tensor([[0., 1, 2, 3, 10, 5]])[..., None]
    # In the grid [[0, 1, 2], [3, 10, 5]], corner 0 has neighbours 1, 3, 10.
    score = DSHMMasking.local_score(features, (2, 3))[0]
    assert score[0] == pytest.approx(torch.tensor([1., 3, 10]).var(
        correction=0).item())
    assert score[4] == pytest.approx(torch.tensor([0., 1, 2, 3, 5]).var(
        correction=0).item())


@pytest.mark.parametrize('block, share, hidden', [
    (2, 4 / 20, [6, 7, 11, 12]),  # one more to the right and below
    (3, 9 / 20, [0, 1, 2, 5, 6, 7, 10, 11, 12]),
    (3, 4 / 20, [0, 1, 2, 5]),  # cut, row by row
])
def test_seeds_grow_into_blocks(block, share, hidden):
    score = torch.zeros(1, 20)
    score[0, 6] = 1.
    grown = DSHMMasking(0.8, hard_share=share, block=block).grow(
        score, (4, 5))
    assert grown[0].nonzero().flatten().tolist() == hidden


@pytest.mark.parametrize('kind, lost, words', [
    (CharacterSpanMasking, 'aspect', "meta_keys=.'aspect'"),
    (DSHMMasking, 'features', 'MIM and LMIM give')])
def test_what_is_needed_is_asked_for(kind, lost, words):
    context = dict(known((4, 8)), **{lost: None})
    with pytest.raises(ValueError, match=words):
        kind()(6, (4, 8), CPU, context=context)


def test_shares_and_bounds_are_checked():
    with pytest.raises(ValueError, match='between 0 and that, got 0.5'):
        InkMasking(0.4)
    with pytest.raises(ValueError, match='1 or more, got'):
        CharacterSpanMasking(bounds=(0.5, 16))


@pytest.mark.parametrize('kind', KINDS)
@pytest.mark.parametrize('branches', ['none', 'both'])
def test_lmim_passes_on_what_masks_need(lmim, views, kind, branches):
    """A batch as the loader gives it, and each picture masked by its own."""
    model = lmim(branches=branches)
    model.backbone.mask = kind()
    aspect = torch.tensor([1., 4., 9.])
    draws = model.draw_noise(3, seed=2)
    found = model.predict(views, draws, dict(aspect=aspect))
    expected = kind()(3, (2, 8), CPU, draws, dict(
        images=views[0], aspect=aspect,
        features=model.target_generator(views[0]))).mask
    assert torch.equal(found.mask, expected)
    losses = model.loss(views, dict(sample_idx=torch.arange(3),
                                    aspect=aspect))
    assert torch.isfinite(sum(losses.values()))
