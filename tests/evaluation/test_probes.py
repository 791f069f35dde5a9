"""Figures of features, on features whose figures are known."""
import math
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from mmocr.registry import MODELS
from torch import nn

from lmim.evaluation.painted_letters import probe_letters
from lmim.evaluation.probes import (ProbeWords, attention_correctness,
                                    draw_words, effective_rank, linear_probe,
                                    patch_characters, probe_encoder,
                                    probe_halves, probe_prediction,
                                    read_words, spread, variance_shares)
from lmim.models.selfsup import Prediction
from lmim.rendering import PlainGlyphs
from lmim.utils.errors import UserError
from tests.models.conftest import build
from tests.models.test_odm import ODM

SIGN = torch.tensor([1., -1.])
#: (4, 4, 1): of pictures, of positions, and of both.
PICTURE = SIGN.repeat(2).reshape(4, 1, 1).expand(4, 4, 1)
POSITION = PICTURE.transpose(0, 1)
BOTH = PICTURE * POSITION


@pytest.mark.parametrize('features, shares', [
    (torch.full((4, 4, 3), 2.), (1, 1, 0, 0)),
    (PICTURE, (0, 1, 0, 0)),
    (POSITION, (0, 0, 1, 0)),
    (BOTH, (0, 0, 1, 1)),
    (1 + PICTURE + POSITION + BOTH, (0.25, 0.5, 0.5, 0.25)),
    (3 + BOTH, (0.9, 0.9, 0.1, 0.1)),
    (torch.zeros(4, 4, 3), (0, 0, 0, 0)),
])
def test_what_explains_features(features, shares):
    found = variance_shares(features)
    assert found == pytest.approx(shares, abs=1e-12)
    if shares[0] < 1:
        assert found.within_of_variance == pytest.approx(
            shares[2] / (1 - shares[0]))


def test_spread_of_vectors():
    assert spread(torch.full((5, 16), 2.)) == pytest.approx((0, 8, 0))
    assert spread(PICTURE[:, 0].expand(4, 9)) == pytest.approx((1, 3, 1))
    # 2 in common, 0.5 apart.
    found = spread(2 + 0.5 * PICTURE[:, 0])
    assert found == pytest.approx((0.5, 2, 0.5 / math.sqrt(4.25)))


def test_effective_rank():
    assert effective_rank(torch.eye(7)[:, :5]) == pytest.approx(5)
    outer = torch.arange(1., 9)[:, None] * torch.arange(1., 5)
    assert effective_rank(outer) == pytest.approx(1, abs=1e-4)
    assert effective_rank(torch.zeros(3, 2)) == 0
    # exp(entropy(3/4, 1/4)); a rotation changes nothing.
    wanted = 4 / 3**0.75
    turn = torch.linalg.qr(torch.randn(
        6, 6, generator=torch.Generator().manual_seed(0)))[0][:, :2]
    assert effective_rank(turn @ torch.diag(torch.tensor([3., 1.]))
                          ) == pytest.approx(wanted, rel=1e-5)


def test_a_linear_probe_reads_what_is_linear():
    rng = torch.Generator().manual_seed(0)
    classes = torch.randint(0, 4, (4000, ), generator=rng)
    classes[:2000] = classes[:2000] * (classes[:2000] != 1)  # 0: every other
    held_out = torch.arange(4000) >= 3000
    places = torch.randn(4, 6, generator=rng)
    noise = torch.randn(4000, 6, generator=rng)
    chance = float((classes[3000:] == 0).double().mean())
    # Scale and shift do not matter.
    for scale, shift in ((1., 0.), (1e-3, 5.)):
        features = (places[classes] + 0.01 * noise) * scale + shift
        assert linear_probe(features, classes, held_out) == (
            1., pytest.approx(chance))
    accuracy, _ = linear_probe(noise, classes, held_out)
    assert abs(accuracy - chance) < 0.05
    # A channel that never changes is of no use, and does no harm.
    features[:, 0] = 7.
    assert linear_probe(features, classes, held_out)[0] == 1.
    with pytest.raises(UserError, match='give more words'):
        linear_probe(features, classes, held_out[:0].new_ones(4000))


def test_a_linear_probe_is_ridge_regression():
    """Its solution, of plain normal equations, on features of unit scale."""
    rng = np.random.default_rng(0)
    seen = rng.choice([-1., 1.], (60, 3))
    seen = np.concatenate([seen, -seen])  # mean 0, standard deviation 1
    new, classes = rng.normal(size=(80, 3)), rng.integers(0, 3, 200)
    onehot = np.eye(3)[classes[:120]]
    for ridge in (1e-3, 10.):
        weights = np.linalg.solve(
            seen.T @ seen + 120 * ridge * np.eye(3),
            seen.T @ (onehot - onehot.mean(0)))
        wanted = (new @ weights + onehot.mean(0)).argmax(1) == classes[120:]
        found, _ = linear_probe(
            torch.from_numpy(np.concatenate([seen, new])),
            torch.from_numpy(classes), torch.arange(200) >= 120, ridge)
        assert found == pytest.approx(wanted.mean())


