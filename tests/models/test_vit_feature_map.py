"""The ViT as a feature map for other recognizers."""
import pytest
import torch

from lmim.checkpoints import CheckpointError, load_encoder_weights
from lmim.checkpoints.formats import FORMATS

from .conftest import ENCODER, build


def test_patches_lie_where_they_lie_in_the_picture():
    model = build(dict(type='ViTFeatureMap', vit=ENCODER)).eval()
    images = torch.randn(2, 3, 8, 32)
    tokens = model.vit.encode(model.vit.embed(images))
    features = model(images)
    assert features.shape == (2, 16, 2, 8) and model.out_channels == 16
    # Row 1, column 3 is patch 1 * 8 + 3, after [CLS].
    assert torch.equal(features[:, :, 1, 3], tokens[:, 1 + 11])


@pytest.mark.parametrize('pool', ['mean', 'max'])
def test_rows_are_pooled_and_channels_linked(pool):
    model = build(dict(type='ViTFeatureMap', vit=ENCODER, out_channels=24,
                       pool=pool)).eval()
    images = torch.randn(2, 3, 8, 32)
    rows = model.vit(images)
    row = rows.mean(2) if pool == 'mean' else rows.amax(2)
    linear, norm = model.link
    expected = norm(linear(row.transpose(1, 2))).transpose(1, 2)
    assert torch.allclose(model(images)[:, :, 0], expected, atol=1e-6)
    assert model(images).shape == (2, 24, 1, 8)


def test_the_checkpoint_of_the_vit_must_match_in_full(tmp_path):
    source = build(dict(ENCODER))
    source.init_weights()
    path = str(tmp_path / 'lmim.pth')
    torch.save({'state_dict': {f'backbone.{name}': value for name, value
                               in source.state_dict().items()}}, path)
    cfg = dict(ENCODER, init_cfg=dict(type='Pretrained', checkpoint=path))
    model = build(dict(type='ViTFeatureMap', vit=cfg, out_channels=24))
    model.init_weights()
    for name, value in source.state_dict().items():
        assert torch.equal(model.vit.state_dict()[name], value), name
    assert model.link[0].bias.abs().sum() == 0
    wide = dict(ENCODER['arch'], num_layers=3)
    model = build(dict(type='ViTFeatureMap', vit=dict(cfg, arch=wide)))
    with pytest.raises(CheckpointError, match='does not match'):
        model.init_weights()


def test_the_encoder_of_a_recognizer_serves_another(tmp_path):
    model = build(dict(type='ViTFeatureMap', vit=ENCODER, out_channels=24))
    weights = {f'backbone.{name}': value
               for name, value in model.state_dict().items()}
    weights['decoder.decoder.weight'] = torch.ones(2, 24)
    path = str(tmp_path / 'recognizer.pth')
    torch.save({'state_dict': weights}, path)
    other = build(dict(ENCODER))
    report = load_encoder_weights(other, path)
    assert report.is_full and report.unused == 4 + 1  # linked and decoded
    for name, value in model.vit.state_dict().items():
        assert torch.equal(other.state_dict()[name], value), name
    table = FORMATS['feature-map'].names
    assert [table.theirs(table.ours(name)) for name in weights] == list(
        weights)


def test_another_pooling_is_refused():
    with pytest.raises(ValueError, match="'mean', 'max' or None, got 'sum'"):
        build(dict(type='ViTFeatureMap', vit=ENCODER, pool='sum'))
