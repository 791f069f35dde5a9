"""SIGA's head: labels, losses, what it teaches, and how it goes again."""
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from mmengine.config import Config
from mmengine.logging import MessageHub

from lmim.apis import load_recognizer
from lmim.models.textrecog.glyph_attention import bent, own_columns_loss
from lmim.models.textrecog.glyph_losses import (labels_by_attention,
                                                labels_by_letters,
                                                text_entropy)
from lmim.utils.errors import UserError

from .conftest import ENCODER, build
from .test_transformer_decoder import DECODER, dictionary  # noqa: F401
from .test_transformer_decoder import samples as words

HEAD = dict(
    type='GlyphAttentionHead',
    segmentation=dict(taps=(1, 2), embed_dims=8, tap_dims=6, out_dims=8))
LENGTHS = torch.tensor([2, 1])


def letters():
    """Two pictures of 8x32: two letters, and one."""
    maps = np.zeros((2, 8, 32), np.uint8)
    maps[0, :, 2:8], maps[0, :, 12:20], maps[1, 2:6, 4:12] = 1, 2, 1
    return maps


def samples(warp=None):
    result = words('ab', 'c')
    for sample, glyphs in zip(result, letters()):
        sample.set_metainfo(dict(glyph_map=glyphs))
        if warp is not None:
            sample.set_metainfo(dict(guidance_warp=warp))
    return result


def recognizer(dictionary, head=HEAD, **changes):  # noqa: F811
    model = build(dict(
        type='GlyphAttentionRecognizer', backbone=ENCODER, glyph_head=head,
        encoder=dict(type='LinearEncoder', in_dims=16, embed_dims=24),
        decoder=dict(DECODER, dictionary=dictionary),
        data_preprocessor=dict(type='TextRecogDataPreprocessor')), **changes)
    model.init_weights()
    return model


@pytest.fixture
def images():
    return torch.randn(2, 3, 8, 32, generator=torch.Generator().manual_seed(0))


def test_labels_are_the_text_of_columns_that_are_attended_to():
    attention = torch.zeros(2, 3, 4)  # columns of 8 pixels
    attention[0, 0, 0], attention[0, 1, 1], attention[:, 2, 3] = 1, 1, 1
    text = torch.from_numpy(letters()) > 0
    labels = labels_by_attention(attention, text, LENGTHS, (8, 32))
    assert labels.shape == (2, 4, 8, 32) and labels.sum(1).max() == 2
    assert torch.equal(labels[:, 0], (~text).float())
    # Linear between the middles of columns, above 0.05: to 1.05 columns.
    columns = [each.any(0).nonzero().flatten().tolist() for each in labels[0]]
    assert columns[1] == [*range(2, 8)]
    assert columns[2] == [*range(4, 8), *range(12, 20)]
    assert not labels[0, 3].any()  # beyond the word
    coarse = labels_by_attention(attention, text, LENGTHS, (2, 8))
    assert coarse[0, 2, 0].tolist() == [0, 1, 0, 1, 1, 0, 0, 0]


def test_labels_of_known_letters():
    maps = letters()
    maps[1, 0, 20:] = 255  # a letter of no number
    labels = labels_by_letters(torch.from_numpy(maps), 3, (2, 8))
    assert labels[0, 1, 0].tolist() == [1, 1, 0, 0, 0, 0, 0, 0]
    assert labels[0, 2, 0].tolist() == [0, 0, 0, 1, 1, 0, 0, 0]
    assert labels[1, 0, 0, 5:].all() and torch.equal(
        labels.sum(1), torch.ones(2, 2, 8))


@pytest.mark.parametrize('product', ['squared', 'plain'])
def test_two_letters_at_one_place_cost(product):
    loss = build(dict(type='ImplicitAlignmentLoss', product=product))
    attention = torch.rand(2, 3, 8).softmax(dim=2)
    text = torch.ones(2, 4, 8)
    lengths = torch.tensor([3, 2])
    pairs = [[(each[i] * each[j]) ** (2 if product == 'squared' else 1)
              for i in range(int(n)) for j in range(i)]
             for each, n in zip(attention, lengths)]
    sums = torch.stack([torch.stack(each).sum() for each in pairs])
    wanted = ((sums / lengths).sum() if product == 'squared' else sums.mean())
    found = loss(attention, text, lengths)
    torch.testing.assert_close(found['loss_cor'], wanted)
    apart = loss(torch.eye(8)[None, :3].repeat(2, 1, 1), text, lengths)
    assert apart['loss_cor'] == 0


