"""HSG: segments, graphs, losses, groups, and the term in pre-training."""
import pytest
import torch
import torch.nn.functional as F
from mmocr.registry import MODELS

from lmim.models.heads import grouping_losses
from lmim.models.heads.grouping_losses import (collapse_loss, contrast,
                                               modularity_loss,
                                               nearest_nodes)
from lmim.models.layers.segments import (find_segments, grid_labels,
                                         spherical_kmeans, with_places)
from lmim.models.necks.regions import regions_of_tokens
from lmim.utils.errors import UserError
from lmim.utils.log import quiet
from .conftest import LMIM, build, loaded_encoder
from .test_ccd import straight

HEAD = dict(
    type='HierarchicalGroupingHead', in_dims=16, embed_dims=8, grid=(2, 8),
    seeds=(1, 4), iterations=3, num_groups=(3, 2), num_heads=2, dropout=0.)
HSG = dict(
    type='HSG',
    backbone=LMIM['backbone'],
    neck=dict(type='MAEDecoder', in_dims=16, out_dims=48, embed_dims=24,
              num_layers=1, num_heads=2, grid=(2, 8)),
    target_generator=dict(type='PixelTarget', patch_size=4),
    grouping_head=HEAD)


@pytest.fixture(autouse=True)
def few_lines():
    """MMEngine says of each weight that it is as it was."""
    with quiet():
        yield


