"""The encoder, masked and whole."""
import pytest
import torch

from lmim.models.backbones import MaskedViT, TextViT

from .conftest import ARCH


def test_papers_encoder_has_its_number_of_parameters():
    vit = TextViT(arch='small')
    assert sum(p.numel() for p in vit.parameters()) == 21_412_224
    # Fixed positions are not trained.
    assert sum(p.numel() for p in vit.parameters()
               if p.requires_grad) == 21_412_224 - 257 * 384


def test_masked_pass_sees_the_visible_patches_only():
    vit = MaskedViT(arch=ARCH, img_size=(8, 32)).eval()
    vit.init_weights()
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
