"""Predictions of methods and their sheets."""
from dataclasses import replace

import numpy as np
import pytest
import torch

from lmim.models.selfsup import Prediction
from lmim.visualization.patches import FeatureColors, nearest
from lmim.visualization.pretraining_sheets import (draw_batch_sheet,
                                                   draw_reconstruction)
from lmim.visualization.reconstruction import (Reconstruction,
                                               random_state_kept, reconstruct,
                                               view_batch)
from lmim.visualization.sheet import enlarge
from tests.visualization.conftest import small_model


@pytest.fixture(scope='module')
def batch(images):
    return view_batch(images, (32, 128))


@pytest.fixture(scope='module', params=['mae', 'lmim'])
def model(request):
    return small_model(request.param)


def predicting(seen, pred):
    """The same with another prediction."""
    return seen._replace(found=replace(seen.found, pred=pred))


def cells(seen, number):
    """Where patches are hidden, in pixels of the sheet."""
    hidden = seen.hidden[number].bool().numpy()[None]
    return hidden, np.kron(hidden, np.ones((96, 12))).astype(bool)


def draws():
    return torch.rand(1).item(), np.random.rand()


def test_error_is_the_loss_of_training(model, batch):
    found = reconstruct(model, batch, seed=3)
    noise = model.backbone.mask.draw_noise(
        4, (1, 32), torch.device('cpu'), torch.Generator().manual_seed(3))
    data = model.data_preprocessor(dict(batch, data_samples=None))
    with torch.no_grad():
        loss = model.loss(data['inputs'], noise=noise)['loss_recon']
    errors = found.errors()
    torch.testing.assert_close(errors['error'].mean(), loss)
    assert found.hidden.sum(1).tolist() == [
        32 - model.backbone.mask.num_keep(32)] * 4
    # Of constant predictions the mean has the least error.
    assert (errors['error_of_own_mean'].mean()
            <= errors['error_of_mean'].mean())
    again = reconstruct(model, batch, seed=4)
    assert not torch.equal(again.hidden, found.hidden)


def test_training_is_not_disturbed(model, batch):
    model.train()
    model.backbone.layers[0].eval()  # as a frozen stage
    modes = [module.training for module in model.modules()]
    model.backbone.mask.seed_masks(5)
    expected = model.backbone.mask(2, (1, 32), torch.device('cpu')).mask
    model.backbone.mask.seed_masks(5)
    torch.manual_seed(0)
    np.random.seed(0)
    wanted = draws()
    torch.manual_seed(0)
    np.random.seed(0)
    reconstruct(model, batch)
    assert draws() == wanted
    assert [module.training for module in model.modules()] == modes
    assert torch.equal(
        model.backbone.mask(2, (1, 32), torch.device('cpu')).mask, expected)
    model.eval()


def columns_of(figure, count):
    shown = [np.asarray(image.get_array())[..., ::-1]
             for image in figure.images]
    return [shown[number::count] for number in range(count)]


def test_perfect_pixels_give_back_the_original(batch):
    model = small_model('mae')
    seen = reconstruct(model, batch)
    figure = draw_reconstruction(
        model, predicting(seen, seen.found.target), names=list('abcd'))
    original, masked, predicted = columns_of(figure, 3)
    for number, image in enumerate(seen.views[0]):
        assert np.array_equal(original[number], enlarge(image, 3))
        here = cells(seen, number)[1]
        assert (masked[number][here] == 128).all()
        assert np.array_equal(masked[number][~here], original[number][~here])
        # Un-normalised, it is the picture, but for rounding.
        assert np.abs(predicted[number][here].astype(int)
                      - original[number][here]).max() <= 1
        framed = (predicted[number] == (60, 170, 0)).all(axis=2)
        assert framed.any() and not framed[here].any()
    words = ' '.join(text.get_text() for text in figure.texts)
    assert 'normalised per patch (norm_pix)' in words
    assert 'a   error 0.000' in words


def test_visible_patches_stay_whatever_is_predicted(batch):
    model = small_model('mae')
    seen = reconstruct(model, batch)
    figure = draw_reconstruction(
        model, predicting(seen, seen.found.pred * 0 + 99), shown=[1])
    _, _, (predicted, ) = columns_of(figure, 3)
    inside = np.zeros((96, 12), bool)
    inside[1:-1, 1:-1] = True
    kept = np.kron(~cells(seen, 1)[0], inside).astype(bool)
    original = enlarge(seen.views[0][1], 3)
    assert np.array_equal(predicted[kept], original[kept])


def test_perfect_features_give_back_the_targets(batch):
    model = small_model('lmim')
    seen = reconstruct(model, batch)
    assert np.array_equal(seen.views[1],
                          batch['inputs'][1].permute(0, 2, 3, 1).numpy())
    figure = draw_reconstruction(
        model, predicting(seen, seen.found.target), shown=[0, 2])
    original, _, guidance, target, predicted, alike = columns_of(figure, 6)
    for place, number in enumerate((0, 2)):
        here = cells(seen, number)[1]
        assert np.array_equal(guidance[place],
                              enlarge(seen.views[1][number], 3))
        assert np.array_equal(predicted[place][here], target[place][here])
        assert np.array_equal(alike[place][here], original[place][here])
        assert len(np.unique(target[place].reshape(-1, 3), axis=0)) > 5
    words = ' '.join(text.get_text() for text in figure.texts)
    assert 'MAERecTargetExtractor' in words and 'PCA' in words


def test_a_method_that_contrasts_is_drawn_by_its_instances(images):
    model = small_model('seqclr')
    batch = view_batch(images, (32, 128), model.view_levels)
    assert not torch.equal(*batch['inputs'])
    seen = reconstruct(model, batch)
    figure = draw_reconstruction(model, seen, names=list('abcd'))
    titles = [text.get_text() for text in figure.texts[:4]]
    assert titles == ['view 1', 'view 2', 'instances, view 1',
                      'instances, view 2']
    first, second = columns_of(figure, 4)[2:]
    # Five windows, each of one colour from top to bottom.
    for strip in (*first, *second):
        assert (strip == strip[:1]).all()
        assert (np.diff(strip[0].astype(int), axis=0) != 0).any(1).sum() == 4
    assert len(draw_batch_sheet(model, seen, 3).images) == 3 * 2
    share = seen.matches().float().mean()
    assert f'Over all pictures: {share:.0%}' in ' '.join(
        text.get_text() for text in figure.texts)


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


def test_random_state_is_put_back():
    torch.manual_seed(1)
    np.random.seed(1)
    wanted = draws()
    torch.manual_seed(1)
    np.random.seed(1)
    with random_state_kept(7):
        first = draws()
    with random_state_kept(7):
        assert draws() == first
    assert draws() == wanted != first
