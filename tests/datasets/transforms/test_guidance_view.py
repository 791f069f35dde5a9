import cv2
import numpy as np
import pytest
from mmocr.registry import TRANSFORMS

from lmim.datasets import GuidanceView
from lmim.datasets.transforms.guidance_view import (GEOMETRIC, LEVELS,
                                                    OPERATIONS,
                                                    GuidanceRanges)


def views(transform, img, count=200, seed=0):
    np.random.seed(seed)
    return np.stack([
        transform(dict(img=img))['guidance_img'] for _ in range(count)
    ]).astype(float)


@pytest.fixture
def img():
    """Colourful blocks on grey, with a frame of it."""
    img = np.full((30, 100, 3), 120, np.uint8)
    for i in range(6):
        color = np.roll([230, 60, 20], i).tolist()
        cv2.rectangle(img, (8 + 15 * i, 8), (16 + 15 * i, 22), color, -1)
    return img


def test_defaults_are_the_papers():
    assert LEVELS['medium'] == GuidanceRanges(
        contrast=(0.5, 1.0), blur=(0.5, 1.5), crop_vertical=(0, 0.1),
        crop_horizontal=(0, 0.02), sharpen=(0, 0.5),
        sharpen_lightness=(0, 0.5), rotate=(-15, 15),
        piecewise_affine=(0.03, 0.05), perspective=(0.02, 0.06),
        solarize=(32, 128), grayscale=(0, 1), min_ops=3,
        color_jitter=(0.4, 0.4, 0.2, 0.1), color_jitter_prob=0.8,
        gray_prob=0.2)
    assert len(LEVELS['medium'].enabled) == 10
    assert LEVELS['weak'].enabled == ('crop_vertical', 'crop_horizontal',
                                      'rotate')
    assert LEVELS['weak'].rotate == LEVELS['medium'].rotate
    for name in OPERATIONS:
        low, high = getattr(LEVELS['medium'], name)
        strong_low, strong_high = getattr(LEVELS['strong'], name)
        assert strong_high - strong_low >= high - low
    assert TRANSFORMS.build(dict(type='GuidanceView')).level == 'medium'


def test_the_picture_is_left_alone_and_the_seed_governs(img):
    transform = GuidanceView()
    before = img.copy()
    results = transform(dict(img=img))
    assert results['img'] is img and (img == before).all()
    view = results['guidance_img']
    assert view.shape == (32, 128, 3) and view.dtype == np.uint8
    assert (views(transform, img, 20) == views(transform, img, 20)).all()
    assert (views(transform, img, 20) != views(transform, img, 20, 1)).any()
    tall = GuidanceView(img_size=(64, 48))(dict(img=img))['guidance_img']
    assert tall.shape == (64, 48, 3)


def test_three_to_ten_operations_each_equally_often_in_any_order():
    transform = GuidanceView()
    np.random.seed(0)
    chosen = [transform._choose() for _ in range(4000)]
    counts = np.bincount([len(c) for c in chosen], minlength=11)
    assert counts[:3].sum() == 0
    assert counts[3:].min() > 400 and counts[3:].max() < 600
    assert all(len(set(n)) == len(n) for n in chosen)
    for name in OPERATIONS:
        # Each is among n of ten, n from 3 to 10: 65 % of the views.
        assert np.mean([name in n for n in chosen]) == pytest.approx(
            0.65, abs=0.03)
    both = [n for n in chosen if 'blur' in n and 'rotate' in n]
    first = np.mean([n.index('blur') < n.index('rotate') for n in both])
    assert first == pytest.approx(0.5, abs=0.05)


def test_options_change_the_statistics(img):
    def saturation(**kwargs):
        seen = views(GuidanceView(**kwargs), img, 100)
        return (seen.max(axis=-1) - seen.min(axis=-1)).mean()

    assert saturation(gray_prob=1.0) == 0
    assert saturation(grayscale=(1, 1), min_ops=10, color_jitter_prob=0) == 0
    assert saturation(grayscale=None, gray_prob=0) > 1.1 * saturation()
    nothing = GuidanceView('weak', rotate=None, crop_vertical=None,
                           crop_horizontal=None)
    plain = cv2.resize(img, (128, 32), interpolation=cv2.INTER_CUBIC)
    assert (views(nothing, img, 2) == plain).all()


@pytest.mark.parametrize('level', ['weak', 'medium', 'strong'])
@pytest.mark.parametrize('shape', [(1, 90, 3), (90, 1, 3), (1, 1, 3), (20, 50),
                                   (20, 50, 1), (3, 4000, 3), (2, 2, 3)])
def test_odd_shapes(level, shape):
    odd = np.random.RandomState(0).randint(0, 256, shape, np.uint8)
    for view in views(GuidanceView(level), odd, 10):
        assert view.shape == (32, 128, 3)