def test_drifted_attention_is_parted_and_covers_the_text():
    """Two letters that attend to one place, trained by the two losses."""
    loss = build(dict(type='ImplicitAlignmentLoss'))
    text = torch.zeros(1, 4, 32)
    text[:, :, 4:12] = text[:, :, 20:28] = 1
    scores = torch.zeros(1, 2, 8)
    scores[:, :, 1:3] = 2.
    scores[0, 1] += 0.3 * torch.arange(8)
    scores.requires_grad_()
    optimizer = torch.optim.Adam([scores], 0.1)
    seen = []
    for _ in range(300):
        attention = scores.softmax(dim=2)
        losses = loss(attention, text, torch.tensor([2]))
        seen.append((attention.detach(), losses['loss_cor'].item(),
                     losses['loss_dif'].item()))
        optimizer.zero_grad()
        sum(losses.values()).backward()
        optimizer.step()
    (start, cor, dif), (attention, cor_after, dif_after) = seen[0], seen[-1]
    assert cor_after < cor / 10 and dif_after < dif - 0.05
    # All text is covered: the least that there is.
    assert dif_after == pytest.approx(np.log(1 + np.exp(-1)), abs=1e-4)
    assert start[0, 1, 5:7].sum() < 0.25 < 0.6 < attention[0, 1, 5:7].sum()


def test_the_binary_form_tells_text_alone():
    loss = build(dict(type='GlyphLoss', binary=True))
    both = build(dict(type='GlyphLoss'))
    labels = labels_by_letters(torch.from_numpy(letters()), 2, (8, 32))
    sure = 30 * labels
    assert loss(sure, labels, LENGTHS) < 1e-3
    # The letters exchanged: the same text.
    other = loss(sure[:, [0, 2, 1]], labels, LENGTHS)
    # Dice: of both of the first word and the one of the second.
    wanted = 1 - (1 / (48 + 64 + 1) + 1 / (32 + 1)) / 2
    assert other.item() == pytest.approx(wanted, abs=1e-3)
    assert both(sure[:, [0, 2, 1]], labels, LENGTHS) > 5


def test_masks_the_wrong_way_round_are_left_out_later(dictionary,  # noqa: F811
                                                      images):
    logits = torch.zeros(2, 2, 4, 4)
    logits[:, 1] = 20.
    text = torch.ones(2, 4, 4)
    text[1] = 0
    right = F.cross_entropy(torch.tensor([[0., 1.]]), torch.tensor([1]))
    assert text_entropy(logits, text, 1.).item() == pytest.approx(
        right.item(), abs=1e-6)
    assert text_entropy(logits, text).item() == pytest.approx(
        right.item() + 0.5, abs=1e-6)
    assert text_entropy(logits[1:], text[1:], 1.) == 0
    model = recognizer(dictionary, dict(HEAD, inverted_from=0.5)).train()
    with torch.no_grad():
        model.glyph_head.segmentation.classifier.weight.zero_()
        model.glyph_head.segmentation.classifier.bias.copy_(
            torch.tensor([-20., 20.]))
    hub = MessageHub.get_current_instance()
    hub.update_info('max_iters', 100)
    found = []
    for done in (0, 50):
        hub.update_info('iter', done)
        found.append(model.loss(images, samples())['loss_ins'].item())
    hub.update_info('iter', 0)
    # Nearly all of the second picture is ground.
    assert found[0] > found[1] + 0.1


@pytest.mark.parametrize('decoder', ['TextTransformerDecoder',
                                     'ParallelDecoder'])
@pytest.mark.parametrize('fused', [False, True])
def test_every_weight_learns(dictionary, images, decoder, fused):  # noqa: F811
    known = dict(letters=True, columns_weight=1.) if fused else {}
    model = recognizer(
        dictionary, dict(HEAD, fused=fused, **known),
        decoder=dict(DECODER, type=decoder, dictionary=dictionary)).train()
    losses = model.loss(images, samples())
    assert {'loss_ins', 'loss_cor', 'loss_dif', 'loss_glyph',
            'loss_read'} <= losses.keys()
    assert ('loss_columns' in losses) == fused
    sum(losses.values()).backward()
    assert {name for name, p in model.named_parameters()
            if p.requires_grad and p.grad is None} == set()
    aligned = recognizer(dictionary, decoder=dict(
        DECODER, type=decoder, dictionary=dictionary)).train()
    aligned.loss(images, samples())['loss_dif'].backward()
    # Attention is aligned through decoder and encoder alike.
    assert aligned.decoder.layers[-1].enc_attn.linear_q.weight.grad.any()
    assert aligned.backbone.patch_embed.projection.weight.grad.any()


