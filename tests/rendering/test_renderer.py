"""Pictures of words: same seed, same bytes; as the style says."""
from collections import Counter
from dataclasses import replace

import cv2
import numpy as np
import pytest

from lmim.rendering import STYLES, RenderedWords, WordRenderer, find_fonts
from lmim.rendering.layout import BentLine
from lmim.rendering.painting import PATTERNS, draw_plane
from lmim.rendering.style import Bend, Outline, Pattern, Shadow

LUMA = np.array([0.114, 0.587, 0.299])


@pytest.fixture(scope='module')
def font():
    return {font.name: font for font in find_fonts('a')}['DejaVuSans-Bold']


@pytest.fixture(scope='module')
def clean():
    """Black, level, sharp text on white."""
    style = WordRenderer(difficulty=0, jpeg_quality=(100, 100)).draw_style(
        np.random.default_rng(0))
    return replace(style, height=48, margins=(0.2, ) * 4, slack=0.,
                   foreground=(0., ) * 3, background=(255., ) * 3)


def compose(text, font, style):
    return WordRenderer().compose(text, font, style)


def test_pictures_are_crops_of_words():
    for word in RenderedWords(30):
        height, width, channels = word.image.shape
        style = word.style
        assert word.image.dtype == np.uint8 and channels == 3
        assert 28 <= style.height <= 48
        assert style.height <= height <= 2 * style.height
        assert 0.2 * style.height * len(word.text) < width
        assert width < 1.5 * style.height * (len(word.text) + 1)


def effects(style):
    """What a style does beyond level text on a plain ground."""
    bend, outline = style.bend, style.outline
    found = {
        'tilt': abs(style.rotation) > 5.01,
        'spacing': style.spacing > 0,
        'shade': style.shade is not None,
        'shadow': style.shadow is not None,
        'wave': bend and bend.kind == 'wave',
        'arc up': bend and bend.kind == 'arc' and bend.strength > 0,
        'arc down': bend and bend.kind == 'arc' and bend.strength < 0,
        'hollow': outline and outline.hollow,
        'outline': outline and not outline.hollow,
        style.pattern and style.pattern.kind: style.pattern,
    }
    return {name for name, there in found.items() if there}


def test_every_effect_comes_and_print_has_none():
    rng = np.random.default_rng(0)
    seen = Counter(name for _ in range(1000)
                   for name in effects(WordRenderer().draw_style(rng)))
    assert set(seen) == {
        'tilt', 'spacing', 'shade', 'shadow', 'wave', 'arc up', 'arc down',
        'hollow', 'outline', *PATTERNS
    }
    assert min(seen.values()) >= 20
    for settings in (STYLES['print'], dict(difficulty=0)):
        renderer = WordRenderer(**settings)
        for _ in range(30):
            assert effects(renderer.draw_style(rng)) == set()
    style = renderer.draw_style(rng)  # of difficulty 0
    assert style.rotation == style.shear == style.blur == style.noise == 0
    assert set(style.perspective) == {0}


def test_text_stands_out(font):
    """Ink and ground differ in brightness by what was asked for."""
    renderer = WordRenderer(min_contrast=120, outlined=0, shadowed=0)
    rng = np.random.default_rng(0)
    dark_on_light = 0
    for _ in range(30):
        word = renderer.compose('word', font, renderer.draw_style(rng))
        luma = word.image @ LUMA
        contrast = luma[word.mask > 250].mean() - luma[word.mask < 5].mean()
        assert abs(contrast) > 60  # blur, light and patterns take some
        dark_on_light += contrast < 0
    assert 5 < dark_on_light < 25