def test_other_arrays_are_refused(img):
    transform = GuidanceView()
    with pytest.raises(ValueError, match='4 channels .a.png.*color_type'):
        transform(dict(img=np.zeros((9, 9, 4), np.uint8), img_path='a.png'))
    with pytest.raises(ValueError, match='float32.*before transforms that'):
        transform(dict(img=img.astype(np.float32)))
    with pytest.raises(ValueError, match='at least one pixel'):
        transform(dict(img=np.zeros((0, 9, 3), np.uint8)))


def test_wrong_options_are_refused():
    with pytest.raises(ValueError, match="'hard'.*'weak', .*'sequence'"):
        GuidanceView('hard')
    with pytest.raises(TypeError, match='no option .*rotation.*rotate'):
        GuidanceView(rotation=(-3, 3))
    with pytest.raises(ValueError, match='rotate=.*is a pair'):
        GuidanceView(rotate=(5, -5))


def test_seqclrs_views_keep_the_order_of_characters(img):
    ranges = LEVELS['sequence']
    assert ranges.enabled == ('contrast', 'blur', 'crop_vertical',
                              'crop_horizontal', 'sharpen',
                              'piecewise_affine', 'perspective')
    transform = GuidanceView('sequence')
    np.random.seed(0)
    counts = np.bincount([len(transform._choose()) for _ in range(1000)])
    assert len(counts) == 6 and counts[0] == 0 and counts[1:].min() > 150
    with pytest.raises(ValueError, match='the smaller first'):
        GuidanceView('sequence', min_ops=6)
    bent = GuidanceView('sequence', crop_vertical=None, with_warp=True)
    for _ in range(20):
        warp = bent(dict(img=img))['guidance_warp']
        along = warp[16, :, 0][warp[16, :, 2] > 0.9]
        assert (np.diff(along) > -0.02).all() and along[0] < -0.8


@pytest.mark.parametrize('name', [*GEOMETRIC, 'affine'])
def test_warp_says_where_each_pixel_is_from(name):
    """The picture sampled there is the view."""
    img = cv2.GaussianBlur(np.random.RandomState(0).randint(
        0, 256, (64, 256, 3), np.uint8), (0, 0), 4)
    only = {each: None for each in OPERATIONS if each != name}
    if name == 'affine':
        only = dict(only, affine_prob=1, min_ops=0)
    options = dict(dict(min_ops=1, color_jitter_prob=0, gray_prob=0,
                        img_size=(64, 256)), **only)
    transform = GuidanceView('medium', with_warp=True, **options)
    np.random.seed(1)
    results = transform(dict(img=img))
    warp = results['guidance_warp']
    assert warp.shape == (64, 256, 3) and warp.dtype == np.float32
    x, y = ((warp[..., axis] + 1) * size / 2 - 0.5
            for axis, size in ((0, 256), (1, 64)))
    there = cv2.remap(img, x, y, cv2.INTER_LINEAR,
                      borderMode=cv2.BORDER_REPLICATE).astype(int)
    inside = warp[..., 2] > 0.99
    assert inside.mean() > 0.5
    error = np.abs(there - results['guidance_img'])[inside]
    assert np.percentile(error, 95) <= 6 < np.abs(
        img.astype(int) - results['guidance_img'])[inside].max()
    plain = GuidanceView('medium', **options)
    np.random.seed(1)
    assert (plain(dict(img=img))['guidance_img']
            == results['guidance_img']).all()


def test_ccds_views_are_bent_as_often_as_published(img):
    assert LEVELS['color'].enabled == LEVELS['ccd'].enabled == (
        'contrast', 'blur', 'sharpen', 'solarize', 'grayscale')
    np.random.seed(0)
    for level, share in (('color', 0.), ('ccd', 0.7)):
        view = GuidanceView(level, with_warp=True)
        warps = np.stack([view(dict(img=img))['guidance_warp']
                          for _ in range(300)])
        bent = np.abs(warps - GuidanceView('color', with_warp=True)(
            dict(img=img))['guidance_warp']).max((1, 2, 3)) > 1e-3
        assert bent.mean() == pytest.approx(share, abs=0.08)
    # Where the picture was is black; its middle moves by 2 % at most.
    moved = warps[bent]
    assert (moved[..., 2].min((1, 2)) == 0).mean() > 0.5
    middle = np.abs(moved[:, 15:17, 63:65, :2]).mean((1, 2))
    assert middle.max() < 0.12


def test_a_view_may_take_the_pictures_place(img):
    results = GuidanceView('color', key='img')(dict(img=img))
    assert results['img'].shape == (32, 128, 3)
    assert 'guidance_img' not in results
