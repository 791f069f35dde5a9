"""CCD: regions in two views, the centre, text and background, short-cuts."""
import math

import pytest
import torch
import torch.distributed as dist
import torch.nn.functional as F
from mmengine.logging import MessageHub
from mmocr.registry import MODELS

from lmim.checkpoints import CheckpointError, extract_encoder, open_checkpoint
from lmim.models.selfsup.ccd_checkpoints import resample_positions
from lmim.utils.errors import UserError
from tests.data.make_reference import CCD_SIZES, ccd_state
from tests.processes import needs_fork, run_on_processes
from .conftest import ENCODER, build, loaded_encoder

CCD = dict(
    type='CCD',
    backbone=dict(ENCODER, pos_embed='grid', freeze_pos_embed=False),
    neck=dict(type='GlyphSegmentation', in_dims=16, taps=(1, 2), embed_dims=8,
              tap_dims=6, out_dims=8, grid=(2, 8)),
    regions=dict(type='CharacterRegions', grid=(2, 8)),
    projector=dict(type='PrototypeProjector', in_dims=16, hidden_dims=24,
                   bottleneck_dims=6, num_prototypes=20),
    distillation_head=dict(type='DistillationHead', num_prototypes=20),
    own_regions=None)


def initialised(**changes):
    MessageHub.get_current_instance().update_info('max_iters', 100)
    MessageHub.get_current_instance().update_info('iter', 0)
    model = build(CCD, **changes)
    model.init_weights()
    model.begin_average()
    return model.train()


@pytest.fixture
def ccd():
    return initialised()


@pytest.fixture
def samples():
    """Regions of three pictures of 8x32; the third is blank."""
    maps = torch.zeros(3, 8, 32, dtype=torch.uint8)
    maps[0, :, 2:8], maps[0, :, 12:20], maps[0, 2:6, 24:30] = 1, 2, 3
    maps[1, :, 4:16], maps[1, 0, 20:] = 1, 255
    return dict(glyph_map=maps, guidance_warp=straight(3))


def straight(count, matrix=((1., 0., 0.), (0., 1., 0.))):
    """A warp that moves by a matrix, inside throughout."""
    places = F.affine_grid(torch.tensor(matrix).expand(count, 2, 3),
                           [count, 1, 8, 32], align_corners=False)
    return torch.cat([places, torch.ones(count, 8, 32, 1)], dim=3)


def test_regions_are_carried_by_what_bent_the_view(ccd, samples):
    maps = samples['glyph_map']
    regions = ccd.regions(maps, maps > 0, samples['guidance_warp'])
    same = regions.numbered()
    assert torch.equal(same, torch.cat([maps, maps]))
    # Half a width to the right: a quarter of the width, 8 pixels.
    moved = straight(3, ((1., 0., -0.5), (0., 1., 0.)))
    bent = ccd.regions(maps, maps > 0, moved).numbered()[3:]
    assert torch.equal(bent[:, :, 8:], maps[:, :, :-8])
    assert not bent[:, :, :8].any()
    # Outside of the picture there is nothing, wherever the warp points.
    moved[..., 2] = 0
    assert not ccd.regions(maps, maps > 0, moved).text[3:].any()


def test_tokens_are_averaged_over_regions(ccd, samples):
    maps = samples['glyph_map']
    regions = ccd.regions(maps, maps > 0, samples['guidance_warp'])
    # n + 1 places of n regions, four at the least; one is not on the grid.
    assert regions.slots.sum(dim=1).tolist() == [4, 4, 4]
    tokens = torch.randn(6, 16, 5)
    regular, other = ccd.regions.pool(tokens, regions)
    assert regular.shape == other.shape == (12, 5)
    grid = tokens[0].view(2, 8, 5)
    # Two pixels of columns 0 and 1 each are looked at: 2, 5 and 6 are text.
    torch.testing.assert_close(
        regular[0], (grid[:, 0] * 0.5 + grid[:, 1]).sum(0) / 3)
    torch.testing.assert_close(regular[1], grid[:, 3:5].mean((0, 1)))
    assert not regular[3].any() and not regular[8:].any()
    alone = MODELS.build(dict(CCD['regions'], padded=False, mode='area',
                              _scope_='mmocr'))
    regions = alone(maps, maps > 0, samples['guidance_warp'])
    assert regions.slots.sum(dim=1).tolist() == [3, 1, 0]
    regular, _ = alone.pool(tokens, regions)
    torch.testing.assert_close(
        regular[0], (grid[:, 0] + 2 * grid[:, 1]).sum(0) / 6)


def test_regions_of_the_model_take_their_place_later(ccd, samples):
    logits = torch.zeros(6, 2, 8, 32)
    logits[0, 1, :, 10:20] = logits[3, 1] = 1
    found = ccd.find_regions(logits, samples).numbered()
    assert torch.equal(found[:3], samples['glyph_map'])
    ccd.own_regions = 0.3
    hub = MessageHub.get_current_instance()
    for done, own in ((29, False), (30, True)):
        hub.update_info('iter', done)
        found = ccd.find_regions(logits, samples).numbered()
        assert (found[0, :, 10:20] == 1).all() == own
        # What is text is learnt from grey values all the same.
        assert torch.equal(found[:3] > 0, (samples['glyph_map'] > 0) | (
            (found[:3] == 1) if own else torch.tensor(False)))
    hub.update_info('iter', 0)


