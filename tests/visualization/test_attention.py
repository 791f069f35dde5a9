"""Maps of attention."""
import numpy as np
import pytest
import torch
from mmengine.structures import LabelData
from mmocr.structures import TextRecogDataSample

from lmim.models.backbones import TextViT
from lmim.visualization import (character_attention, encoder_attention,
                                overlay_attention)
from lmim.visualization.attention import (draw_attention_sheet, find_encoder,
                                          normalise)
from lmim.apis import load_encoder
from lmim.visualization.reconstruction import resized
from tests.visualization.conftest import small_model


@pytest.fixture(scope='module')
def recognizer():
    return small_model('recognizer')


@pytest.fixture(scope='module')
def inputs():
    torch.manual_seed(1)
    return torch.randn(2, 3, 32, 128)


@pytest.mark.parametrize('block', [0, -1])
@pytest.mark.parametrize('rotary', [None, 'AxialRotary', 'MixedRotary'])
def test_weights_are_those_that_the_block_uses(recognizer, inputs, block,
                                               rotary):
    encoder = find_encoder(recognizer) if rotary is None else TextViT(
        'mini', patch_size=(32, 4), pos_embed='none',
        rotary=dict(type=rotary)).eval()
    attention = encoder.layers[block].attn
    seen = {}
    handles = [
        attention.qkv.register_forward_hook(
            lambda m, i, output: seen.update(qkv=output)),
        attention.proj.register_forward_pre_hook(
            lambda m, i: seen.update(mixed=i[0]))
    ]
    with torch.no_grad():
        encoder(inputs)
    for handle in handles:
        handle.remove()
    weights = encoder_attention(encoder, inputs, block)
    assert weights.shape == (2, 4, 33, 33)
    torch.testing.assert_close(weights.sum(-1), torch.ones(2, 4, 33))
    values = seen['qkv'].unflatten(2, (3, 4, 32))[:, :, 2].transpose(1, 2)
    torch.testing.assert_close(
        (weights @ values).transpose(1, 2).flatten(2), seen['mixed'],
        rtol=1e-4, atol=1e-5)
    assert not encoder.layers[block]._forward_pre_hooks


def test_what_has_no_such_attention_is_refused(recognizer, inputs):
    model = small_model('lmim')
    assert find_encoder(model) is model.backbone  # not the teacher
    for ask, message in (
            (lambda: encoder_attention(model.backbone, inputs, 4),
             'has 4 blocks, and none of number 4'),
            (lambda: find_encoder(torch.nn.Linear(1, 1)),
             'Linear has no TextViT'),
            (lambda: character_attention(model, inputs, []),
             'this one has NoneType')):
        with pytest.raises(ValueError, match=message):
            ask()


def samples(*texts):
    return [TextRecogDataSample(pred_text=LabelData(item=text))
            for text in texts]


def test_characters_look_where_the_weights_say(recognizer, inputs,
                                               monkeypatch):
    """Weights that make head 0 look at patch 4, the others everywhere."""
    layer = recognizer.decoder.layers[-1]
    memory = torch.zeros(2, 33, 128)
    memory[:, 1 + 4, 0] = 20.
    memory[:, 0, 0] = 20.  # [CLS], which is left out
    monkeypatch.setattr(recognizer.encoder, 'forward',
                        lambda feat, data_samples=None: memory)
    before = {k: v.clone() for k, v in layer.state_dict().items()}
    with torch.no_grad():
        layer.norm2.weight.zero_()
        layer.norm2.bias.zero_()[0] = 20.
        layer.enc_attn.linear_q.weight.copy_(torch.eye(128))
        layer.enc_attn.linear_k.weight.copy_(torch.eye(128))
    maps = character_attention(recognizer, inputs, samples('cat', 'a'))
    layer.load_state_dict(before)
    assert [each.shape for each in maps] == [(3, 1, 32), (1, 1, 32)]
    # Of head 0 a half goes to [CLS] and a half to patch 4; of the three
    # others 1/33 to each token.
    patch = (1 / 2 + 3 / 33) / (1 / 2 + 3 * 32 / 33)
    for each in maps:
        assert each.dtype == np.float32
        np.testing.assert_allclose(each.sum((1, 2)), 1, rtol=1e-5)
        np.testing.assert_allclose(each[:, 0, 4], patch, rtol=1e-3)


def test_overlay_is_orange_at_the_peak_and_grey_elsewhere():
    image = np.zeros((8, 16, 3), np.uint8)
    image[:, 8:] = (200, 10, 90)
    weights = np.zeros((1, 4), np.float32)
    weights[0, 0] = 0.3
    shown = overlay_attention(image, weights)
    assert shown.shape == image.shape and shown.dtype == np.uint8
    blue, green, red = shown[4, 0].astype(int)
    assert red > green + 50 > blue + 50
    assert (shown[:, 8:] == shown[:, 8:, :1]).all()
    assert shown[0, 12, 0] > shown[0, 7, 0]  # what is bright stays brighter


def test_sheet_compares_encoders_and_marks_the_patch(images, checkpoints):
    encoders = {name: load_encoder(checkpoints[name])
                for name in ('mae', 'lmim')}
    sheet = draw_attention_sheet(images[:2], encoders, ['0', '1'])
    # Image, [CLS], four patches; a name, a picture and a caption in each row.
    assert sheet.shape[1] == 6 * 260
    asked = sheet[18:18 + 64, 2 * 260 + 2:3 * 260 - 2]
    framed = (asked == (255, 40, 0)).all(axis=2).any(axis=0)
    # Of 256 pixels patch 4 has 32 to 39.
    assert np.flatnonzero(framed).tolist() == list(range(32, 40))
    rows = sheet[:4 * (16 + 84)].reshape(4, 100, 6 * 260, 3)
    assert (rows[0, :16] != rows[1, :16]).any()  # the names of the encoders
    assert (rows[0, 18:82] != rows[2, 18:82]).any()  # the pictures


def test_pixels_are_normalised_as_models_do(images):
    model = small_model('mae')
    sized = [resized(image, (32, 128)) for image in images]
    batch = torch.from_numpy(np.stack(sized).transpose(0, 3, 1, 2).copy())
    wanted = model.data_preprocessor(
        dict(inputs=batch, data_samples=None))['inputs']
    torch.testing.assert_close(normalise(sized, 'cpu'), wanted)
