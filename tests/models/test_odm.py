"""ODM: prompts, what is to be painted, its losses, its encoder."""
from unittest import mock

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from mmocr.registry import MODELS, TRANSFORMS

from lmim.datasets.transforms import draw_plain_glyphs
from lmim.models.selfsup.odm import iou
from lmim.rendering import PlainGlyphs
from lmim.utils.errors import UserError
from lmim.visualization import pretraining_sheets
from lmim.visualization.pretraining_sheets import draw_reconstruction
from lmim.visualization.reconstruction import reconstruct, view_batch
from tests.data.make_reference import RECOGNIZER
from .conftest import ENCODER, build, loaded_encoder

DICTIONARY = RECOGNIZER['decoder']['dictionary']
ODM = dict(
    type='ODM',
    backbone=ENCODER,
    text_encoder=dict(
        type='TextPromptEncoder', dictionary=DICTIONARY, out_dims=12,
        max_len=6, embed_dims=8, num_layers=2, num_heads=2),
    neck=dict(type='TextPromptedDecoder', num_patches=16, embed_dims=12,
              num_layers=2, num_heads=2),
    head=dict(type='DestylizationHead', in_dims=12, grid=(2, 8)),
    prompt_drop=0., prompt_swap=0.)


@pytest.fixture
def samples():
    glyphs = torch.zeros(3, 8, 32, dtype=torch.uint8)
    glyphs[0, 2:6, 3:9], glyphs[1, 1:4], glyphs[2, :, 20:] = 255, 90, 200
    return dict(text=['one', 'two', 'one'], plain_glyphs=glyphs,
                straight=torch.tensor([0., 1., 0.]))


@pytest.fixture
def images():
    return torch.randn(3, 3, 8, 32, generator=torch.Generator().manual_seed(1))


def noise(*values):
    return torch.tensor(values)[:, None]


def test_a_prompt_matters_unless_it_is_dropped(images, samples):
    others = dict(samples, text=['xyz', 'abc', ''])
    for drop, same in ((0., False), (1., True)):
        model = build(ODM, prompt_drop=drop, prompt_swap=0.5)
        drawn = model.draw_noise(3, 0)
        logits = [model.predict(images, drawn, about).pred_glyphs[0]
                  for about in (samples, others, None)]
        assert torch.equal(logits[0], logits[1]) is same
        assert torch.equal(logits[0], logits[2]) is same
        # None of them is exchanged where all are dropped.
        glyphs = model.predict(images, drawn, samples).pred_glyphs[1]
        assert torch.equal(glyphs, samples['plain_glyphs']) or not same


def test_nothing_is_painted_upon_another_word(images, samples):
    model = build(ODM, prompt_drop=0.3, prompt_swap=0.4)
    classes = model.text_encoder.classes(samples['text'])
    prompts, swapped = model.prompts(classes, noise(0.2, 0.5, 0.8)[:, 0])
    assert swapped.tolist() == [False, True, False]
    assert prompts[0].tolist() == [94, 95, 95, 95, 95, 95]  # the end alone
    assert torch.equal(prompts[1], classes[0])
    assert torch.equal(prompts[2], classes[2])
    # The word before it is the same one: the first gets that of the last.
    assert not model.prompts(classes, noise(0.5, 0.9, 0.9)[:, 0])[1].any()
    glyphs = model.predict(images, noise(0.2, 0.5, 0.8),
                           samples).pred_glyphs[1]
    assert not glyphs[1].any()
    assert torch.equal(glyphs[::2], samples['plain_glyphs'][::2])


def test_words_become_classes():
    encoder = build(ODM).text_encoder
    assert encoder.classes(['10', 'toolong', '\u597d']).tolist() == [
        [1, 0, 94, 95, 95, 95], [29, 24, 24, 21, 24, 94],
        [96, 94, 95, 95, 95, 95]]
    # What stands behind a character does not change its vector.
    vectors = encoder(encoder.classes(['abc', 'abd']))
    assert torch.equal(vectors[0, :2], vectors[1, :2])
    assert not torch.equal(vectors[0, 2], vectors[1, 2])


