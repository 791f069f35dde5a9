"""DARLING: what style and content may know, and what is painted of them."""
from unittest import mock

import numpy as np
import pytest
import torch
from mmocr.registry import MODELS

from lmim.checkpoints import extract_encoder, open_checkpoint
from lmim.models.necks.prompted_painter import emptied, prompts_of
from lmim.utils.errors import UserError
from lmim.visualization import pretraining_sheets
from lmim.visualization.pretraining_sheets import draw_reconstruction
from lmim.visualization.reconstruction import reconstruct, view_batch

from .conftest import ENCODER, build
from .test_transformer_decoder import DECODER, dictionary  # noqa: F401

TEXTS = dict(text=['ab', 'c', 'dad'], pair_text=['ba', 'abc', 'd'])
CONTENT = dict(ENCODER, type='ContentViT')
PAINTER = dict(
    type='PromptedPainter', in_dims=16, embed_dims=24, num_layers=2,
    num_heads=2, feedforward_channels=32, num_classes=7, max_seq_len=6,
    padding_idx=5, grid=(2, 8))


@pytest.fixture
def darling(dictionary):  # noqa: F811
    return made(dictionary)


def made(dictionary, neck=PAINTER, **changes):  # noqa: F811
    model = build(dict(
        type='DARLING', backbone=CONTENT, neck=neck,
        encoder=dict(type='LinearEncoder', in_dims=8, embed_dims=24),
        decoder=dict(DECODER, dictionary=dictionary)), **changes)
    model.init_weights()
    return model.train()


@pytest.fixture
def pair(views):
    """Two words in one style, and the picture without text."""
    return [*views, torch.randn(3, 3, 8, 32)]


def test_losses_are_the_formulas(darling, pair):
    losses = darling.loss(pair, TEXTS)
    assert list(losses) == ['loss_ce', 'loss_align', 'loss_edit',
                            'loss_remove']
    found = darling.predict(pair, data_samples=TEXTS)
    first, other, erased = pair
    painted = found.painted.chunk(2)
    torch.testing.assert_close(losses['loss_edit'], (
        (painted[0] - other).abs().mean()
        + (painted[1] - first).abs().mean()) / 2)
    torch.testing.assert_close(losses['loss_remove'], sum(
        (each - erased).abs().mean() for each in found.removed.chunk(2)) / 2)
    one, two = found.parted.style.chunk(2)
    torch.testing.assert_close(losses['loss_align'],
                               (one - two).square().mean())
    # Styles of equal pictures are equal; and the same either way.
    assert darling.loss([first, first, erased], TEXTS)['loss_align'] == 0
    back = darling.loss([other, first, erased], dict(
        text=TEXTS['pair_text'], pair_text=TEXTS['text']))
    for name, value in losses.items():
        torch.testing.assert_close(back[name], value)


def test_style_and_content_learn_by_themselves(darling, pair):
    found = darling.predict(pair, data_samples=TEXTS)
    style, content = found.parted.style, found.parted.content
    reading = darling.decoder.loss(
        None, darling.encoder(content), darling.samples(TEXTS))['loss_ce']
    painting = found.painted.abs().mean() + found.removed.abs().mean()
    for loss, other in ((reading, style), (painting, content)):
        assert torch.autograd.grad(loss, other, retain_graph=True,
                                   allow_unused=True)[0] is None
    assert torch.autograd.grad(reading, content, retain_graph=True)[0].any()
    assert torch.autograd.grad(painting, style)[0].any()


def test_every_weight_learns(darling, pair):
    sum(darling.loss(pair, TEXTS).values()).backward()
    trained = {name for name, p in darling.named_parameters()
               if p.requires_grad}
    assert trained == {name for name, p in darling.named_parameters()
                       if p.grad is not None and p.grad.any()
                       or p.grad is not None and name.endswith('qkv.bias')}


def test_weights_of_losses(dictionary, pair):  # noqa: F811
    torch.manual_seed(0)
    plain = made(dictionary).loss(pair, TEXTS)
    torch.manual_seed(0)
    weighted = made(dictionary, read_weight=0.5, edit_weight=2.,
                    remove_weight=3.).loss(pair, TEXTS)
    assert [float(weighted[name] / plain[name]) for name in (
        'loss_ce', 'loss_edit', 'loss_remove')] == pytest.approx([.5, 2, 3])


def test_swapping_the_pair_swaps_what_is_painted(darling, pair):
    first, other, erased = pair
    painted = darling.predict(pair, data_samples=TEXTS).painted.chunk(2)
    back = darling.predict([other, first, erased], data_samples=dict(
        text=TEXTS['pair_text'],
        pair_text=TEXTS['text'])).painted.chunk(2)
    torch.testing.assert_close(back[0], painted[1])
    torch.testing.assert_close(back[1], painted[0])


