"""Alignments of the two views: what they cost, and which can collapse."""
import math

import pytest
import torch
import torch.nn.functional as F
from mmengine.logging import MessageHub

from lmim.utils.errors import UserError

from .conftest import LMIM, build

VARIANCE = dict(type='LinguisticsAlignmentHead', variance_weight=2.)
CONTRAST = dict(type='ContrastiveAlignmentHead', temperature=0.5)
PROJECTED = dict(CONTRAST, projection='mlp', in_dims=16, out_dims=8)
PREDICTOR = dict(type='PredictorAlignmentHead', in_dims=16, hidden_dims=12)


@pytest.fixture
def pairs():
    torch.manual_seed(2)
    return torch.randn(6, 16), 0.3 * torch.randn(6, 16)


def test_variance_term_is_the_formula(pairs):
    plain = build(dict(type='LinguisticsAlignmentHead')).loss(*pairs)
    lack = sum((1 - (each.var(dim=0) + 1e-4).sqrt()).clamp(min=0).mean()
               for each in pairs)
    wanted = F.mse_loss(*pairs) + 2 * lack
    assert torch.equal(plain, F.mse_loss(*pairs))
    torch.testing.assert_close(build(VARIANCE).loss(*pairs), wanted)
    # Views that spread widely cost nothing more.
    wide = pairs[0] * 100
    assert build(VARIANCE).loss(wide, wide) == 0


def test_contrast_is_infonce_of_the_words(pairs):
    every = torch.cat(pairs)
    cosines = torch.stack([F.cosine_similarity(one, every) for one in every])
    terms = [-math.log(math.exp(cosines[i, (i + 6) % 12] / .5) / sum(
        math.exp(cosines[i, j] / .5) for j in range(12) if j != i))
        for i in range(12)]
    assert build(CONTRAST).loss(*pairs).item() == pytest.approx(
        sum(terms) / 12, rel=1e-5)


def test_predictor_is_byols(pairs):
    head = build(PREDICTOR)
    first, second = (each.clone().requires_grad_() for each in pairs)
    loss = head.loss(first, second)
    predicted = F.normalize(head.predictor(pairs[0]), dim=1)
    wanted = (predicted - F.normalize(pairs[1], dim=1)).square().sum(1).mean()
    torch.testing.assert_close(loss, wanted)
    loss.backward()
    assert first.grad.abs().sum() > 0 and second.grad is None


@pytest.mark.parametrize('cfg, cost', [
    (dict(type='LinguisticsAlignmentHead'), 0.),
    (VARIANCE, 2 * 2 * (1 - 0.01)), (CONTRAST, math.log(11)),
    (PROJECTED, math.log(11))])
def test_what_a_constant_costs(cfg, cost):
    constant = torch.randn(1, 16).expand(6, 16)
    loss = build(cfg).loss(constant, constant)
    assert loss.item() == pytest.approx(cost, abs=1e-5)


@pytest.mark.parametrize('cfg', [VARIANCE, CONTRAST, PREDICTOR])
def test_several_masks_cost_their_mean(cfg, pairs):
    head = build(dict(cfg, loss_weight=3.))
    masks = torch.randn(2, 6, 16)
    both = head.loss(masks.flatten(0, 1), pairs[1])
    torch.testing.assert_close(both, sum(
        head.loss(mask, pairs[1]) for mask in masks) / 2)


@pytest.mark.parametrize('cfg', [VARIANCE, CONTRAST, PROJECTED, PREDICTOR])
def test_each_is_one_option(lmim, views, cfg):
    model = lmim(alignment_head=cfg)
    losses = model.loss(views)
    assert set(losses) == {'loss_recon', 'loss_align'}
    losses['loss_align'].backward(retain_graph=True)
    assert model.backbone.layers[0].attn.qkv.weight.grad.abs().sum() > 0
    losses['loss_recon'].backward()
    assert all(p.grad is not None for p in model.parameters()
               if p.requires_grad)


def test_predictor_looks_at_the_moving_average(lmim, views):
    MessageHub.get_current_instance().update_info('max_iters', 10**6)
    model = lmim(alignment_head=PREDICTOR)
    model.begin_average()
    for _ in range(2):
        # Far from the model, the twin's [CLS] is what is predicted.
        visible, guidance, seen = model.predict(
            views, torch.rand(3, 16)).tokens
        assert not seen.requires_grad and guidance.requires_grad
        torch.testing.assert_close(
            seen, model.twin['backbone'](views[1], mask=False))
        with torch.no_grad():
            model.backbone.cls_token += 1
    assert not torch.allclose(seen, guidance)
    assert 'ema.module.backbone.cls_token' in model.state_dict()
    # Where nothing is aligned there is no twin, and another may be named.
    assert lmim(alignment_head=PREDICTOR, branches='guidance').ema is None
    cfg = dict(type='ExponentialMovingAverage', momentum=0.5)
    assert lmim(alignment_head=PREDICTOR, ema=cfg).ema.momentum == 0.5


def test_a_head_of_another_width_is_refused():
    with pytest.raises(UserError, match='alignment_head.in_dims=16'):
        build(LMIM, alignment_head=dict(type='PredictorAlignmentHead'))