def test_pixels_of_patches_lie_row_by_row():
    head = MODELS.build(dict(type='DestylizationHead', in_dims=6,
                             patch_size=(4, 2), grid=(2, 3), _scope_='mmocr'))
    patches = torch.randn(2, 6, 6)
    logits, each = head(patches), head.pred(patches)
    assert logits.shape == (2, 8, 6)
    for row in range(8):
        for column in range(6):
            patch = row // 4 * 3 + column // 2
            assert torch.equal(logits[:, row, column],
                               each[:, patch, row % 4 * 2 + column % 2])


def test_losses_are_those_of_their_formulas(images, samples):
    model = build(ODM, straight_weight=0.25)
    found = model.predict(images, noise(0.5, 0.5, 0.5), samples)
    logits, glyphs = found.pred_glyphs
    each = F.binary_cross_entropy_with_logits(
        logits, (glyphs >= 30).float(), reduction='none').mean((1, 2))
    losses = model.loss(images, samples)
    torch.testing.assert_close(
        losses['loss_seg'], (each * torch.tensor([1., 0.25, 1.])).mean())
    one, other = (F.normalize(each, dim=1) for each in found.instances)
    scores = one @ other.T / 0.07
    # Pictures 0 and 2 say the same.
    scores[0, 2] = scores[2, 0] = float('-inf')
    wanted = -sum(scores.log_softmax(dim).diag().mean() / 2 for dim in (0, 1))
    torch.testing.assert_close(losses['loss_contrast'], wanted)
    assert set(losses) == {'loss_seg', 'loss_contrast'}
    alone = build(ODM, contrast_head=None)
    assert set(alone.loss(images, samples)) == {'loss_seg'}


def test_a_frozen_reader_compares_pictures(images, samples, tmp_path):
    head = dict(type='OCRPerceptualHead', encoder=ENCODER)
    model = build(ODM, perceptual_head=head).train()
    reader = model.perceptual_head
    assert not list(reader.parameters()) and not reader.encoder.training
    letters = samples['plain_glyphs'].float() / 255
    assert reader.terms(letters, letters).abs().max() < 1e-6
    logits = torch.zeros(3, 8, 32, requires_grad=True)
    for distance in ('lpips', 'l1'):
        reader.distance = distance
        loss = reader.loss(logits, samples['plain_glyphs'], torch.ones(3))
        loss.backward()
        assert loss > 0 and logits.grad.abs().sum() > 0
    losses = model.loss(images, samples)
    torch.testing.assert_close(losses['loss_ocr'], reader.loss(
        model.predict(images, noise(.5, .5, .5), samples).pred_glyphs[0],
        samples['plain_glyphs'], torch.ones(3)))
    with pytest.raises(UserError, match='perceptual_head.checkpoint=FILE'):
        model.init_weights()
    # Of any encoder of ours.
    path = tmp_path / 'reader.pth'
    torch.save(dict(state_dict=build(ODM).state_dict()), path)
    model = build(ODM, perceptual_head=dict(head, checkpoint=str(path)))
    model.init_weights()
    assert torch.equal(model.perceptual_head.encoder.pos_embed,
                       build(ODM).backbone.pos_embed)
    with pytest.raises(UserError, match='distance must be one of'):
        build(ODM, perceptual_head=dict(head, distance='l2'))


def test_words_are_looked_up_once(images, samples):
    model = build(ODM)
    asked = []
    classes = model.text_encoder.classes
    model.text_encoder.classes = lambda texts: asked.append(texts) or classes(
        texts)
    model.loss(images, samples)
    assert asked == [samples['text'], ['']]