def test_without_injection_the_painter_sees_style_alone(
        dictionary, pair):  # noqa: F811
    model = made(dictionary, dict(PAINTER, inject='none')).eval()
    assert model.taps == () and len(model.neck.gates) == 0
    with torch.no_grad():
        found = model.predict(pair, data_samples=TEXTS)
        parted = found.parted._replace(
            tokens=None, content=None, tapped=None)
        torch.testing.assert_close(model.paint(
            parted, found.prompts.roll(3, dims=0)), found.painted)
    gated = made(dictionary).eval()
    with torch.no_grad():
        found = gated.predict(pair, data_samples=TEXTS)
        blank = [torch.zeros_like(each) for each in found.parted.tapped]
        other = gated.paint(found.parted._replace(tapped=blank),
                            found.prompts.roll(3, dims=0))
    assert gated.taps == (1, 2)
    assert not torch.allclose(other, found.painted)


def test_padding_of_a_prompt_is_not_seen(darling):
    style = torch.randn(1, 16, 8)
    tapped = [torch.randn(1, 16, 16) for _ in range(2)]
    prompt = torch.tensor([[0, 1, 4, 5, 5, 5]])
    with torch.no_grad():
        wanted = darling.neck(style, prompt, tapped)
        torch.testing.assert_close(
            darling.neck(style, prompt[:, :3], tapped), wanted)
        other = darling.neck(style, torch.tensor([[0, 2, 4]]), tapped)
    assert not torch.allclose(other, wanted)
    assert emptied(prompt, 4, 5).tolist() == [[4, 5, 5, 5, 5, 5]]


def test_patches_are_joined_row_by_row(darling):
    """Channels last within a patch."""
    pixels = torch.arange(16 * 48).view(1, 16, 48)
    image = darling.neck.joined(pixels)
    assert image.shape == (1, 3, 8, 32)
    # Row 1, column 3 is patch 11; its pixel of row 2, column 1.
    assert image[0, :, 4 + 2, 12 + 1].tolist() == (
        11 * 48 + (2 * 4 + 1) * 3 + torch.arange(3)).tolist()


def test_pictures_alone_are_read_and_painted(darling, pair):
    darling.eval()
    with torch.no_grad():
        found = darling.predict(pair[0])
        probs = darling.decoder.forward_test(
            out_enc=darling.encoder(found.parted.content))
    assert torch.equal(found.prompts, prompts_of(probs, 6, 4, 5))
    assert [each.shape for each in found.pictures.values()] == [
        (3, 3, 8, 32)] * 3
    # Each other is the next picture.
    torch.testing.assert_close(found.parted.style[3:],
                               found.parted.style[:3].roll(-1, 0))
    # That is another style: nothing is to find it.
    assert [each.shape for each in found.instances] == [(3, 1, 8)]


def test_sheets_show_what_is_painted(darling):
    darling.eval()
    images = [np.random.RandomState(0).randint(256, size=(8, 32, 3)).astype(
        np.uint8) for _ in range(4)]
    levels, keys = darling.alone
    seen = reconstruct(darling, view_batch(images, (8, 32), levels,
                                           meta_keys=keys))
    titles = []
    with mock.patch.object(pretraining_sheets, 'draw_sheet',
                           lambda columns, *_: titles.append(
                               [title for title, _ in columns])):
        draw_reconstruction(darling, seen)
        pixels = torch.zeros(4, 3, 8, 32, dtype=torch.uint8)
        pair = reconstruct(darling, dict(inputs=[pixels] * 3, data_samples={
            name: ['a'] * 4 for name in TEXTS}))
        draw_reconstruction(darling, pair)
    painted = ["painted: its style, the other's word",
               'painted: its word, style of the next picture',
               'painted: its style, no text']
    assert titles[0][:4] == ['image', *painted]
    assert titles[1][:6] == ['image', 'same style, another word',
                             'without text', *painted]
    # Styles of equal pictures find each other, all the same.
    assert [each.shape for each in pair.instances] == [(4, 1, 8)] * 2


def test_what_was_read_becomes_a_prompt():
    probs = torch.eye(7)[torch.tensor([[0, 1, 4, 2], [3, 3, 3, 3]])]
    assert prompts_of(probs, 6, 4, 5).tolist() == [[0, 1, 4, 5, 5, 5],
                                                   [3, 3, 3, 3, 4, 5]]
    assert prompts_of(probs, 3, 4, 5).tolist() == [[0, 1, 4], [3, 3, 4]]


def test_an_encoder_without_halves_is_no_content(tmp_path):
    path = tmp_path / 'encoder.pth'
    torch.save(dict(state_dict={
        f'backbone.{name}': value for name, value in
        build(ENCODER).state_dict().items()}), path)
    vit = build(CONTENT, init_cfg=dict(type='Pretrained',
                                       checkpoint=str(path)))
    with pytest.raises(UserError, match="14 in all\n.*take type='TextViT'"):
        vit.init_weights()


