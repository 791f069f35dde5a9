"""A moving average of the encoder as its own teacher."""
from copy import deepcopy

import pytest
import torch
import torch.nn.functional as F
from mmengine.optim import build_optim_wrapper

from lmim.utils.errors import UserError

from .conftest import ENCODER, LMIM, build

EMA = dict(type='EMATarget', momentum=0.25, end_momentum=0.)


def with_ema(**options):
    model = build(LMIM, target_generator=dict(EMA, **options))
    model.init_weights()
    return model


def trained(model, views, steps, first=0, total=10):
    """Train a model as the hook would; the same steps draw the same."""
    optimizer = torch.optim.SGD(
        [p for p in model.parameters() if p.requires_grad], 0.1)
    target = model.target_generator
    target.begin_average()
    for step in range(first, steps):
        torch.manual_seed(step)
        optimizer.zero_grad()
        sum(model.loss(views).values()).backward()
        optimizer.step()
        target.move_average(step, total)
    return model


def test_average_has_the_closed_form():
    """Towards constant weights: w + (w0 - w) * product of (1 - momentum)."""
    model = with_ema()
    target, weight = model.target_generator, model.backbone.cls_token
    target.begin_average()
    start = weight.detach().clone()
    assert torch.equal(target.encoder.cls_token, start)
    with torch.no_grad():
        weight += 1
    left = 1.
    for step in range(8):
        target.move_average(step, 10)
        left *= 1 - 0.25 * (1 - step / 10)
        torch.testing.assert_close(target.encoder.cls_token,
                                   weight - left)
    assert target.steps == 9
    target.begin_average()  # begun already, as after a resume
    torch.testing.assert_close(target.encoder.cls_token, weight - left)


@pytest.mark.parametrize('options, step, wanted', [
    ({}, 0, .25), ({}, 5, .125), ({}, 10, 0.), ({}, 12, 0.),
    (dict(end_momentum=.05), 5, .15), (dict(anneal_steps=2), 1, .125),
    (dict(anneal_steps=2, end_momentum=.1), 7, .1)])
def test_momentum_changes_linearly(options, step, wanted):
    target = build(dict(EMA, **options))
    assert target.momentum_at(step, 10) == pytest.approx(wanted, abs=1e-12)


def test_average_takes_no_part_in_training(views):
    model = with_ema()
    before = trained(model, views, 1).target_generator.state_dict()
    before = {name: value.clone() for name, value in before.items()}
    assert not list(model.target_generator.parameters())
    wrapper = build_optim_wrapper(model, dict(
        type='OptimWrapper', optimizer=dict(type='AdamW', lr=0.1)))
    held = {p.data_ptr() for group in wrapper.optimizer.param_groups
            for p in group['params']}
    assert not held & {value.data_ptr() for value in
                       model.target_generator.state_dict().values()}
    model.train()
    assert not any(part.training for part in model.target_generator.modules())
    wrapper.update_params(sum(model.loss(views).values()))
    after = model.target_generator.state_dict()
    assert all(torch.equal(after[name], before[name]) for name in before)
    assert not model.target_generator(views[0].requires_grad_()).requires_grad
    # The encoder is the algorithm's alone.
    assert sum('cls_token' in name for name in model.state_dict()) == 2


def test_a_resumed_run_has_the_same_average_to_the_bit(views):
    whole = trained(with_ema(layers=2), views, 5)
    half = trained(with_ema(layers=2), views, 3)
    resumed = with_ema(layers=2)
    with torch.no_grad():
        resumed.backbone.cls_token += 9
    resumed.load_state_dict(deepcopy(half.state_dict()))
    trained(resumed, views, 5, first=3)
    wanted = whole.state_dict()
    assert wanted['target_generator.steps'] == 6
    for name, value in resumed.state_dict().items():
        assert torch.equal(value, wanted[name]), name


