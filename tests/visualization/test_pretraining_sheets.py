"""Sheets of views, masks, and of what models make of pictures."""
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest
import torch

from lmim.visualization import draw_view_sheet, pretraining_sheets
from lmim.visualization.pretraining_sheets import (draw_batch_sheet,
                                                   draw_reconstruction)
from lmim.visualization.reconstruction import reconstruct, view_batch
from lmim.visualization.sheet import enlarge
from tests.visualization.conftest import small_model


@pytest.fixture(autouse=True)
def sheets_as_they_are_asked_for(monkeypatch: Any) -> None:
    """In place of a sheet what it is drawn from; test_sheet.py draws it."""

    def draw_sheet(columns, names=None, note='', width=256):
        return SimpleNamespace(
            titles=[title for title, _ in columns],
            pictures=[np.stack(list(each)) for _, each in columns],
            names=names, note=note)

    monkeypatch.setattr(pretraining_sheets, 'draw_sheet', draw_sheet)


def predicting(seen, pred):
    """The same with another prediction."""
    return seen._replace(found=replace(seen.found, pred=pred))


def cells(seen, number, zoom=3):
    """Which pixels are hidden, in patches of 32x4."""
    hidden = seen.found.mask[number].bool().numpy()[None]
    return np.kron(hidden, np.ones((32 * zoom, 4 * zoom))).astype(bool)


def test_views_and_visible_patches():
    rng = np.random.default_rng(0)
    images = [rng.integers(0, 255, (20, 50, 3), dtype=np.uint8)
              for _ in range(3)]
    state = np.random.get_state()[1].copy()
    sheet = draw_view_sheet(images, patch_size=(8, 8))
    assert np.array_equal(np.random.get_state()[1], state)
    assert sheet.titles == [
        'image', 'RandomMasking: 12 of 64 visible', 'guidance view, weak',
        'guidance view, medium', 'guidance view, strong']
    image, masked, weak = sheet.pictures[:3]
    assert {each.shape for each in sheet.pictures} == {(3, 32, 128, 3)}
    assert np.array_equal(image[0], cv2.resize(images[0], (128, 32)))
    # 64 patches, of which int(64 * 0.2) are visible.
    same = (image[0] == masked[0]).all(axis=2).reshape(4, 8, 16, 8)
    visible = same.all(axis=(1, 3))
    assert visible.sum() == 12
    assert (masked[0][~visible.repeat(8, 0).repeat(8, 1)] == 128).all()
    again, other = [draw_view_sheet(images, patch_size=(8, 8), seed=seed)
                    for seed in (0, 1)]
    assert np.array_equal(weak, again.pictures[2])
    assert not np.array_equal(weak, other.pictures[2])
    assert not np.array_equal(masked, other.pictures[1])


def test_perfect_pixels_give_back_the_original(batch):
    model = small_model('mae')
    seen = reconstruct(model, batch)
    sheet = draw_reconstruction(
        model, predicting(seen, seen.found.target), names=list('abcd'))
    original, masked, predicted = sheet.pictures
    assert np.array_equal(original, seen.views[0])
    for number, image in enumerate(original):
        here = cells(seen, number, 1)
        assert (masked[number][here] == 128).all()
        assert np.array_equal(masked[number][~here], image[~here])
        # Un-normalised, it is the picture, but for rounding.
        here = cells(seen, number)
        assert np.abs(predicted[number][here].astype(int)
                      - enlarge(image, 3)[here]).max() <= 1
        framed = (predicted[number] == (60, 170, 0)).all(axis=2)
        assert framed.any() and not framed[here].any()
    assert 'normalised per patch (norm_pix)' in sheet.note
    assert sheet.names[0].startswith('a   error 0.000')
    # Visible patches stay whatever is predicted.
    sheet = draw_reconstruction(
        model, predicting(seen, seen.found.pred * 0 + 99), shown=[1])
    inside = np.zeros((96, 12), bool)
    inside[1:-1, 1:-1] = True
    kept = ~cells(seen, 1) & np.tile(inside, 32)
    assert np.array_equal(sheet.pictures[2][0][kept],
                          enlarge(original[1], 3)[kept])


def test_perfect_features_give_back_the_targets(batch):
    model = small_model('lmim')
    seen = reconstruct(model, batch)
    assert np.array_equal(seen.views[1],
                          batch['inputs'][1].permute(0, 2, 3, 1).numpy())
    sheet = draw_reconstruction(
        model, predicting(seen, seen.found.target), shown=[0, 2])
    original, _, guidance, target, predicted, alike = sheet.pictures
    assert np.array_equal(guidance, seen.views[1][[0, 2]])
    for place, number in enumerate((0, 2)):
        here = cells(seen, number)
        assert np.array_equal(predicted[place][here],
                              enlarge(target[place], 3)[here])
        assert np.array_equal(alike[place][here],
                              enlarge(original[place], 3)[here])
        assert len(np.unique(target[place].reshape(-1, 3), axis=0)) > 5
    assert 'MAERecTargetExtractor' in sheet.note and 'PCA' in sheet.note