def test_what_does_not_fit_is_told(darling, dictionary, pair):  # noqa: F811
    with pytest.raises(UserError, match='words of both pictures: take Rende'):
        darling.loss(pair, torch.arange(3))
    with pytest.raises(UserError, match='needs 3 views'):
        darling.loss(pair[:2], TEXTS)
    with pytest.raises(UserError, match='got 9, 5 and 6'):
        made(dictionary, dict(PAINTER, num_classes=9))
    with pytest.raises(UserError, match='encoder, which has 2: lower'):
        made(dictionary, dict(PAINTER, num_layers=3))
    with pytest.raises(UserError, match='needs a ContentViT'):
        made(dictionary, backbone=ENCODER)
    with pytest.raises(UserError, match="'gated' or 'none', got 'some'"):
        build(dict(PAINTER, inject='some'))
    with pytest.raises(UserError, match='15 channels cannot be halved'):
        build(dict(type='StyleContentSplit', in_dims=15, num_heads=3))
    with pytest.raises(UserError, match="got 'words'"):
        build(dict(CONTENT, half='words'))


def test_recognizers_load_a_half(darling, pair, tmp_path):
    path = tmp_path / 'darling.pth'
    torch.save(dict(state_dict=darling.state_dict()), path)
    loads = dict(init_cfg=dict(type='Pretrained', checkpoint=str(path)))
    halves = {}
    for half in ('content', 'style'):
        vit = build(dict(CONTENT, half=half, **loads))
        vit.init_weights()
        assert vit.load_report.is_full
        halves[half] = vit(pair[0])
    parted = darling.backbone.part(pair[0])
    torch.testing.assert_close(halves['content'], parted.content)
    torch.testing.assert_close(halves['style'], parted.style)
    # A plain encoder leaves the split aside, and says so.
    vit = build(dict(ENCODER, **loads))
    vit.init_weights()
    split = sum('.split.' in name for name in darling.state_dict())
    assert vit.load_report.is_full and split == 14
    assert vit.load_report.unused == split + sum(
        not name.startswith('backbone.') for name in darling.state_dict())
    torch.testing.assert_close(vit(pair[0]), parted.tokens)
    alone = extract_encoder(open_checkpoint(path)).checkpoint.weights
    assert 'backbone.split.norm.weight' in alone
    # As a map, for other recognizers.
    features = build(dict(type='ViTFeatureMap', vit=dict(CONTENT, **loads)))
    features.init_weights()
    assert features.out_channels == 8
    grid = parted.content.transpose(1, 2).unflatten(2, (2, 8))
    torch.testing.assert_close(features(pair[0]), grid)
    full = build(dict(CONTENT, padded=True, **loads))
    full.init_weights()
    assert full.out_dims == 16 and not full(pair[0])[..., :8].any()
    torch.testing.assert_close(full(pair[0])[..., 8:], parted.content)
    other = build(dict(CONTENT, half='style', padded=True, **loads))
    other.init_weights()
    torch.testing.assert_close(other(pair[0])[..., :8], parted.style)
    linked = build(dict(type='ViTFeatureMap', vit=CONTENT, out_channels=24,
                        pool='mean'))
    assert linked(pair[0]).shape == (3, 24, 1, 8)


def test_names_of_the_description_are_read(repo, tmp_path):
    ref = np.load(repo / 'tests/data/reference_darling.npz')
    weights = {name[len('state.'):]: torch.from_numpy(ref[name])
               for name in ref if name.startswith('state.')}
    path = tmp_path / 'theirs.pth'
    torch.save(weights, path)
    assert open_checkpoint(path).kind.key == 'darling'
    dims, depth, heads = ref['meta'][:3].tolist()
    hidden = len(weights['encoder.blocks.0.mlp.fc1.bias'])
    cfg = dict(
        type='ContentViT', img_size=ref['image_a'].shape[2:],
        arch=dict(embed_dims=dims, num_layers=depth, num_heads=heads,
                  feedforward_channels=hidden),
        init_cfg=dict(type='Pretrained', checkpoint=str(path)))
    vit = MODELS.build(dict(cfg, _scope_='mmocr')).eval()
    vit.init_weights()
    image = torch.from_numpy(ref['image_a']).float() / 127.5 - 1
    with torch.no_grad():
        torch.testing.assert_close(
            vit(image), torch.from_numpy(ref['content_a']), atol=1e-5, rtol=0)
    plain = MODELS.build(dict(cfg, type='TextViT', _scope_='mmocr'))
    plain.init_weights()
    assert plain.load_report.is_full and plain.load_report.unused > 14
