"""SSM: superimposed images, prompts, features, and short-cuts."""
import pytest
import torch
import torch.nn.functional as F
from mmengine.logging import MessageHub
from mmocr.registry import MODELS

from lmim.models.layers.turning import DIRECTIONS, turn
from lmim.models.targets import PixelTarget
from lmim.utils.errors import UserError
from tests.processes import needs_fork
from .conftest import ENCODER, build, check_processes, loaded_encoder

SSM = dict(
    type='SSM',
    backbone=dict(ENCODER, pos_embed='grid'),
    neck=dict(type='PromptedDecoder', in_dims=16, embed_dims=12, num_layers=1,
              num_heads=2, grid=(2, 8), pos_embed='grid'),
    projector=dict(type='WindowProjector', in_dims=12, hidden_dims=24,
                   out_dims=6, num_windows=4, grid=(2, 8)),
    contrast_head=dict(type='MomentumContrastHead', in_dims=6,
                       hidden_dims=24),
    feature_weight=1.,
    feature_start=None)


def initialised(**changes):
    hub = MessageHub.get_current_instance()
    hub.update_info('max_iters', 100)
    model = build(SSM, **changes)
    model.init_weights()
    model.begin_average()
    return model.train()


@pytest.fixture
def ssm():
    return initialised()


def test_images_turn_and_turn_back():
    images = torch.arange(2. * 4).view(1, 1, 2, 4).expand(4, 3, -1, -1)
    every = torch.arange(4)
    rows = turn(images, every)[:, 0]
    assert DIRECTIONS == (None, 'horizontal', 'vertical', 'both')
    assert rows.tolist() == [
        [[0, 1, 2, 3], [4, 5, 6, 7]], [[3, 2, 1, 0], [7, 6, 5, 4]],
        [[4, 5, 6, 7], [0, 1, 2, 3]], [[7, 6, 5, 4], [3, 2, 1, 0]]]
    assert torch.equal(turn(turn(images, every), every), images)


def test_draws_choose_the_direction(ssm, views):
    unit = PixelTarget(norm_pix=False, unit=True)
    for draw, number in ((0., 1), (.3, 1), (.35, 2), (.67, 3), (.999, 3)):
        found = ssm.predict(views, torch.full((3, 1), draw))
        turned = turn(views[0], torch.full((3, ), number))
        assert torch.equal(found.pixels[1], unit(turned))
        assert torch.equal(found.pictures['superimposed'],
                           (views[0] + turned) / 2)
    assert torch.equal(found.target, unit(views[0]))
    assert torch.equal(ssm.draw_noise(3, 5), ssm.draw_noise(3, 5))
    only = initialised(directions=['vertical'])
    found = only.predict(views)
    assert torch.equal(found.pixels[1], unit(views[0].flip(2)))
    for wrong in ([], ['diagonal'], [None]):
        with pytest.raises(UserError, match='directions are some of'):
            build(SSM, directions=wrong)


def test_a_symmetric_image_has_one_target(ssm, views):
    images = views[0] + views[0].flip(3)
    found = ssm.predict([images, views[1]], torch.zeros(3, 1))
    assert torch.equal(found.target, found.pixels[1])
    # What the prompts ask for differs all the same.
    assert not torch.allclose(found.pred, found.pixels[0])


def test_without_prompts_the_two_cannot_be_told_apart(ssm, views):
    """At best the decoder gives the mean, for both."""
    with torch.no_grad():
        ssm.neck.prompts.weight[:] = ssm.neck.prompts.weight[:1]
    noise = torch.tensor([[.1], [.5], [.9]])
    found = ssm.predict(views, noise)
    torch.testing.assert_close(found.pred, found.pixels[0])
    target, turned = found.target, found.pixels[1]
    least = F.mse_loss(target, turned) / 2
    losses = ssm.loss(views, noise=noise)
    assert losses['loss_recon'] + losses['loss_recon_turned'] > least
    mean = (target + turned) / 2
    torch.testing.assert_close(
        F.mse_loss(mean, target) + F.mse_loss(mean, turned), least)


