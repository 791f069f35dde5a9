"""What is to be rebuilt."""
import pytest
import torch
from mmengine.optim import build_optim_wrapper

from lmim.utils.errors import UserError
from tests.checkpoints.tiny import weights_of
from tests.data.make_reference import PRETRAIN

from .conftest import ENCODER, LMIM, build


@pytest.fixture
def teacher_file(tmp_path) -> str:
    """An encoder as MAE saves it, by timm's names."""
    path = tmp_path / 'mae.pth'
    torch.save({'model': weights_of('mae'), 'epoch': 3}, path)
    return str(path)


def with_teacher(path) -> dict:
    return dict(PRETRAIN, target_generator=dict(
        PRETRAIN['target_generator'], checkpoint=path))


def test_teacher_is_loaded_and_the_student_is_not_its_copy(teacher_file):
    model = build(with_teacher(teacher_file))
    model.init_weights()
    weights = torch.load(teacher_file, weights_only=True)['model']
    teacher = model.target_generator.encoder.state_dict()
    student = model.backbone.state_dict()
    theirs = weights['blocks.1.mlp.fc2.weight']
    assert torch.equal(teacher['layers.1.ffn.layers.1.weight'], theirs)
    assert not torch.equal(student['layers.1.ffn.layers.1.weight'], theirs)


def test_teacher_never_moves(teacher_file, views):
    model = build(with_teacher(teacher_file))
    model.init_weights()
    model.train()
    assert not any(m.training for m in model.target_generator.modules())
    assert model.training and model.backbone.training

    wrapper = build_optim_wrapper(
        model, dict(type='OptimWrapper', optimizer=dict(
            type='AdamW', lr=0.1, weight_decay=0.5)))
    before = {name: value.clone() for name, value
              in model.target_generator.state_dict().items()}
    student = model.backbone.layers[0].attn.qkv.weight.detach().clone()
    wrapper.update_params(sum(model.loss(views).values()))
    after = model.target_generator.state_dict()
    assert all(torch.equal(after[name], before[name]) for name in before)
    assert not torch.equal(model.backbone.layers[0].attn.qkv.weight, student)


def test_instance_norm_takes_out_what_the_tokens_have_in_common(views):
    """Values, and that a look added to all tokens of an image is nothing."""
    extractor = build(dict(type='RandomFeatureTarget', encoder=ENCODER,
                           norm='instance'))
    extractor.encoder.init_weights()
    features = extractor.encoder(views[0])[:, 1:]
    wanted = (features - features.mean(1, keepdim=True)) / (
        features.var(1, unbiased=False, keepdim=True) + 1e-5).sqrt()
    assert torch.allclose(extractor(views[0]), wanted, atol=1e-4)
    assert extractor(views[0]).mean(1).abs().max() < 1e-5
    with pytest.raises(UserError, match="one of .*got 'batch'"):
        build(dict(type='RandomFeatureTarget', encoder=ENCODER, norm='batch'))


def test_instance_norm_then_layer_norm(views):
    extractor, both = (
        build(dict(type='RandomFeatureTarget', encoder=ENCODER, norm=norm))
        for norm in ('instance', 'instance-layer'))
    target = extractor(views[0])
    wanted = (target - target.mean(2, keepdim=True)) / (
        target.var(2, unbiased=False, keepdim=True) + 1e-5).sqrt()
    assert torch.allclose(both(views[0]), wanted, atol=1e-5)


