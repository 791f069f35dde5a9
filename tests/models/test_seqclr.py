"""SeqCLR: what is contrasted with what; and the moving average of a method."""
import math

import pytest
import torch
import torch.distributed as dist
from mmengine.logging import MessageHub
from mmocr.registry import MODELS

from lmim.models.necks.instances import frames_of, map_instances
from lmim.utils.errors import UserError
from tests.processes import needs_fork, run_on_processes
from .conftest import ENCODER, build

SEQCLR = dict(
    type='SeqCLR',
    backbone=ENCODER,
    neck=dict(type='SequenceProjector', in_dims=16, out_dims=6, num_windows=3,
              grid=(2, 8)),
    head=dict(type='ContrastiveHead'))


def head(**options):
    return MODELS.build(dict(type='ContrastiveHead', _scope_='mmocr',
                             **options))


@pytest.fixture
def seqclr():
    model = build(SEQCLR)
    model.init_weights()
    return model


def test_loss_is_the_formula():
    torch.manual_seed(0)
    first, second = torch.randn(2, 3, 2, 5)
    every = [*first.flatten(0, 1), *second.flatten(0, 1)]

    def similar(i, j):
        cosine = torch.cosine_similarity(every[i], every[j], dim=0).item()
        return math.exp(cosine / 0.5)

    terms = [-math.log(similar(i, (i + 6) % 12) / sum(
        similar(i, j) for j in range(12) if j != i)) for i in range(12)]
    for reduction, wanted in (('mean', sum(terms) / 12), ('sum', sum(terms)),
                              ('images', sum(terms) / 2)):
        loss = head(temperature=0.5, reduction=reduction).loss(first, second)
        assert loss.item() == pytest.approx(wanted, rel=1e-5)


def test_windows_are_of_columns():
    tokens = torch.zeros(1, 1 + 2 * 7, 1)
    tokens[0, 1:8, 0] = torch.arange(7.)  # upper row; the lower one is 0
    frames = frames_of(tokens, (2, 7))
    assert frames.flatten().tolist() == [0, .5, 1, 1.5, 2, 2.5, 3]
    assert map_instances(frames, 'window', 3).flatten().tolist() == [
        .5, 1.5, 2.5]
    assert map_instances(frames, 'all').flatten().tolist() == [1.5]
    assert map_instances(frames, 'frame') is frames


@pytest.mark.parametrize('projection', ['none', 'linear', 'mlp', 'bilstm'])
@pytest.mark.parametrize('mapping, count', [
    ('all', 1), ('window', 3), ('frame', 8)])
def test_every_weight_learns_from_both_views(views, projection, mapping,
                                             count):
    model = build(SEQCLR, neck=dict(
        SEQCLR['neck'], projection=projection, mapping=mapping))
    model.init_weights()
    views = [view.clone().requires_grad_() for view in views]
    found = model.predict(views)
    width = 16 if projection == 'none' else 6
    assert [each.shape for each in found.instances] == [(3, count, width)] * 2
    model.loss(views)['loss_contrast'].backward()
    assert all(view.grad.abs().sum() > 0 for view in views)
    assert all(p.grad is not None for p in model.parameters()
               if p.requires_grad)


def test_bf16_autocast_stays_near_fp32():
    torch.manual_seed(0)
    first, second = torch.randn(2, 4, 5, 8)
    exact = head().loss(first, second)
    with torch.autocast('cpu', dtype=torch.bfloat16):
        assert torch.equal(head().loss(first, second), exact)


def test_wrong_options_are_refused(seqclr, views):
    with pytest.raises(UserError, match='2 views.*got 1.*SeveralViews'):
        seqclr.loss(views[0])
    for changes, words in ((dict(projection='lstm'), "'bilstm', got 'lstm'"),
                           (dict(mapping='word'), "got 'word'")):
        with pytest.raises(UserError, match=words):
            model = build(SEQCLR, neck=dict(SEQCLR['neck'], **changes))
            model.loss(views)
    with pytest.raises(UserError, match='reduction must be'):
        head(reduction='max')
    with pytest.raises(UserError, match='temperature must be positive'):
        head(temperature=0)


FEATURES = torch.randn(2, 4, 3, 6, generator=torch.Generator().manual_seed(0))


@needs_fork
def test_processes_contrast_as_one_with_the_whole_batch(tmp_path):
    def run(rank: int) -> None:
        torch.set_num_threads(1)
        dist.init_process_group('gloo')
        own = FEATURES[:, 2 * rank:2 * rank + 2].clone().requires_grad_()
        loss = head(gather=True).loss(*own)
        loss.backward()
        torch.save((loss.item(), own.grad), tmp_path / f'{rank}.pth')

    whole = FEATURES.clone().requires_grad_()
    loss = head(gather=True).loss(*whole)
    loss.backward()
    assert run_on_processes(2, run) == [0, 0]
    halves = [torch.load(tmp_path / f'{rank}.pth') for rank in range(2)]
    assert sum(each for each, _ in halves) / 2 == pytest.approx(loss.item())
    gradient = torch.cat([each for _, each in halves], 1)
    # Distributed training averages what processes have.
    torch.testing.assert_close(gradient / 2, whole.grad)


@pytest.mark.parametrize('ema, share', [
    (dict(type='mmpretrain.CosineEMA', momentum=0.25), 0.25),
    (dict(type='ExponentialMovingAverage', momentum=0.1,
          parts=['backbone', 'neck']), 0.1)])
def test_twin_follows_the_model(views, ema, share):
    MessageHub.get_current_instance().update_info('max_iters', 10**6)
    model = build(SEQCLR, ema=ema)
    model.init_weights()
    assert list(model.twin) == list(ema.get('parts', ['backbone']))
    assert not any(p.requires_grad for p in model.twin.parameters())
    model.begin_average()
    weight = model.backbone.layers[0].attn.qkv.weight
    before = weight.detach().clone()
    assert torch.equal(model.twin['backbone'](views[0]),
                       model.extract_feat(views[0]))
    with torch.no_grad():
        weight += 1
    model.begin_average()  # a twin from a checkpoint is kept
    assert not torch.equal(model.twin['backbone'](views[0]),
                           model.extract_feat(views[0]))
    model.move_average(0, 1)
    torch.testing.assert_close(
        model.twin['backbone'].layers[0].attn.qkv.weight, before + share)
    # It is resumed with the rest.
    assert 'ema.module.backbone.layers.0.attn.qkv.weight' in (
        model.state_dict()) and 'ema.steps' in model.state_dict()