def ink_heights(word):
    """Mean y of the ink in the first, middle and last fifth, 0 to 1."""
    mask = word.mask.astype(float)
    width = mask.shape[1]
    y = np.arange(mask.shape[0])[:, None] / mask.shape[0]
    parts = (mask[:, width * a // 10:width * (a + 2) // 10] for a in (1, 4, 7))
    return [(part * y).sum() / part.sum() for part in parts]


def test_base_lines_bend_as_they_are_told(font, clean):
    def draw(bend):
        style = replace(clean, bend=bend, max_growth=2.)
        return compose('nononononon', font, style)

    level = compose('nononononon', font, clean)
    assert np.ptp(ink_heights(level)) < 0.02
    for sign in (1, -1):
        first, middle, last = ink_heights(draw(Bend('arc', 90 * sign)))
        assert sign * (first - middle) > 0.15 and abs(first - last) < 0.05
    # A whole sine: down, through the middle, up (y grows downwards).
    first, middle, last = ink_heights(draw(Bend('wave', 0.5)))
    assert first > middle + 0.1 and last < middle - 0.1
    # The picture grows, so that letters keep their size.
    arc = draw(Bend('arc', 90))
    assert 1.3 * 48 < arc.mask.shape[0] <= 2 * 48
    assert arc.mask.sum() > 0.8 * level.mask.sum()
    kept = compose('nononononon', font,
                   replace(clean, bend=Bend('arc', 90), max_growth=1.))
    assert kept.mask.shape[0] == 48
    # A tiny angle is a straight line.
    straight = draw(Bend('arc', 1e-4))
    assert straight.mask.shape[0] == 48
    assert abs(straight.mask.shape[1] - level.mask.shape[1]) <= 1
    assert np.ptp(ink_heights(straight)) < 0.02


@pytest.mark.parametrize('bend', [
    Bend('arc', 100), Bend('arc', -60), Bend('wave', 0.3, 1.4, 2.)])
def test_bends_lead_there_and_back(bend):
    line = BentLine(bend, 200, -3, 37)
    points = np.random.default_rng(0).uniform((0, -3), (200, 37), (50, 2))
    there = line.forward(points)
    assert np.abs(there - points).max() > 5
    back = np.stack(line.backward(*there.T), axis=1)
    np.testing.assert_allclose(back, points, atol=1e-9)


def test_rotation_and_its_limit(font, clean):
    turned = compose('nonono', font, replace(clean, rotation=8.))
    first, _, last = ink_heights(turned)
    assert first > last + 0.15  # counter-clockwise: the end is higher
    long = compose('n' * 40, font, replace(clean, rotation=45., max_growth=2.))
    ink = cv2.boundingRect(long.mask)
    assert ink[2] > 5 * ink[3]  # not on end


def test_rims_shadows_and_shades_are_painted(font, clean):
    def at(style, *places):
        return [compose('I', font, style).image[place].astype(int)
                for place in places]

    plain = compose('I', font, clean)
    left, top, width, height = cv2.boundingRect((plain.mask > 250).astype(
        np.uint8))
    inside = (slice(top + 4, top + height - 4), left + width // 2)
    beside = (slice(top + 4, top + height - 4), left - 3)
    right = (slice(top + 4, top + height - 4), left + width + 2)
    ink, ground = at(clean, inside, beside)
    assert ink.max() < 12 and ground.min() > 243
    rim = Outline(4 / 48, (0., 0., 255.))
    ink, red = at(replace(clean, outline=rim), inside, beside)
    assert ink.max() < 60 and (red[:, 2] > red[:, 0] + 120).all()
    ink, red = at(replace(clean, outline=replace(rim, hollow=True)), inside,
                  beside)
    assert ink.mean() > 150 and (red[:, 2] > red[:, 0] + 120).all()
    shadow = Shadow((3 / 48, 0.), 0., (100., ) * 3, 1.)
    ground, dark = at(replace(clean, shadow=shadow), beside, right)
    assert ground.min() > 243 and np.abs(dark - 100).max() < 30
    (ink, ) = at(replace(clean, shade=(200., ) * 3), inside)
    assert ink[0].mean() < ink[-1].mean() - 60
    # None of these are letters.
    for style in (replace(clean, outline=rim), replace(clean, shadow=shadow)):
        assert (compose('I', font, style).mask == plain.mask).all()


@pytest.mark.parametrize('kind', PATTERNS)
def test_patterns_stay_within_their_colour(kind, font, clean):
    for shape in ((48, 150), (9, 1), (30, 400)):
        plane = draw_plane(Pattern(kind, (1., ) * 3), shape,
                           np.random.default_rng(0))
        assert plane.shape == shape and plane.dtype == np.float32
        assert np.abs(plane).max() <= 1
    spread = []
    for seed in range(4):
        word = compose('word', font, replace(
            clean, background=(180., ) * 3, seed=seed,
            pattern=Pattern(kind, (40., ) * 3)))
        ground = word.image[cv2.dilate(word.mask, np.ones((9, 9))) == 0]
        assert ground.min() > 140 - 25 and ground.max() < 220 + 25  # JPEG
        spread.append(ground.std())
    assert max(spread) > 8


def test_dashes_and_dots_do_not_fill_the_picture(font, clean):
    for sign, share in (('-', 0.5), ('.', 0.6), ("'", 0.8), ('_', 0.6)):
        left, top, width, height = cv2.boundingRect(
            compose(sign, font, clean).mask)
        assert height < share * 48 * 0.6, sign
    heights = {sign: cv2.boundingRect(compose(sign, font, clean).mask)[1]
               for sign in "'-."}
    assert heights["'"] < heights['-'] < heights['.']


@pytest.mark.parametrize('settings, message', [
    (dict(height=(40, 30)), 'Heights'),
    (dict(difficulty=-1), 'difficulty is 0 or more'),
    (dict(bent='often'), "bent is 0 or more, not 'often'"),
    (dict(jpeg_quality=('low', 'high')), 'jpeg_quality is a pair of num'),
    (dict(jpeg_quality=80), 'jpeg_quality is a pair of num'),
    (dict(curl=1), 'no setting curl; it has height'),
])
def test_renderer_errors(settings, message):
    with pytest.raises(ValueError, match=message):
        WordRenderer(**settings)


def test_text_without_ink(font):
    with pytest.raises(ValueError, match='leaves no ink'):
        WordRenderer().render(' ', font, np.random.default_rng(0))
