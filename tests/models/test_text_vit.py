"""The encoder, masked and whole."""
import pytest
import torch

from lmim.models.backbones import MaskedViT, TextViT
from lmim.utils.errors import UserError

from .conftest import ARCH, ENCODER, LMIM, build


def test_papers_encoder_has_its_number_of_parameters():
    vit = TextViT(arch='small')
    assert sum(p.numel() for p in vit.parameters()) == 21_412_224
    # Fixed positions are not trained.
    assert sum(p.numel() for p in vit.parameters()
               if p.requires_grad) == 21_412_224 - 257 * 384


@pytest.mark.parametrize('embed', [
    dict(), dict(stem=(8, )), dict(patch_embed='deformable')])
def test_masked_pass_sees_the_visible_patches_only(embed):
    vit = MaskedViT(arch=ARCH, img_size=(8, 32), **embed).eval()
    vit.init_weights()
    if 'patch_embed' in embed:  # pixels are read from everywhere
        torch.nn.init.normal_(vit.patch_embed.conv_offset.weight, std=2)
    images = torch.randn(2, 3, 8, 32)
    noise = torch.rand(2, 16)
    tokens, mask, _ = vit(images, noise=noise)
    assert tokens.shape == (2, 1 + 3, 16)
    hidden = mask.view(2, 1, 2, 8).repeat_interleave(
        4, 2).repeat_interleave(4, 3).bool()
    changed = torch.where(hidden, torch.randn_like(images), images)
    assert torch.allclose(vit(changed, noise=noise)[0], tokens, atol=1e-6)
    changed = torch.where(hidden, images, torch.randn_like(images))
    assert not torch.allclose(vit(changed, noise=noise)[0], tokens, atol=1e-2)


def test_a_stem_halves_what_is_larger_than_a_patch():
    vit = TextViT(arch='shallow', patch_size=(32, 4), pos_embed='grid',
                  stem=(32, 64, 128, 192))
    convolutions = [part for part in vit.patch_embed.modules()
                    if isinstance(part, torch.nn.Conv2d)]
    assert [part.stride for part in convolutions if part.stride != (1, 1)] == [
        (2, 2), (2, 2), (2, 1), (2, 1), (2, 1)]
    assert [part.out_channels for part in convolutions] == [
        32, *[64] * 3, *[128] * 3, *[192] * 3, 256]
    assert vit(torch.zeros(2, 3, 32, 128)).shape == (2, 1 + 32, 256)
    assert sum(p.numel() for p in vit.parameters()) == 3_036_064


@pytest.mark.parametrize('again', [False, True])
def test_deformable_patches_start_as_linear_ones(again, teacher_file,
                                                 tmp_path):
    linear = TextViT(arch=ARCH, img_size=(8, 32), init_cfg=dict(
        type='Pretrained', checkpoint=teacher_file)).eval()
    cfg = dict(ENCODER, patch_embed='deformable')
    vit = build(cfg, init_cfg=dict(type='Pretrained',
                                   checkpoint=teacher_file)).eval()
    linear.init_weights()
    vit.init_weights()
    assert vit.load_report.is_full
    if again:  # its own weights are not doubled once more
        path = str(tmp_path / 'own.pth')
        torch.nn.init.constant_(vit.patch_embed.conv_offset.bias, 0.)
        torch.save(dict(state_dict={f'backbone.{name}': value for name, value
                                    in vit.state_dict().items()}), path)
        vit = build(cfg, init_cfg=dict(type='Pretrained',
                                       checkpoint=path)).eval()
        vit.init_weights()
    images = torch.randn(2, 3, 8, 32)
    torch.testing.assert_close(vit(images), linear(images))
    # And they learn to move.
    vit(images).square().sum().backward()
    assert vit.patch_embed.conv_offset.weight.grad.norm() > 0


def test_deformable_patches_have_the_initial_scale_of_linear_ones():
    vit = TextViT(arch=ARCH, img_size=(8, 32), patch_embed='deformable')
    vit.init_weights()
    weight = vit.patch_embed.projection.weight
    bound = 2 * (6 / (16 + 48))**0.5
    assert 0.9 * bound < weight.abs().max() <= bound
    assert vit.patch_embed.conv_offset.weight.abs().max() == 0


def test_other_ways_to_embed_patches_are_refused():
    for settings in (dict(patch_embed='bent'),
                     dict(patch_embed='deformable', stem=(8, ))):
        with pytest.raises(UserError, match="'linear' or, without a stem"):
            TextViT(arch=ARCH, **settings)


@pytest.mark.parametrize('settings, message', [
    (dict(patch_size=(32, 4), stem=(8, 8)), '5 stages, and needs channels for '
     'all but the last, 4, not 2'),
    (dict(patch_size=(12, 4), img_size=(24, 32), stem=(8, )),
     'powers of two, not 12x4'),
])
def test_stems_that_fit_no_patch_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        TextViT(arch=ARCH, pos_embed='grid', **settings)


def test_initialisation_is_maes():
    vit = TextViT(arch='tiny')
    vit.init_weights()
    qkv = vit.layers[0].attn.qkv
    bound = (6 / (192 + 576))**0.5
    assert qkv.weight.abs().max() <= bound
    assert qkv.weight.std().item() == pytest.approx(bound / 3**0.5, rel=0.02)
    assert torch.equal(qkv.bias, torch.zeros(576))
    assert vit.cls_token.std().item() == pytest.approx(0.02, rel=0.3)
    assert vit.layers[3].ffn.layers[1].bias.abs().max() == 0


def test_image_size_must_be_a_multiple_of_the_patch():
    with pytest.raises(ValueError, match='30x128 is no multiple'):
        TextViT(arch=ARCH, img_size=(30, 128))


def test_images_of_another_size_are_refused():
    vit = TextViT(arch=ARCH, img_size=(8, 32))
    with pytest.raises(ValueError, match=r'8x30.*for 8x32.*Resize'):
        vit(torch.zeros(1, 3, 8, 30))


def test_a_mask_that_leaves_nothing_is_refused():
    with pytest.raises(ValueError, match='none of the 16 patches'):
        MaskedViT(arch=ARCH, img_size=(8, 32),
                  mask=dict(type='RandomMasking', ratio=0.99))


def test_patches_alone_are_encoded_without_cls():
    vit = build(ENCODER, with_cls_token=False)
    vit.init_weights()
    images = torch.randn(2, 3, 8, 32)
    assert vit(images).shape == (2, 16, 16)
    whole = build(ENCODER)
    whole.init_weights()
    torch.testing.assert_close(vit.pos_embed, whole.pos_embed[:, 1:])
    tokens = vit.patch_embed(images)[0] + vit.pos_embed
    for layer in vit.layers:
        tokens = layer(tokens)
    torch.testing.assert_close(vit(images), vit.ln1(tokens))
    vit.out_type = 'featmap'
    assert torch.equal(vit(images)[0, :, 1, 2], vit.ln1(tokens)[0, 10])


def test_a_decoder_that_needs_cls_says_so():
    with pytest.raises(UserError, match='takes .CLS. and visible patches'):
        build(LMIM, backbone=dict(LMIM['backbone'], with_cls_token=False),
              target_generator=dict(type='PixelTarget'))


def test_a_checkpoint_that_is_not_named_is_no_start():
    vit = TextViT(arch=ARCH, img_size=(8, 32),
                  init_cfg=dict(type='Pretrained', checkpoint=None))
    with pytest.raises(UserError, match='names no checkpoint.*init_cfg=None'):
        vit.init_weights()