def test_whitened_targets_are_uncorrelated_by_what_was_seen(views):
    extractor = build(dict(type='RandomFeatureTarget', encoder=ENCODER,
                           norm='whitened'))
    extractor.encoder.init_weights()
    whitening = extractor.whitening
    whitening.shrinkage = 0.
    with torch.no_grad():  # a trained norm leaves no empty direction
        extractor.encoder.ln1.weight.copy_(torch.linspace(.5, 2, 16))
    features = extractor.encoder(views[0])[:, 1:]
    whitening(features + torch.randn(3, 16, 16))
    assert whitening.steps == 0  # seen in evaluation, and not counted

    extractor.train()
    assert not extractor.encoder.training
    batches = [features + torch.randn(3, 16, 16) for _ in range(2)]
    for batch in batches:
        found = whitening(batch)
    means = [batch.flatten(0, 1).mean(0) for batch in batches]
    covariances = [batch.flatten(0, 1).T.cov(correction=0)
                   for batch in batches]
    mean, covariance = sum(means) / 2, sum(covariances) / 2
    torch.testing.assert_close(whitening.mean, mean)
    torch.testing.assert_close(whitening.covariance, covariance)
    # W = C^(-1/2): symmetric, and W C W is the identity.
    matrix = torch.linalg.lstsq((batch - mean).flatten(0, 1),
                                found.flatten(0, 1)).solution
    torch.testing.assert_close(matrix, matrix.T, atol=1e-3, rtol=1e-3)
    torch.testing.assert_close(matrix @ covariance @ matrix, torch.eye(16),
                               atol=1e-3, rtol=1e-3)

    resumed = build(dict(type='RandomFeatureTarget', encoder=ENCODER,
                         norm='whitened'))
    resumed.load_state_dict(extractor.state_dict())
    resumed.whitening.shrinkage = 0.
    assert torch.equal(resumed(views[0]), extractor.eval()(views[0]))
    assert resumed.whitening.steps == 2


def test_whitening_leaves_empty_directions_small(views):
    """Layer-normed features lack a direction; it is not blown up."""
    extractor = build(dict(type='RandomFeatureTarget', encoder=ENCODER,
                           norm='whitened')).train()
    extractor.encoder.init_weights()
    target = extractor(views[0])
    assert target.var(dim=(0, 1)).max() < 1.1
    assert target.isfinite().all() and not target.requires_grad


def test_without_a_teacher_training_is_refused():
    model = build(with_teacher(None))
    with pytest.raises(ValueError, match='target_generator.checkpoint'):
        model.init_weights()


def test_random_target_is_part_of_the_checkpoint(lmim):
    names = set(lmim().state_dict())
    assert 'target_generator.encoder.layers.0.attn.qkv.weight' in names


def test_pixels_of_a_patch_are_in_maes_order():
    images = torch.arange(2 * 3 * 4 * 6.).view(2, 3, 4, 6)
    target = build(dict(type='PixelTarget', patch_size=2, norm_pix=False))
    patches = target(images)
    assert patches.shape == (2, 6, 12)
    # Patch 4 is row 1, column 1: rows 2-3, columns 2-3, channels last.
    expected = images[1, :, 2:4, 2:4].permute(1, 2, 0).flatten()
    assert torch.equal(patches[1, 4], expected)


def test_pixels_are_normalised_by_patch():
    target = build(dict(type='PixelTarget', patch_size=(4, 8)))
    patches = target(torch.rand(2, 3, 8, 32) * 9 - 3)
    assert patches.shape == (2, 8, 96)
    assert patches.mean(dim=-1).abs().max() < 1e-5
    assert patches.var(dim=-1).sub(1).abs().max() < 1e-4


def test_mae_learns_pixels(views):
    """MAE overfits three images: it sees what it has to rebuild."""
    model = build(dict(
        type='MIM',
        backbone=LMIM['backbone'],
        neck=dict(type='MAEDecoder', in_dims=16, out_dims=48, embed_dims=24,
                  num_layers=1, num_heads=2, grid=(2, 8)),
        target_generator=dict(type='PixelTarget')))
    model.init_weights()
    noise = torch.rand(3, 16)
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.01)
    losses = []
    for _ in range(60):
        loss = model.loss(views[0], noise=noise)['loss_recon']
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    # Normalised pixels have variance 1: predicting nothing costs 1.
    assert losses[0] > 0.9 and losses[-1] < 0.5 * losses[0]