def test_every_weight_learns_but_those_of_the_average(views):
    # Also before features count: distributed training needs it.
    for start in (None, 10):
        model = initialised(feature_start=start,
                            dense_head=dict(type='DenseHead'))
        MessageHub.get_current_instance().update_info('epoch', 0)
        sum(model.loss(views).values()).backward()
        trained = {name for name, p in model.named_parameters()
                   if p.requires_grad}
        assert trained == {name for name, p in model.named_parameters()
                           if p.grad is not None}
        assert not any(name.startswith('ema.') for name in trained)
        assert 'neck.prompts.weight' in trained


@pytest.mark.parametrize('start, epoch, weight', [
    (None, 0, .025), (None, 15, .025), (10, 0, 0.), (10, 9, 0.),
    (10, 10, .025), (10, 19, .25)])
def test_features_count_from_an_epoch_on(views, start, epoch, weight):
    model = initialised(feature_weight=.025, feature_start=start)
    MessageHub.get_current_instance().update_info('epoch', epoch)
    noise = torch.rand(3, 1)
    losses = model.loss(views, noise=noise)
    MessageHub.get_current_instance().update_info('epoch', 0)
    found = model.predict(views, noise)
    whole = sum(map(model.contrast_head.contrast, model.queries(found),
                    found.keys))
    assert losses['loss_contrast'].item() == pytest.approx(
        weight * whole.item(), rel=1e-4)


def dense(**options):
    return MODELS.build(dict(type='DenseHead', _scope_='mmocr', **options))


def test_dense_loss_is_the_formula():
    torch.manual_seed(0)
    queries, keys = torch.randn(2, 3, 4, 6)
    own, mean = (F.layer_norm(each.flatten(0, 1), (6, ))
                 for each in (queries, keys))
    common = sum(torch.outer(row, row) for row in mean) / 12
    distance = ((own - mean)**2).sum(1).mean() / 6
    second = sum(row @ common @ row for row in own) / 12 / 6
    torch.testing.assert_close(dense().loss(queries, keys),
                               distance + 0.02 * second)
    near = dense(decorrelation=0., loss_weight=3.)
    torch.testing.assert_close(near.loss(queries, keys), 3 * distance)
    # The scale of features does not matter, their direction does.
    assert near.loss(queries, 5 * queries).item() == pytest.approx(0, abs=1e-6)


@needs_fork
def test_processes_compare_as_one_with_the_whole_batch(tmp_path):
    check_processes(dense().loss, tmp_path)


def test_its_checkpoint_serves_recognizers(ssm, tmp_path):
    vit = loaded_encoder(ssm, tmp_path)
    images = torch.randn(2, 3, 8, 32)
    torch.testing.assert_close(vit(images), ssm.backbone(images))


def test_published_checkpoints_are_read(tmp_path):
    source = build(ENCODER, with_cls_token=False, pos_embed='grid')
    source.init_weights()
    names = {'patch_embed.projection.': 'patch_embed.proj.', '.ln': '.norm',
             'ffn.layers.0.0.': 'mlp.fc1.', 'ffn.layers.1.': 'mlp.fc2.',
             'layers.': 'blocks.'}
    weights = {'prompt_embd.embedding.weight': torch.zeros(4, 8),
               'decoder_embed.weight': torch.zeros(8, 16),
               'decoder_pos_embed': torch.zeros(1, 16, 8)}
    for name, value in source.state_dict().items():
        for ours, theirs in names.items():
            name = name.replace(ours, theirs)
        weights[name.replace('ln1.', 'norm.')] = value
    # A recognizer has the encoder's names and a decoder of PARSeq's.
    fine_tuned = {f'encoder.{name}': value for name, value in weights.items()
                  if not name.startswith(('decoder_', 'prompt'))}
    fine_tuned.update({name: torch.zeros(2, 8) for name in (
        'text_embed.embedding.weight', 'pos_queries', 'head.weight',
        'decoder.layers.0.norm1.weight')})
    path, images = tmp_path / 'published.pth', torch.randn(2, 3, 8, 32)
    for content in (dict(model=weights), dict(state_dict=fine_tuned),
                    fine_tuned):
        torch.save(content, path)
        vit = build(ENCODER, with_cls_token=False, init_cfg=dict(
            type='Pretrained', checkpoint=str(path)))
        vit.init_weights()
        assert vit(images).shape == (2, 16, 16)
        torch.testing.assert_close(vit(images), source(images))