def test_pictures_alone_are_painted_without_a_prompt():
    """Of any size, and of words that nobody knows."""
    model = build(ODM)
    pictures = [np.full((20, width, 3), width, np.uint8)
                for width in (30, 60, 90)]
    levels, keys = model.alone
    assert keys == ()
    seen = reconstruct(model, view_batch(pictures, (8, 32), levels,
                                         meta_keys=keys))
    titles = []
    with mock.patch.object(pretraining_sheets, 'draw_sheet',
                           lambda columns, *_: titles.extend(
                               title for title, _ in columns)):
        draw_reconstruction(model, seen)
    assert titles == ['image', 'plain letters']
    joint = model.image_projection(model.backbone(seen.inputs))
    torch.testing.assert_close(
        seen.found.pictures['plain letters'], model.paint(
            joint, model.text_encoder.classes([''] * 3)).sigmoid())


def test_what_it_needs_is_said(images, samples):
    model = build(ODM)
    samples.pop('straight')
    for about in (None, samples):
        with pytest.raises(UserError, match='odm_pipeline'):
            model.loss(images, about)
    with pytest.raises(UserError, match='shares from 0'):
        build(ODM, prompt_drop=1.5)


def test_recognizers_load_its_encoder(tmp_path):
    model = build(ODM)
    model.init_weights()
    encoder = loaded_encoder(model, tmp_path)
    for name, value in model.backbone.state_dict().items():
        assert torch.equal(encoder.state_dict()[name], value), name


def test_pictures_tell_how_much_is_painted(images, samples):
    model = build(ODM).eval()
    found = model.predict(images, noise(0.5, 0.5, 0.5), samples)
    (title, painted), (_, target) = found.pictures.items()
    letters = samples['plain_glyphs'] >= 30
    assert painted.shape == target.shape == (3, 8, 32)
    assert 0 <= painted.min() and painted.max() <= 1 == target.max()
    by_mean = iou(letters.float().mean(0).expand(3, 8, 32), letters)
    assert title.endswith(f'({by_mean:.2f})') and 0.1 < by_mean < 0.9
    assert iou(letters.float(), letters) == 1
    assert iou(torch.zeros(3, 8, 32), letters) == 0
    half = letters.float()
    half[0] = 0
    assert iou(half, letters) == pytest.approx(
        float(letters[1:].sum() / letters.sum()))
    # Without labels it is what is painted without a prompt.
    assert list(model.predict(images).pictures) == ['plain letters']


def test_targets_of_both_kinds(monkeypatch):
    draw = TRANSFORMS.build(dict(type='DrawPlainGlyphs', img_size=(8, 32),
                                 margin=0., _scope_='mmocr'))
    said = dict(instances=[dict(text='word')])
    found = draw(dict(said))
    assert found['straight'] == 1
    assert np.array_equal(found['plain_glyphs'],
                          PlainGlyphs().straight('word', (8, 32), 0.))
    placed = np.zeros((16, 64), np.uint8)
    placed[4:8, 8:16] = 255
    found = draw(dict(said, plain_glyphs=placed))
    assert found['straight'] == 0 and found['plain_glyphs'].shape == (8, 32)
    assert (found['plain_glyphs'] == placed[::2, ::2]).all()
    with pytest.raises(UserError, match='needs the text of each picture'):
        draw(dict(img=placed))
    with pytest.raises(UserError, match='a.png has none'):
        draw(dict(img_path='a.png', instances=[dict(bbox=[0, 0, 1, 1])]))
    # What cannot be drawn is another picture's turn.
    said_so = []
    monkeypatch.setattr(draw_plain_glyphs, 'print_log',
                        lambda message, *args: said_so.append(message))
    for text in (' ', 'a\u4e00'):
        assert draw(dict(img_path='a.png', instances=[dict(text=text)])
                    ) is None
    assert "leaves out a.png: The text ' ' leaves no ink" in said_so[0]
    assert len(said_so) == 2 and 'a.png' in said_so[1]
    for wrong, said_so in ((dict(margin=-1), 'not -1'),
                           (dict(font='no.ttf'), 'no.ttf cannot be opened')):
        with pytest.raises(UserError, match=said_so):
            TRANSFORMS.build(
                dict(wrong, type='DrawPlainGlyphs', _scope_='mmocr'))