def test_without_momentum_it_is_the_frozen_teacher(views, teacher_file):
    """To the bit, also after the student has moved away."""
    frozen = build(dict(type='MAERecTargetExtractor', checkpoint=teacher_file,
                        encoder=ENCODER))
    frozen.init_weights()
    model = build(LMIM, target_generator=dict(EMA, momentum=0.), backbone=dict(
        LMIM['backbone'], init_cfg=dict(type='Pretrained',
                                        checkpoint=teacher_file)))
    model.init_weights()
    trained(model, views, 3)
    assert torch.equal(model.target_generator(views[0]), frozen(views[0]))
    assert not torch.equal(model.backbone(views[0], mask=False)[:, 1:],
                           model.target_generator.encoder(
                               views[0], mask=False)[:, 1:])


@pytest.mark.parametrize('layers, outputs', [
    (1, 'block'), (2, 'block'), (1, 'ffn'), (2, None)])
def test_mean_of_blocks_is_data2vecs(layers, outputs):
    model = with_ema(layers=layers, outputs=outputs)
    target = model.target_generator
    target.begin_average()
    # More images than a CPU encodes at once.
    images = torch.randn(20, 3, 8, 32)
    encoder, found = target.encoder, []
    tokens = encoder.embed(images)
    tokens = torch.cat([(encoder.cls_token + encoder.pos_embed[:, :1]).expand(
        20, -1, -1), tokens], dim=1)
    for block in encoder.layers:
        tokens = tokens + block.attn(block.ln1(tokens))
        hidden = F.gelu(block.ffn.layers[0][0](block.ln2(tokens)))
        update = block.ffn.layers[1](hidden)
        tokens = tokens + update
        found.append(tokens if outputs == 'block' else update)
    mean = sum((each[:, 1:] - each[:, 1:].mean(1, keepdim=True)) /
               (each[:, 1:].var(1, unbiased=False, keepdim=True) + 1e-5).sqrt()
               for each in found[-layers:]) / layers
    torch.testing.assert_close(target(images), F.layer_norm(mean, (16, )),
                               atol=1e-4, rtol=1e-4)
    assert not any(part._forward_hooks for part in encoder.modules())


def test_wrong_options_are_refused(views):
    for options, words in ((dict(layers=3), 'has 2 blocks'),
                           (dict(layers=0), 'layers to 1 ... 2'),
                           (dict(layers=2, outputs='final'), 'layers=1'),
                           (dict(outputs='attention'), "'attention'"),
                           (dict(momentum=1.5), 'between 0 and 1, got 1.5')):
        with pytest.raises(UserError, match=words):
            build(LMIM, target_generator=dict(EMA, **options))
    with pytest.raises(UserError, match="type='MovingAverageHook'"):
        with_ema().train().loss(views)
    with pytest.raises(UserError, match='num_masks must be 1 or more'):
        build(LMIM, num_masks=0)


def test_pixels_are_an_anchor(lmim, views):
    model = lmim(pixel_weight=0.5)
    noise = torch.rand(3, 16)
    found = model.predict(views, noise)
    losses = model.loss(views, noise=noise)
    assert set(losses) == {'loss_recon', 'loss_pixel', 'loss_align'}
    assert found.pred.shape == found.target.shape == (3, 16, 16)
    pixels, wanted = found.pixels
    assert torch.equal(wanted, build(dict(type='PixelTarget'))(views[0]))
    error = ((pixels - wanted)**2).mean(-1)
    torch.testing.assert_close(
        losses['loss_pixel'],
        0.5 * (error * found.mask).sum() / found.mask.sum())
    # They are read from the decoder's last linear layer, which both share.
    assert model.neck.decoder_pred.weight.shape == (16 + 48, 24)
    sum(losses.values()).backward()
    assert all(p.grad is not None for p in model.parameters()
               if p.requires_grad)


def test_smooth_l1_is_the_formula():
    head = build(dict(type='ReconstructionHead', loss=dict(
        type='SmoothL1ReconstructionLoss', beta=0.5)))
    pred, target = torch.randn(2, 2, 16, 4)
    mask = (torch.rand(2, 16) > 0.5).float()
    off = (pred - target).abs()
    error = torch.where(off < 0.5, off**2, off - 0.25).mean(-1)
    torch.testing.assert_close(head.loss(pred, target, mask),
                               (error * mask).sum() / mask.sum())