def test_a_method_that_contrasts_is_drawn_by_its_instances(images):
    model = small_model('seqclr')
    batch = view_batch(images, (32, 128), model.view_levels)
    assert not torch.equal(*batch['inputs'])
    seen = reconstruct(model, batch)
    sheet = draw_reconstruction(model, seen, names=list('abcd'))
    assert sheet.titles == ['view 1', 'view 2', 'instances, view 1',
                            'instances, view 2']
    # Five windows, each of one colour from top to bottom.
    for strip in np.concatenate(sheet.pictures[2:]):
        assert (strip == strip[:1]).all()
        assert (np.diff(strip[0].astype(int), axis=0) != 0).any(1).sum() == 4
    share = seen.matches().float().mean()
    assert f'Over all pictures: {share:.0%}' in sheet.note
    sheet = draw_batch_sheet(model, seen, 3)
    assert [len(each) for each in sheet.pictures] == [3, 3]


def test_masked_pixels_and_windows_are_drawn(images):
    model = small_model('dig')
    seen = reconstruct(model, view_batch(images, (32, 128),
                                         model.view_levels))
    # Perfect pixels are drawn as the picture.
    sheet = draw_reconstruction(model, predicting(seen, seen.found.target))
    assert sheet.titles == [
        'image', 'masked: 69% hidden', 'guidance view (seen whole)',
        'predicted; framed patches are the original', 'instances, view 1',
        'instances, view 2']
    here = cells(seen, 0)
    assert np.array_equal(sheet.pictures[3][0][here],
                          enlarge(sheet.pictures[0][0], 3)[here])


def test_superimposed_images_are_drawn_with_both_that_are_in_them(images):
    model = small_model('ssm')
    seen = reconstruct(model, view_batch(images, (32, 128),
                                         model.view_levels))
    found = seen.found
    found.pictures.update({'rebuilt': found.target,
                           'rebuilt, turned': found.pixels[1]})
    sheet = draw_reconstruction(model, seen)
    assert sheet.titles[:5] == [
        'image', 'guidance view (seen whole)', 'superimposed', 'rebuilt',
        'rebuilt, turned']
    image, _, both, rebuilt, turned = sheet.pictures[:5]
    assert np.array_equal(rebuilt, image)
    for number in range(len(image)):
        turns = [image[number][:, ::-1], image[number][::-1],
                 image[number][::-1, ::-1]]
        assert any(np.array_equal(turned[number], turn) for turn in turns)
    mean = (image.astype(int) + turned) / 2
    assert np.abs(both - mean).max() <= 0.5
    assert model.picture_note in sheet.note


def test_regions_are_drawn_in_both_views(images):
    model = small_model('ccd')
    model.own_regions = None  # whatever run came before in this process
    batch = view_batch(images, (32, 128), model.view_levels,
                       meta_keys=model.meta_keys)
    seen = reconstruct(model, batch)
    sheet = draw_reconstruction(model, seen, names=list('abcd'))
    assert sheet.titles == ['view 1', 'view 2', 'regions, view 1',
                            'regions, view 2', 'text found']
    regular, bent, text = sheet.pictures[2:]
    colors = pretraining_sheets.REGION_COLORS
    maps = batch['data_samples']['glyph_map'].numpy()
    assert maps.max(axis=(1, 2)).min() >= 3  # three letters or more
    assert np.array_equal(regular, colors[maps])
    assert len(np.unique(colors[:13], axis=0)) == 13
    # The same colours where the second view was taken from.
    warp = batch['data_samples']['guidance_warp'].numpy()
    x, y = ((warp[..., axis] + 1) * size / 2 - 0.5
            for axis, size in ((0, 128), (1, 32)))
    for number in range(len(images)):
        there = cv2.remap(regular[number], x[number], y[number],
                          cv2.INTER_NEAREST)
        both = (there.max(2) > 0) & (bent[number].max(2) > 0)
        same = (there == bent[number]).all(2)[both]
        assert both.any() and same.mean() > 0.8
    share = seen.found.pictures['text found'].numpy()
    assert np.abs(text[..., 0] / 255 - share).max() < 0.003
    assert model.picture_note in sheet.note