def test_what_the_pipeline_lacks_is_told(ccd, views):
    with pytest.raises(UserError, match='needs glyph_map and guidance_warp'):
        ccd.loss(views, torch.arange(3))
    with pytest.raises(UserError, match='blocks 1 ... 2, and taps are'):
        ccd.backbone.forward_taps(views[0], (1, 3))


def test_every_weight_learns_but_those_of_the_average(ccd, views, samples):
    for regions in (samples, dict(samples, glyph_map=torch.zeros(
            3, 8, 32, dtype=torch.uint8))):
        ccd.zero_grad()
        losses = ccd.loss(views, regions)
        assert list(losses) == ['loss_seg', 'loss_dis']
        sum(losses.values()).backward()
        trained = {name for name, p in ccd.named_parameters()
                   if p.requires_grad}
        assert trained == {name for name, p in ccd.named_parameters()
                           if p.grad is not None}
        assert not any(name.startswith('ema.') for name in trained)
        assert {'backbone.pos_embed', 'projector.gain'} <= trained


def test_pictures_without_regions_cost_nothing(views, samples):
    model = initialised(regions=dict(CCD['regions'], padded=False))
    samples['glyph_map'].zero_()
    losses = model.loss(views, samples)
    assert losses['loss_dis'] == 0
    sum(losses.values()).backward()
    assert not model.distillation_head.center.any()


def test_the_average_drops_nothing(samples, views):
    model = initialised(backbone=dict(CCD['backbone'], drop_path_rate=0.9))
    assert model.backbone.training and not model.twin.training
    keys = [model.predict(views, data_samples=samples).keys
            for _ in range(2)]
    assert all(map(torch.equal, *keys))


def test_prototypes_wait(ccd):
    features = torch.randn(4, 16)
    ccd.projector.frozen = 0.1
    hub = MessageHub.get_current_instance()
    for done, still in ((9, True), (10, False)):
        hub.update_info('iter', done)
        ccd.zero_grad()
        ccd.projector(features).square().sum().backward()
        assert (ccd.projector.prototypes.grad == 0).all() == still
        assert (ccd.projector.gain.grad == 0).all() == still
        assert ccd.projector.mlp[0].weight.grad.any()
    hub.update_info('iter', 0)
    # Cosines times gains.
    assert ccd.projector(features).abs().max() <= 1 + 1e-6
    fixed = build(dict(CCD['projector'], fixed_gain=True))
    assert not fixed.gain.requires_grad


def test_segmentation_loss_is_softened_once_more_by_default(ccd):
    sure = torch.tensor([-50., 50.]).view(1, 2, 1, 1)
    text = torch.ones(1, 1, 1, dtype=torch.bool)
    least = math.log(1 + math.exp(-1))  # 0.3133
    assert ccd.segmentation_loss(sure, text).item() == pytest.approx(least)
    ccd.seg_logits = True
    assert ccd.segmentation_loss(sure, text).item() == pytest.approx(0.)


def head(**options):
    return MODELS.build(dict(CCD['distillation_head'], _scope_='mmocr',
                             **options))


def test_distillation_is_the_formula():
    torch.manual_seed(0)
    first, second, one, two = torch.randn(4, 7, 20)
    module = head(loss_weight=3.)
    module.center.copy_(torch.randn(1, 20))
    center = module.center.clone()

    def entropy(key, query):
        target = torch.softmax((key - center) / 0.04, dim=1)
        return -(target * torch.log_softmax(query / 0.1, 1)).sum(1).mean()

    loss = module.loss([first, second], [one, two])
    torch.testing.assert_close(
        loss, 3 * (entropy(one, first) + entropy(two, second)) / 2)
    torch.testing.assert_close(
        module.center,
        0.9 * center + 0.1 * torch.cat([one, two]).mean(0, keepdim=True))
    moved = module.center.clone()
    module.eval().loss([first, second], [one, two])
    assert torch.equal(module.center, moved)
    with pytest.raises(UserError, match='temperatures must be positive'):
        head(key_temperature=0.)


def spread_of_keys(momentum):
    """Entropy of the mean key, after training on noise, from 0 to 1."""
    torch.manual_seed(0)
    hub = MessageHub.get_current_instance()
    hub.update_info('max_iters', 1000)
    projector = build(dict(CCD['projector'], num_prototypes=8))
    twin = build(dict(CCD['projector'], num_prototypes=8))
    twin.load_state_dict(projector.state_dict())
    module = head(num_prototypes=8, center_momentum=momentum)
    module.center.zero_()
    optimizer = torch.optim.AdamW(projector.parameters(), 3e-3)
    for _ in range(100):
        words = torch.randn(64, 16)
        views = [words + 0.3 * torch.randn(64, 16) for _ in range(2)]
        with torch.no_grad():
            keys = [twin(view) for view in views]
        optimizer.zero_grad()
        module.loss([projector(view) for view in views],
                    keys[::-1]).backward()
        optimizer.step()
        with torch.no_grad():
            for average, weight in zip(twin.parameters(),
                                       projector.parameters()):
                average.lerp_(weight, 0.1)
    key = ((twin(torch.randn(500, 16)) - module.center) / 0.04).softmax(1)
    mean = key.mean(0)
    return -(mean * mean.clamp_min(1e-12).log()).sum().item() / math.log(8)