def test_reading_needs_no_head(dictionary, images, tmp_path):  # noqa: F811
    model = recognizer(dictionary).eval()
    kept = {name: value for name, value in model.state_dict().items()
            if not name.startswith('glyph_head.')}
    plain = build(dict(
        type='EncoderDecoderRecognizer', backbone=ENCODER,
        encoder=dict(type='LinearEncoder', in_dims=16, embed_dims=24),
        decoder=dict(DECODER, dictionary=dictionary),
        data_preprocessor=dict(type='TextRecogDataPreprocessor'))).eval()
    plain.load_state_dict(kept)
    with torch.no_grad():
        wanted = plain(images, samples(), mode='tensor')
        assert torch.equal(model(images, samples(), mode='tensor'), wanted)
        read = [each.predict(images, samples()) for each in (model, plain)]
    assert [a.pred_text.item for a in read[0]] == [
        a.pred_text.item for a in read[1]]
    assert [a.pred_text.score for a in read[0]] == [
        a.pred_text.score for a in read[1]]
    # A checkpoint is read without the head, by its own config or another.
    path = tmp_path / 'model.pth'
    torch.save(dict(state_dict=model.state_dict()), path)
    cfg = dict(type='GlyphAttentionRecognizer', backbone=ENCODER,
               glyph_head=HEAD,
               encoder=dict(type='LinearEncoder', in_dims=16, embed_dims=24),
               decoder=dict(DECODER, dictionary=dictionary),
               data_preprocessor=dict(type='TextRecogDataPreprocessor'))
    plain_cfg = {name: value for name, value in cfg.items()
                 if name != 'glyph_head'}
    plain_cfg['type'] = 'EncoderDecoderRecognizer'
    for given in (cfg, plain_cfg):
        loaded, _ = load_recognizer(str(path), Config(dict(model=given)))
        assert not hasattr(loaded, 'glyph_head')
        with torch.no_grad():
            torch.testing.assert_close(
                loaded(images, samples(), mode='tensor'), wanted)


def test_fused_glyphs_start_at_nothing_and_then_count(
        dictionary, images):  # noqa: F811
    model = recognizer(dictionary, dict(HEAD, fused=True)).eval()
    with torch.no_grad():
        feat, memory, _ = model.encode(images, samples())
        assert torch.equal(memory, model.encoder(feat))
        model.glyph_head.update.weight.normal_()
        _, moved, found = model.encode(images, samples())
        assert torch.equal(moved[:, 0], memory[:, 0])  # [CLS]
        assert not torch.allclose(moved[:, 1:], memory[:, 1:])
        torch.testing.assert_close(
            found.shares.sum(2), torch.ones(2, DECODER['max_seq_len']))
        # As many pictures as are encoded at once.
        many = model.encode(images.repeat(10, 1, 1, 1), None)[1]
    torch.testing.assert_close(many[18:], moved)


def test_ctc_finds_glyphs_that_are_known(dictionary, images):  # noqa: F811
    ctc = dict(
        backbone=dict(type='ViTFeatureMap', vit=ENCODER, pool='mean'),
        encoder=None,
        decoder=dict(
            type='CRNNDecoder', in_channels=16, rnn_flag=False,
            dictionary=dict(dictionary, with_end=False, with_unknown=False),
            module_loss=dict(type='CTCModuleLoss', letter_case='unchanged'),
            postprocessor=dict(type='CTCPostProcessor')))
    with pytest.raises(UserError, match='letters=True for the glyph_head'):
        recognizer(dictionary, **ctc)
    model = recognizer(dictionary, dict(HEAD, letters=True), **ctc)
    losses = model.loss(images, samples())
    assert list(losses) == ['loss_ctc', 'loss_ins', 'loss_glyph', 'loss_read']
    losses['loss_read'].backward()
    assert model.backbone.vit.layers[1].attn.qkv.weight.grad.any()


def test_attention_on_other_columns_costs():
    maps = torch.from_numpy(letters())
    attention = torch.zeros(2, 3, 8)
    attention[0, 0, 1], attention[0, 1, 3], attention[1, 0, 1] = 1, 0.5, 1
    attention[0, 1, 7] = 0.5
    # Of two letters rightly placed, and one by half.
    assert own_columns_loss(attention, maps, LENGTHS).item() == pytest.approx(
        np.log(2) / 3, abs=1e-6)


def test_what_is_bent_after_it_was_found_is_bent(dictionary,  # noqa: F811
                                                 images):
    places = F.affine_grid(torch.tensor([[[1., 0., -0.5], [0., 1., 0.]]]),
                           [1, 1, 8, 32], align_corners=False)
    warp = torch.cat([places, torch.ones(1, 8, 32, 1)], dim=3)
    maps = torch.from_numpy(letters())
    moved = bent(maps, warp.repeat(2, 1, 1, 1))
    assert torch.equal(moved[:, :, 8:], maps[:, :, :-8])
    assert moved.dtype == torch.uint8 and not moved[:, :, :8].any()
    model = recognizer(dictionary)
    given = model.decoder.module_loss.get_targets(samples(warp[0].numpy()))
    target = model.target(given, images)
    assert torch.equal(target.text, moved > 0) and target.letters is None
    assert target.lengths.tolist() == [2, 1]
    assert target.classes.tolist() == [[0, 1, -1, -1, -1, -1],
                                       [2, -1, -1, -1, -1, -1]]


def test_what_does_not_fit_is_told(dictionary, images):  # noqa: F811
    with pytest.raises(UserError, match='there is no glyph_map of 8x32'):
        recognizer(dictionary).loss(images, words('ab', 'c'))
    with pytest.raises(UserError, match='give the head letters=True'):
        recognizer(dictionary, dict(HEAD, columns_weight=1.))
    with pytest.raises(UserError, match='TextViT as backbone'):
        recognizer(dictionary, backbone=dict(ENCODER, widths=(16, 64)))