def test_characters_of_patches():
    letters = np.zeros((2, 4, 8), np.uint8)
    letters[0, :, :3] = 1
    letters[0, :, 3:6] = 2
    letters[1, 0, 7] = 1
    words = ProbeWords(np.zeros((2, 4, 8, 3), np.uint8), letters, ['cb', 'b'])
    # b is 0, c is 1. In the second patch both have as many: the first.
    assert patch_characters(words, (1, 4)).tolist() == [
        [1, 1, 0, -1], [-1, -1, -1, 0]]
    assert patch_characters(words, (2, 2)).tolist() == [
        [1, 0, 1, 0], [-1, 0, -1, -1]]
    # A fiftieth is too little.
    letters = np.zeros((1, 5, 10), np.uint8)
    letters[0, 0, 0] = 1
    words = ProbeWords(np.zeros((1, 5, 10, 3), np.uint8), letters, ['b'])
    assert patch_characters(words, (1, 1)).tolist() == [[-1]]


def test_words_of_files_have_letters_of_equal_width(tmp_path: Path):
    for name in ('a', 'b', 'c'):
        cv2.imwrite(str(tmp_path / f'{name}.png'),
                    np.full((10, 30, 3), 9, np.uint8))
    (tmp_path / 'labels.txt').write_text('a.png abc\nb.png x\nc.png yz\n')
    words = read_words([str(tmp_path / 'labels.txt')], 2, (4, 6))
    assert words.images.shape == (2, 4, 6, 3) and words.texts == ['abc', 'x']
    assert words.letters[0].tolist() == [[1, 1, 2, 2, 3, 3]] * 4
    assert (words.letters[1] == 1).all()
    blank = read_words([str(tmp_path)], 5, (4, 6), with_text=False)
    assert blank.texts == [''] * 3 and not blank.letters.any()


def test_what_a_prediction_tells():
    cls = torch.cat([PICTURE[:, :1], torch.ones(4, 6, 1)], dim=1)
    mask = torch.tensor([[0., 1, 0, 1]]).repeat(4, 1)
    # What is predicted of visible patches does not count.
    pred = torch.where(mask.bool()[..., None], 3 + torch.tensor(
        [0., -1, 0, 1])[:, None], torch.tensor(99.))
    found = probe_prediction(Prediction([cls], mask, pred, PICTURE))
    assert {name: found[name] for name in (
        'std', 'norm', 'relative', 'target_mean', 'target_picture',
        'target_within', 'pred_picture', 'pred_within',
        'pred_beside_position')} == pytest.approx(dict(
            std=1, norm=1, relative=1, target_mean=0, target_picture=1,
            target_within=0, pred_picture=0.9, pred_within=0.1,
            pred_beside_position=0))
    # Instances, windows that only their place tells apart.
    found = probe_prediction(Prediction(
        [cls], instances=(2 * POSITION, POSITION)))
    assert found == pytest.approx(dict(std=0, norm=4, relative=0))


def test_an_encoder_without_blocks():
    """[CLS] knows nothing then; patches show what is in them."""
    torch.manual_seed(0)
    encoder = MODELS.build(dict(
        type='MaskedViT', arch='mini', patch_size=(32, 4), pos_embed='grid',
        _scope_='mmocr')).eval()
    encoder.init_weights()
    encoder.layers = nn.ModuleList()
    words = draw_words(60, (32, 128))
    found = probe_encoder(encoder, words)
    assert found['cls_std'] == found['cls_relative'] == pytest.approx(0)
    assert found['cls_rank'] == pytest.approx(1, abs=1e-4)
    assert found['cls_norm'] == pytest.approx(math.sqrt(128), rel=0.01)
    assert 2 < found['patch_rank'] < 128
    # The last quarter of the words is held out; normalised, RGB.
    images = torch.from_numpy(words.images[..., ::-1].copy()) / 127.5 - 1
    with torch.no_grad():
        patches = encoder(images.permute(0, 3, 1, 2), mask=False)[:, 1:]
    classes = patch_characters(words, (1, 32))
    shown, held_out = classes >= 0, torch.arange(60)[:, None] >= 45
    accuracy, chance = linear_probe(
        patches[shown], classes[shown], held_out.expand(60, 32)[shown])
    assert found['character_accuracy'] == pytest.approx(accuracy, abs=0.01)
    assert found['character_chance'] == pytest.approx(chance)
    # One colour a picture, and the position: nothing is within but this.
    plain = np.empty_like(words.images)
    plain[:] = np.arange(60).reshape(60, 1, 1, 1) * 4
    found = probe_encoder(encoder, ProbeWords(
        plain, words.letters * 0, [''] * 60))
    assert 'character_accuracy' not in found
    encoder.pos_embed.zero_()
    assert probe_encoder(encoder, ProbeWords(
        plain, words.letters * 0, [''] * 60))['patch_within'] < 1e-6
    assert found['patch_within'] > 0.1


