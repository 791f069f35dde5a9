"""Views made on the device are those that workers would have made."""
from functools import partial
from typing import Any, Callable, Dict

import numpy as np
import pytest
import torch
from mmocr.registry import MODELS, TRANSFORMS

from lmim.datasets.transforms import GuidancePlan, GuidanceView
from lmim.datasets.transforms import guidance_ops as ops
from lmim.datasets.transforms.guidance_plan import STEPS, _Plan
from lmim.datasets.transforms.guidance_view import LEVELS
from lmim.models.layers import make_views
from lmim.rendering import RenderedWords
from lmim.utils.errors import UserError


@pytest.fixture(scope='module')
def words() -> np.ndarray:
    """Rendered words of the size of the view, (N, 32, 128, 3)."""
    return np.stack([ops.resize(word.image, (32, 128))
                     for word in RenderedWords(40)])


def on_device(images: np.ndarray, steps: np.ndarray) -> np.ndarray:
    """As make_views, of pictures as OpenCV has them."""
    found = make_views(torch.from_numpy(images).permute(0, 3, 1, 2).float(),
                       torch.from_numpy(steps))
    return found.permute(0, 2, 3, 1).numpy()


#: Each operation, with arguments, and by how many of 255 levels single pixels
#: may differ. OpenCV rounds places to 1/32 of a pixel, hues to 1/256 of a
#: turn, and kernels to 8 bits.
OPERATIONS: Dict[str, Any] = {
    'contrast': (ops.contrast, dict(factor=0.6), 0.51),
    'blur': (ops.blur, dict(sigma=1.2), 1.5),
    'sharpen': (ops.sharpen, dict(alpha=0.4, lightness=0.3), 0.51),
    'solarize above': (ops.solarize, dict(threshold=90.7, above=True), 0),
    'solarize below': (ops.solarize, dict(threshold=90.7, above=False), 0),
    'grayscale': (ops.grayscale, dict(alpha=0.7), 1.01),
    'brightness': (ops.jitter_brightness, dict(factor=1.3), 0.51),
    'contrast about the mean': (ops.jitter_contrast, dict(factor=1.3), 1.01),
    'saturation': (ops.jitter_saturation, dict(factor=1.2), 1.01),
    'hue': (ops.jitter_hue, dict(turns=0.09), 9.),
    'perspective': (ops.perspective, dict(
        jitter=np.array([[.02, .05], [.06, .01], [.03, .03], [.08, .02]])),
        12.),
    'bend': (ops.piecewise_affine, dict(
        shift=np.random.RandomState(0).normal(0, 0.04, (3, 4, 2))), 12.),
    'affine': (ops.affine, dict(scale=(0.8, 1.1), shift=(0.02, -0.02),
                                degrees=7., shear=(20., -5.)), 12.),
}


@pytest.mark.parametrize('name', OPERATIONS)
def test_an_operation_is_that_of_the_workers(name: str,
                                             words: np.ndarray) -> None:
    function, arguments, tolerance = OPERATIONS[name]
    plan = _Plan((32, 128), (32, 128))
    plan.add(partial(function, **arguments))
    found = on_device(words, np.stack([plan.steps] * len(words)))
    wanted = np.stack([function(word, **arguments) for word in words])
    differences = np.abs(found - wanted.astype(float))
    assert np.abs(wanted.astype(float) - words).mean() > 1  # it does something
    assert differences.max() <= tolerance
    assert differences.mean() <= 0.5


@pytest.mark.parametrize('function, arguments', [
    (ops.crop, dict(top=0.1, bottom=0.06)),
    (ops.crop, dict(left=0.02, right=0.01)),
    (ops.rotate, dict(degrees=12.)), (ops.rotate, dict(degrees=-9.))])
def test_what_changes_the_size(function: Callable, arguments: Dict[str, Any],
                               words: np.ndarray) -> None:
    """Compared once both have the size of the view."""
    plan = _Plan((32, 128), (32, 128))
    plan.add(partial(function, **arguments))
    assert plan.size == function(words[0], **arguments).shape[:2]
    found = on_device(words, np.stack([plan.steps] * len(words)))
    wanted = np.stack([ops.resize(function(word, **arguments), (32, 128))
                       for word in words])
    # The workers' are interpolated twice, the second time by bicubic splines.
    assert np.abs(found - wanted.astype(float)).mean() < 5
    for mine, theirs in zip(found, wanted):
        assert np.corrcoef(mine.ravel(), theirs.ravel())[0, 1] > 0.94


