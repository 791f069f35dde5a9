"""The ViT as a feature map for other recognizers."""
import pytest
import torch


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


def test_another_pooling_is_refused():
    with pytest.raises(ValueError, match="'mean', 'max' or None, got 'sum'"):
        build(dict(type='ViTFeatureMap', vit=ENCODER, pool='sum'))
