"""Pictures of words: same seed, same bytes; as the style says."""
from dataclasses import replace

import cv2
import numpy as np
import pytest

from lmim.rendering import WordRenderer, find_fonts
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


def test_neighbours_reach_into_margins_and_are_no_letters(font, clean):
    alone = compose('word', font, clean)
    crowded = compose('word', font, replace(
        clean, neighbors=('left', 'right', 'above', 'below')))
    assert np.array_equal(alone.mask, crowded.mask)
    rows, columns = (np.flatnonzero((alone.mask > 127).any(axis=axis))
                     for axis in (1, 0))
    added = (alone.image @ LUMA - crowded.image @ LUMA) > 128
    left, right = columns[0], columns[-1] + 1
    top, bottom = rows[0], rows[-1] + 1
    assert left > 4 and not added[top:bottom, left // 2 + 1:right].any()
    for strip in (added[:, :left // 2], added[:, -(left // 2):],
                  added[:top // 2], added[bottom + top // 2 + 1:]):
        assert strip.sum() > 5


def test_words_are_cut_out_too_wide_and_too_tight():
    ranges = dict(loose=0.2, neighbored=0.3)
    plain, cut = (WordRenderer(**settings) for settings in ({}, ranges))
    sides, changes = set(), []
    for seed in range(200):
        one, other = (renderer.draw_style(np.random.default_rng(seed))
                      for renderer in (plain, cut))
        changes += np.subtract(other.margins, one.margins).tolist()
        sides.update(other.neighbors)
        # All else is drawn as without.
        assert replace(other, margins=one.margins, neighbors=()) == one
    assert sides == {'left', 'right', 'above', 'below'}
    assert -0.05 <= min(changes) < -0.04 and 0.19 < max(changes) <= 0.2


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