def test_attention_on_its_own_columns():
    """Of three letters one is right, one by a quarter, one has no pixel."""
    letters = np.zeros((2, 4, 16), np.uint8)
    letters[0, :, 4:8], letters[0, 1, 9], letters[1, :, :2] = 1, 2, 3
    word = np.zeros((2, 2, 4), np.float32)
    word[0, :, 1] = 0.5
    word[1, 0] = 0.25
    other = np.full((3, 2, 4), 1 / 8, np.float32)
    found = attention_correctness([word, other], letters)
    assert found == pytest.approx((1 + 0.25 + 0.25) / 3)
    with pytest.raises(UserError, match='no character of these words has'):
        attention_correctness([word], letters * 0)


def test_painted_letters_are_compared(monkeypatch):
    """A model that paints what stands in the picture."""
    letters = np.zeros((3, 8, 32), np.uint8)
    letters[0, 2:6, 3:9] = letters[1, 1:4, 3:20] = letters[2, :, 20:] = 255
    words = ProbeWords(np.repeat(letters[..., None], 3, 3), letters,
                       ['a', 'b', '\u4e00'], glyphs=letters)
    model = build(ODM, prompt_drop=1.)
    seen = []

    def predict(images, noise, about):
        seen.append((noise.flatten().tolist(), about))
        return Prediction([], pred_glyphs=(20 * images[:, 0], None))

    monkeypatch.setattr(model, 'predict', predict)
    found = probe_letters(model, words)
    assert found['placed_iou'] == found['placed_iou_best'] == 1
    assert found['placed_iou_blank'] == 0
    mean = (letters > 0).mean(axis=0)
    shares = [((mean > cut) & (letters > 0)).sum()
              / ((mean > cut) | (letters > 0)).sum() for cut in (0.5, 0, 0.4)]
    assert found['placed_iou_mean'] == pytest.approx(shares[0])
    assert found['placed_iou_mean_best'] == pytest.approx(max(shares))
    # Level letters are of those words that the font can draw.
    level = np.stack([PlainGlyphs().straight(text, (8, 32)) for text in 'ab'])
    assert found['level_iou'] == pytest.approx(
        ((level >= 30) & (letters[:2] > 0)).sum()
        / ((level >= 30) | (letters[:2] > 0)).sum())
    # Trained without prompts it is given none; else the words, all of them.
    assert seen == [([1, 1, 1], None)] and 'placed_iou_told' not in found
    model.prompt_drop = 0.5
    assert probe_letters(model, words)['placed_iou_told'] == 1
    assert seen[2] == ([1, 1, 1], dict(text=words.texts))
    assert probe_letters(model, words._replace(
        glyphs=None, texts=[''] * 3)) == {}


def test_what_halves_know_of_each_other():
    """Style is made to know fonts and tones alone, content letters alone."""
    words = draw_words(240, (32, 128))
    assert len(words.fonts) == 240 and len(set(words.fonts)) > 1
    torch.manual_seed(0)
    vit = MODELS.build(dict(
        type='ContentViT', _scope_='mmocr', patch_size=(32, 4),
        pos_embed='grid', arch=dict(embed_dims=8, num_layers=1, num_heads=2,
                                    feedforward_channels=8))).eval()
    fonts = sorted(set(words.fonts))
    ground = np.array([image[shown == 0].mean() for image, shown in
                       zip(words.images, words.letters)])
    tones = np.searchsorted(np.quantile(ground, (0.25, 0.5, 0.75)), ground)
    codes = torch.tensor([[fonts.index(font), tone] for font, tone in
                          zip(words.fonts, tones)])
    style = torch.cat([nn.functional.one_hot(codes[:, 0], len(fonts)),
                       nn.functional.one_hot(codes[:, 1], 4)], 1).float()
    classes = patch_characters(words, (1, 32))
    content = nn.functional.one_hot(classes + 1, 27).float()
    place = [0]

    class Known(nn.Module):

        def forward(self, patches):
            part = slice(place[0], place[0] + len(patches))
            place[0] = part.stop
            return (style[part][:, None].expand(-1, 32, -1), content[part])

    vit.split = Known()
    # Halves of one width.
    width = max(style.shape[1], 27)
    style = nn.functional.pad(style, (0, width - style.shape[1]))
    content = nn.functional.pad(content, (0, width - 27))
    figures = probe_halves(vit, words)
    assert figures['style_font'] == figures['style_tone'] == 1
    assert figures['content_character'] == 1
    assert figures['style_character'] < 0.3
    assert figures['content_tone'] < figures['chance_tone'] + 0.25
    assert figures['content_font'] < figures['chance_font'] + 0.25
    assert set(figures) == {f'{part}_{what}' for part in (
        'style', 'content', 'chance') for what in (
        'character', 'font', 'tone')}