def units(*shape, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return F.normalize(torch.randn(*shape, generator=generator).double(),
                       dim=-1)


@pytest.fixture
def samples():
    maps = torch.zeros(3, 8, 32, dtype=torch.uint8)
    maps[0, :, 2:8], maps[0, :, 12:20], maps[1, :, 4:16] = 1, 2, 1
    warp = straight(3, ((1., 0., 0.2), (0., 1., 0.)))
    warp[:, :, 28:, 2] = 0
    return dict(region_map=maps, guidance_warp=warp)


def test_rectangles_are_numbered_by_columns():
    assert grid_labels((2, 6), (2, 3)).view(2, 6).tolist() == [
        [0, 0, 2, 2, 4, 4], [1, 1, 3, 3, 5, 5]]
    # More than there are places leave no gaps.
    assert grid_labels((1, 3), (4, 9)).tolist() == [0, 1, 2]


def test_pictures_are_clustered_at_once_as_one_by_one():
    vectors = units(4, 12, 5)
    labels = grid_labels((2, 6), (1, 3))
    valid = torch.rand(4, 12, generator=torch.Generator().manual_seed(0)) > .3
    together = spherical_kmeans(vectors, labels, 4, valid)
    for number in range(4):
        kept = valid[number]
        alone = labels[kept]
        for _ in range(4):
            centers = torch.stack([
                F.normalize(vectors[number, kept][alone == each].sum(0), dim=0)
                for each in range(3)])
            alone = (vectors[number, kept] @ centers.T).argmax(1)
        assert torch.equal(together[number, kept], alone)


def test_segments_are_cut_by_regions():
    features = units(4, 2, 8, 6).permute(0, 3, 1, 2)
    region = (torch.arange(8) >= 5).long().expand(4, 2, 8)
    valid = torch.ones(4, 2, 8, dtype=torch.bool)
    valid[1, :, :3] = False
    found = find_segments(features, region, valid, (1, 2), 2)
    labels = spherical_kmeans(with_places(features), grid_labels(
        (2, 8), (1, 2)), 2, valid.flatten(1))
    names = [(view, int(labels[view, place]), int(region.flatten(1)[0, place]))
             for view in range(4) for place in range(16)
             if valid.flatten(1)[view, place]]
    order = sorted(set(names))
    assert found.of_pixel.tolist() == [order.index(name) for name in names]
    assert list(zip(found.view.tolist(), found.region.tolist())) == [
        (view, each) for view, _, each in order]
    assert found.picture.tolist() == [view // 2 for view, *_ in order]
    first = order.index(next(name for name in order if name[0] == 2))
    assert found.node.tolist() == [*range(first), *range(len(order) - first)]
    mean = found.features[found.of_pixel == 1].sum(0)
    torch.testing.assert_close(found.means[1], mean / mean.norm())
    nodes = found.as_nodes(found.means, 9)
    assert nodes.shape == (2, 9, 6) and torch.equal(nodes[1, 0],
                                                    found.means[first])
    assert found.real_nodes(9).sum(1).tolist() == [first, len(order) - first]


@pytest.mark.parametrize('rows', [8192, 3])
def test_contrast_is_that_of_the_formula(monkeypatch, rows):
    monkeypatch.setattr(grouping_losses, 'ROWS', rows)
    vectors, means = units(7, 5).requires_grad_(), units(4, 5, seed=1)
    own = torch.tensor([0, 1, 2, 3, 0, 1, 1])
    labels = torch.tensor([[0, 0, 1, 1], [0, 1, 2, 2], [3, 3, 3, 3]])
    wanted = []
    for names in labels.tolist():
        total = 0.
        for vector, segment in zip(vectors, own.tolist()):
            e = (16 * (means @ vector)).exp()
            near = sum(e[j] for j in range(4)
                       if names[j] == names[segment] and j != segment)
            near = near if torch.is_tensor(near) else e[segment]
            far = sum(e[j] for j in range(4) if names[j] != names[segment])
            total = total - (near / (near + far)).log()
        wanted.append(total / 7)
    found = contrast(vectors, own, labels, means)
    torch.testing.assert_close(found, torch.stack(wanted))
    assert found[2] == 0  # none is of another label
    slopes = [torch.autograd.grad(each.sum(), vectors, retain_graph=True)[0]
              for each in (found, sum(wanted))]
    torch.testing.assert_close(*slopes)
    torch.testing.assert_close(
        contrast(vectors.float(), own, labels[0], means.float()).double(),
        wanted[0], rtol=1e-6, atol=1e-6)


def test_nodes_are_linked_in_each_view():
    angle = torch.tensor([0., 0.1, 0.3, 0.25, 1., 0.]).double()
    nodes = torch.stack([angle.cos(), angle.sin()], 1)[None]
    view = torch.tensor([[0, 0, 0, 1, 1, 0]])
    padding = torch.tensor([[False] * 5 + [True]])
    graph = nearest_nodes(nodes, view, padding, 2, neighbors=1)[0]
    assert graph.tolist() == [
        [0, 1, 0, 1, 0, 0], [1, 0, 0, 1, 0, 0], [0, 1, 0, 1, 0, 0],
        [0, 0, 1, 0, 1, 0], [0, 0, 1, 1, 0, 0], [0] * 6]
    # One that is alone is linked to itself, or there would be nothing.
    alone = torch.tensor([[False] + [True] * 5])
    assert nearest_nodes(nodes, view, alone, 2).sum() == 1


def cliques(*sizes):
    return torch.block_diag(*(1 - torch.eye(size) for size in sizes))[None]


def test_values_on_two_cliques():
    graph = cliques(4, 2)
    probs = F.one_hot(torch.tensor([[0] * 4 + [1] * 2]), 2).mT.float()
    # Degrees 12 and 2 of 14: 1 - modularity is the sum of their squares.
    wanted = (12 / 14)**2 + (2 / 14)**2
    assert modularity_loss(probs, graph).item() == pytest.approx(wanted)
    assert modularity_loss(probs, graph, True).item() == pytest.approx(
        0.5 + wanted / 4)
    counts = torch.tensor([6])
    assert collapse_loss(probs, counts).item() == pytest.approx(
        2**0.5 * 20**0.5 / 6)
    even = torch.full_like(probs, 0.5)
    assert collapse_loss(even, counts).item() == pytest.approx(1)
    assert modularity_loss(even, graph).item() == pytest.approx(1)


def test_unbalanced_cliques_end_in_two_groups():
    """From chance, and of four groups that there might be."""
    graph = cliques(9, 3)
    graph[0, 2, 10] = 1  # a link between them
    logits = torch.randn(1, 4, 12, generator=torch.Generator().manual_seed(2))
    logits.requires_grad_()
    optimizer = torch.optim.Adam([logits], 0.1)
    for _ in range(200):
        probs = logits.softmax(1)
        loss = modularity_loss(probs, graph) + 0.05 * collapse_loss(
            probs, torch.tensor([12]))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    groups = logits.argmax(1)[0].tolist()
    assert len(set(groups[:9])) == len(set(groups[9:])) == 1
    assert groups[0] != groups[9]


@pytest.mark.parametrize('norm', ['LN', 'BN'])
def test_a_head_learns_to_tell_what_is_unlike(norm):
    """Twelve tokens of one direction and four of another, in any place."""
    head = build(HEAD, in_dims=8, embed_dims=None, grid=(1, 16),
                 seeds=(1, 16), num_groups=(2, ), num_layers=1, num_views=1,
                 norm=norm, region_weight=0, group_weight=0)
    head.init_weights()
    generator = torch.Generator().manual_seed(0)

    def draw(count):
        start = torch.randint(13, (count, 1), generator=generator)
        place = torch.arange(16)
        shown = ((place >= start) & (place < start + 4)).long()
        noise = torch.randn(count, 16, 8, generator=generator)
        return torch.eye(8)[2 * shown] + 0.05 * noise, shown

    def group(tokens):
        everywhere = torch.zeros(len(tokens), 1, 16, dtype=torch.long)
        segments = head.segment(head.project(tokens), everywhere,
                                everywhere == 0)
        return segments, head.group(segments)

    optimizer = torch.optim.Adam(head.parameters(), 5e-3)
    for _ in range(100):
        losses = head.loss(*group(draw(8)[0]))
        assert list(losses) == ['loss_modularity', 'loss_collapse',
                                'loss_centers']
        optimizer.zero_grad()
        sum(losses.values()).backward()
        optimizer.step()
    head.eval()
    tokens, shown = draw(20)
    segments, levels = group(tokens)
    found = head.pixel_groups(segments, levels[0])[:, 0]
    agree = (found == shown).float().mean(1)
    assert torch.maximum(agree, 1 - agree).mean() > 0.95


def test_regions_are_carried_to_the_tokens_of_both_views():
    maps = torch.zeros(1, 8, 32, dtype=torch.uint8)
    maps[0, :, 4:12], maps[0, :2, 12:14] = 1, 2
    maps[0, :, 20:24] = 3
    # A quarter of the width to the left: 8 pixels, two tokens.
    warp = straight(1, ((1., 0., 0.5), (0., 1., 0.)))
    warp[:, :, 24:, 2] = 0
    found = regions_of_tokens(maps, warp, (2, 8))
    assert found.maps[0].tolist() == [[0, 1, 1, 2, 0, 3, 0, 0],
                                      [0, 1, 1, 0, 0, 3, 0, 0]]
    assert found.maps[1, 1].tolist() == [1, 0, 0, 3, 0, 0, 0, 0]
    assert found.inside[0].all()
    assert found.inside[1, 0].tolist() == [True] * 6 + [False] * 2
    assert regions_of_tokens(maps, warp, (2, 8), 0.3).maps[0, 0, 3] == 0


@pytest.mark.parametrize('guided', [False, True])
def test_every_weight_learns(views, samples, guided):
    changes: dict = {}
    if guided:
        changes = dict(
            neck=LMIM['neck'], target_generator=LMIM['target_generator'],
            alignment_head=dict(type='LinguisticsAlignmentHead'))
    model = build(HSG, **changes)
    model.init_weights()
    losses = model.loss(views, samples)
    names = ['loss_recon', 'loss_align', 'loss_regions', 'loss_groups',
             'loss_modularity', 'loss_collapse', 'loss_centers']
    assert list(losses) == [name for name in names
                            if guided or name != 'loss_align']
    for name in ('loss_regions', 'loss_groups'):
        model.zero_grad()
        losses[name].backward(retain_graph=True)
        assert model.backbone.patch_embed.projection.weight.grad.any(), name
        assert model.grouping_head.projector[0].weight.grad.any(), name
    sum(losses.values()).backward()
    assert not [name for name, p in model.named_parameters()
                if p.requires_grad and p.grad is None]


def test_what_is_drawn_and_what_is_lacking(views, samples, tmp_path):
    model = build(HSG).eval()
    model.init_weights()
    found = model.predict(views, data_samples=samples)
    assert list(found.pictures) == [
        f'{name}, view {number}' for name in
        ('regions', 'fine groups', 'coarse groups') for number in (1, 2)]
    first = found.pictures['regions, view 1']
    assert first.shape == (3, 8, 32) and first[0, :, 12:20].eq(2).all()
    groups = found.pictures['fine groups, view 2']
    assert (groups[:, :, 28:] == 0).all() and groups[:, :, :28].all()
    with pytest.raises(UserError, match='HSG needs region_map and guidance_'):
        model.loss(views, torch.arange(3))
    with pytest.raises(UserError, match='raise it, or leave it out'):
        model.grouping_head.published_nodes = 2
        model.loss(views, samples)
    vit = loaded_encoder(model, tmp_path)
    torch.testing.assert_close(vit(views[0]),
                               model.backbone(views[0], mask=False))


@pytest.mark.parametrize('changes, words', [
    (dict(embed_dims=9), 'an even multiple'), (dict(norm='GN'), 'norm must'),
    (dict(concentration=50), 'up to 40')])
def test_settings_that_make_no_sense(changes, words):
    with pytest.raises(UserError, match=words):
        MODELS.build(dict(HEAD, _scope_='mmocr', **changes))


