"""What methods make of pictures, and features in colours."""
import numpy as np
import pytest
import torch

from lmim.models.selfsup import Prediction
from lmim.visualization.patches import FeatureColors, nearest
from lmim.visualization.reconstruction import Reconstruction, reconstruct
from tests.visualization.conftest import small_model


@pytest.fixture(scope='module', params=['mae', 'lmim'])
def model(request):
    return small_model(request.param)


def test_error_is_the_loss_of_training(model, batch):
    seen = reconstruct(model, batch, seed=3)
    noise = model.backbone.mask.draw_noise(
        4, (1, 32), torch.device('cpu'), torch.Generator().manual_seed(3))
    data = model.data_preprocessor(dict(batch, data_samples=None))
    with torch.no_grad():
        loss = model.loss(data['inputs'], noise=noise)['loss_recon']
    errors = seen.errors()
    torch.testing.assert_close(errors['error'].mean(), loss)
    assert seen.found.mask.sum(1).tolist() == [
        32 - model.backbone.mask.num_keep(32)] * 4
    # Of constant predictions the mean has the least error.
    assert (errors['error_of_own_mean'].mean()
            <= errors['error_of_mean'].mean())
    again = reconstruct(model, batch, seed=4)
    assert not torch.equal(again.found.mask, seen.found.mask)


def test_partners_are_found_where_they_are_nearest():
    first = torch.eye(6).reshape(2, 3, 6)
    second = first.clone()
    second[1, 1] = -second[1, 1]
    seen = Reconstruction([], first, Prediction(
        [], instances=[first, 2 * second]))
    assert seen.matches().tolist() == [[True] * 3, [True, False, True]]


def test_like_features_have_like_colors():
    torch.manual_seed(0)
    features = torch.randn(200, 16) * 2.**torch.arange(16)
    colors = FeatureColors(features)
    shown = colors(features)
    assert shown.shape == (200, 3) and shown.dtype == np.uint8
    # The first component is that of the largest variance, the 16th channel.
    assert abs(np.corrcoef(shown[:, 0], features[:, 15])[0, 1]) > 0.9
    # The direction of a component does not depend on chance.
    assert np.array_equal(FeatureColors(features.flip(0))(features), shown)
    assert nearest(features[[7, 3]], features).tolist() == [7, 3]