def test_the_centre_keeps_prototypes_apart():
    """Without it all keys are of one prototype, whatever the picture."""
    assert spread_of_keys(1.) < 0.05
    assert spread_of_keys(0.9) > 0.2


@needs_fork
def test_processes_distil_as_one_with_the_whole_batch(tmp_path):
    """Also where they have different numbers of regions."""
    generator = torch.Generator().manual_seed(0)
    queries, keys = torch.randn(2, 10, 20, generator=generator)
    parts = (slice(0, 3), slice(3, 10))

    def result(part):
        own = queries[part].clone().requires_grad_()
        module = head()
        loss = module.loss([own, own], [keys[part], keys[part] * 2])
        loss.backward()
        # Keys without their centre would not tell of it.
        again = module.loss([own, own], [keys[part], keys[part] * 2])
        return loss.item(), again.item(), own.grad, module.center

    def run(rank):
        torch.set_num_threads(1)
        dist.init_process_group('gloo')
        torch.save(result(parts[rank]), tmp_path / f'{rank}.pth')

    loss, again, gradient, center = result(slice(None))
    assert run_on_processes(2, run) == [0, 0]
    halves = [torch.load(tmp_path / f'{rank}.pth') for rank in range(2)]
    # Distributed training averages what processes have.
    assert sum(each[0] for each in halves) / 2 == pytest.approx(loss)
    assert sum(each[1] for each in halves) / 2 == pytest.approx(again)
    torch.testing.assert_close(
        torch.cat([each[2] for each in halves]) / 2, gradient)
    for each in halves:
        torch.testing.assert_close(each[3], center)


def test_its_checkpoint_serves_recognizers_with_the_average(ccd, tmp_path):
    with torch.no_grad():
        ccd.twin['backbone'].ln1.bias += 1
    vit = loaded_encoder(ccd, tmp_path)
    images = torch.randn(2, 3, 8, 32)
    torch.testing.assert_close(vit(images), ccd.twin['backbone'](images))
    assert not torch.allclose(vit(images), ccd.backbone(images))
    alone = extract_encoder(open_checkpoint(tmp_path / 'method.pth'))
    assert torch.equal(alone.checkpoint.weights['backbone.ln1.bias'],
                       ccd.twin['backbone'].ln1.bias)


def test_published_checkpoints_are_read(tmp_path):
    state = ccd_state(0)
    content = {twin: {
        name.replace(f'{twin}.', 'module.'): torch.from_numpy(value)
        for name, value in state.items() if name.startswith(twin)}
        for twin in ('student', 'teacher')}
    path = tmp_path / 'published.pth'
    torch.save(dict(content, epoch=2), path)
    cfg = dict(
        type='TextViT', img_size=(32, 128),
        arch=dict(embed_dims=8, num_layers=6, num_heads=2,
                  feedforward_channels=32),
        init_cfg=dict(type='Pretrained', checkpoint=str(path)))
    assert CCD_SIZES['embed_dims'] == 8
    vit = build(cfg, with_cls_token=False)
    vit.init_weights()
    teacher = content['teacher']
    assert torch.equal(vit.layers[5].attn.qkv.weight,
                       teacher['module.backbone.blocks.5.attn.qkv.weight'])
    wanted = resample_positions(teacher['module.backbone.pos_embed'])
    assert torch.equal(vit.pos_embed, wanted)
    with pytest.raises(CheckpointError, match='with_cls_token=False'):
        build(cfg).init_weights()
    # Resampled once, however often they are read.
    opened = open_checkpoint(path)
    assert opened.kind.key == 'ccd-pretrain'
    assert torch.equal(opened.by_our_names()['ema.module.backbone.pos_embed'],
                       wanted)


def test_positions_are_resampled_as_the_code_does():
    """Bicubically (a = -0.75), at (i + 0.5) * 16 / 32.1 - 0.5."""
    row = torch.randn(16).double()
    square = row[None, :].expand(16, 16).reshape(1, 256, 1)
    found = resample_positions(square).view(8, 32)
    torch.testing.assert_close(found, found[:1].expand(8, -1))
    for column in (5, 16, 26):
        at = (column + 0.5) * 16 / 32.1 - 0.5
        wanted = 0.
        for place in range(math.floor(at) - 1, math.floor(at) + 3):
            far = abs(at - place)
            weight = (1.25 * far**3 - 2.25 * far**2 + 1 if far <= 1 else
                      -0.75 * (far**3 - 5 * far**2 + 8 * far - 4))
            wanted += weight * row[place].item()
        assert found[0, column].item() == pytest.approx(wanted, abs=1e-5)