@pytest.mark.parametrize('level', LEVELS)
def test_the_same_draws_give_the_same_views(level: str,
                                            words: np.ndarray) -> None:
    """Of pictures of other sizes as well: a third as high, twice as wide."""
    if level not in ('medium', 'strong', 'ccd'):
        words = words[:10]
    makers = {key: TRANSFORMS.build(dict(type=kind, level=level))
              for key, kind in (('guidance_img', 'GuidanceView'),
                                ('guidance_plan', 'GuidancePlan'))}
    results: Dict[str, Any] = {}
    for key, maker in makers.items():
        np.random.seed(3)
        results[key] = np.stack([
            maker(dict(img=word))[key] for word in words])
        state = np.random.get_state()[1].sum()
        assert results.setdefault('state', state) == state
    views = results['guidance_img'].astype(float)
    found = on_device(words, results['guidance_plan'])
    difference = np.abs(found - views).mean((1, 2, 3))
    assert difference.mean() < 6 and np.median(difference) < 5
    for mine, theirs in ((found.mean((1, 2)), views.mean((1, 2))),
                         (found.std((1, 2)), views.std((1, 2)))):
        # Brightness and contrast of each view, by its channels.
        assert np.abs(mine - theirs).mean() < 4
    assert np.std(found.std((1, 2, 3))) > 1  # views differ


def test_a_picture_of_another_size_turns_as_it_would_have() -> None:
    """On a canvas of 32x128 a tall picture's text leans less along x."""
    image = np.zeros((200, 100, 3), np.uint8)
    image[95:105] = 255
    transform = dict(level='weak', crop_vertical=None, crop_horizontal=None,
                     rotate=(10., 10.), min_ops=1)
    wanted = GuidanceView(**transform)(dict(img=image))['guidance_img']
    plan = GuidancePlan(**transform)(dict(img=image))['guidance_plan']
    found = on_device(ops.resize(image, (32, 128))[None], plan[None])[0]
    places = [np.argmax(each[..., 0], axis=0)[[20, 64, 108]]
              for each in (wanted, found)]
    assert np.abs(places[0] - places[1]).max() <= 1
    assert places[0][2] - places[0][0] >= 1


def test_a_batch_of_pre_training() -> None:
    """Twice as large pictures become the image and its view, normalised."""
    pack = TRANSFORMS.build(dict(type='PackPretrainInputs', keys=('img', ),
                                 meta_keys=('guidance_plan', )))
    draw = GuidancePlan(level='medium')
    image = ops.resize(RenderedWords(1)[0].image, (64, 256))
    samples = [pack(draw(dict(img=image, sample_idx=index)))
               for index in range(3)]
    data = torch.utils.data.default_collate(samples)
    preprocessor = MODELS.build(dict(type='GuidanceViewPreprocessor'))
    out = preprocessor(data, True)
    images, views = out['inputs']
    assert images.shape == views.shape == (3, 3, 32, 128)
    small = image.reshape(32, 2, 128, 2, 3).mean((1, 3))[..., ::-1]
    torch.testing.assert_close(
        images[1], torch.from_numpy(small / 127.5 - 1).float().permute(
            2, 0, 1), rtol=0, atol=0.51 / 127.5)
    assert not torch.equal(views[0], views[1])
    assert out['data_samples']['sample_idx'].tolist() == [0, 1, 2]
    # A batch that brings its views keeps them.
    again = preprocessor(dict(preprocessor.add_views(data)), True)['inputs']
    assert torch.equal(again[1], views)
    with pytest.raises(UserError, match="type='GuidancePlan'"):
        preprocessor(dict(inputs=data['inputs'], data_samples=torch.arange(3)))


def test_every_step_can_be_done() -> None:
    """And none leaves 0 to 255."""
    images = np.full((len(STEPS), 32, 128, 3), 200, np.uint8)
    steps = np.zeros((len(STEPS), 1, 35), np.float32)
    steps[:, 0, 0] = range(len(STEPS))
    steps[:, 0, 1:3] = 2.
    steps[1, 0, 1:10] = np.eye(3).ravel()
    found = on_device(images, steps)
    assert np.isfinite(found).all() and found.min() >= 0
    assert found.max() <= 255 and (found[0] == 200).all()
