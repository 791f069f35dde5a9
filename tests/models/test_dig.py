"""DiG: masks, windows, keys of a moving average, and short-cuts."""
import math

import pytest
import torch
import torch.nn.functional as F
from mmengine.logging import MessageHub
from mmocr.registry import MODELS

from lmim.checkpoints import (FORMATS, CheckpointError, convert,
                              names_to_ours, open_checkpoint)
from lmim.checkpoints.formats import to_ours
from lmim.models.layers import build_sincos_1d
from lmim.models.targets import PixelTarget
from tests.checkpoints.tiny import assert_same, weights_of
from tests.processes import needs_fork
from .conftest import ENCODER, build, check_processes, loaded_encoder

DIG = dict(
    type='DiG',
    backbone=dict(ENCODER, type='SimMIMViT', pos_embed='line',
                  mask=dict(type='RandomMasking', ratio=11 / 16)),
    neck=dict(type='PixelDecoder', in_dims=16, embed_dims=8),
    token_projector=dict(type='TokenMLP', embed_dims=16, hidden_dims=12),
    projector=dict(type='WindowProjector', in_dims=16, hidden_dims=24,
                   out_dims=6, num_windows=4, grid=(2, 8)),
    contrast_head=dict(type='MomentumContrastHead', in_dims=6,
                       hidden_dims=24, loss_weight=0.1))


@pytest.fixture
def dig():
    MessageHub.get_current_instance().update_info('max_iters', 100)
    model = build(DIG)
    model.init_weights()
    model.begin_average()
    return model.train()


def test_hidden_patches_are_a_token_and_do_not_matter(dig, views):
    noise = torch.rand(3, 16)
    tokens, mask = dig.backbone(views[0], noise=noise)
    assert tokens.shape == (3, 17, 16) and (mask.sum(1) == 11).all()
    hidden = mask.unflatten(1, (2, 8))[:, None].repeat_interleave(
        4, 2).repeat_interleave(4, 3)
    other = torch.where(hidden.bool(), torch.randn_like(views[0]), views[0])
    assert torch.equal(tokens, dig.backbone(other, noise=noise)[0])
    assert torch.equal(tokens, dig.backbone(views[0], mask=mask)[0])
    whole = dig.backbone(views[0], mask=False)
    assert torch.equal(whole, dig.backbone(
        views[0], mask=torch.zeros_like(mask))[0])


def test_pixels_of_hidden_patches_alone_count(dig, views):
    found = dig.predict(views, torch.rand(3, 16))
    wanted = PixelTarget(norm_pix=False)(views[0]) / 2 + 0.5
    torch.testing.assert_close(found.target, wanted)
    hidden = found.mask.bool()
    loss = dig.reconstruction_losses(found)['loss_recon']
    torch.testing.assert_close(loss, F.mse_loss(found.pred[hidden],
                                                wanted[hidden]))
    found.pred[~hidden].sum().backward(retain_graph=True)
    found.pred = torch.where(hidden[..., None], found.pred, 7.)
    assert torch.equal(dig.reconstruction_losses(found)['loss_recon'], loss)


def test_every_weight_learns_but_those_of_the_average(dig, views):
    sum(dig.loss(views).values()).backward()
    trained = {name for name, p in dig.named_parameters() if p.requires_grad}
    assert trained == {name for name, p in dig.named_parameters()
                       if p.grad is not None}
    assert not any(name.startswith('ema.') for name in trained)
    # The final norm waits for fine-tuning.
    assert not any('ln1' in name.split('.')[1] for name in trained)
    assert any(name.startswith('ema.') for name, _ in dig.named_parameters())


def test_average_moves_by_its_share(dig):
    weight = dig.projector.mlp.fc0.weight
    average = dig.twin['projector'].mlp.fc0.weight
    assert torch.equal(weight, average)
    start = weight.detach().clone()
    with torch.no_grad():
        weight += 1
    moved = 0.
    for step in (1, 2):
        dig.move_average(step, 100)
        share = 0.01 * (1 + math.cos(math.pi * step / 100)) / 2
        moved += share * (1 - moved)
        torch.testing.assert_close(average, start + moved)


def head(**options):
    return MODELS.build(dict(DIG['contrast_head'], loss_weight=1.,
                             _scope_='mmocr', **options))


def test_contrast_tells_windows_apart():
    """Near 0 where each finds its own, 2 tau ln(4 N) where all are alike."""
    windows = torch.eye(12).view(3, 4, 12)
    right = head().contrast(windows, windows)
    # One cosine is 1, eleven are 0.
    assert right.item() == pytest.approx(
        0.4 * math.log(1 + 11 * math.exp(-5)), rel=1e-5)
    alike = head().contrast(torch.ones(3, 4, 6), torch.ones(3, 4, 6))
    assert alike.item() == pytest.approx(0.4 * math.log(12), rel=1e-5)
    # Of other images: each window has the key of the next image.
    wrong = head().contrast(windows, windows.roll(1, 0))
    assert wrong.item() == pytest.approx(right.item() + 2., rel=1e-5)


def test_keys_get_no_gradients():
    torch.manual_seed(0)
    queries, keys = torch.randn(2, 3, 4, 6).requires_grad_()
    keys.retain_grad()
    head().loss([queries], [keys]).backward()
    assert keys.grad is None


def test_position_alone_does_not_solve_noise(dig):
    """Windows of noise have nothing in common but their place."""
    generator = torch.Generator().manual_seed(0)
    views = [torch.randn(16, 3, 8, 32, generator=generator)
             for _ in range(2)]
    optimizer = torch.optim.AdamW(dig.parameters(), 1e-3)
    for _ in range(20):
        optimizer.zero_grad()
        sum(dig.loss(views).values()).backward()
        optimizer.step()
        dig.move_average(1, 100)
        views = [torch.randn(16, 3, 8, 32, generator=generator)
                 for _ in range(2)]
    with torch.no_grad():
        loss = dig.loss(views)['loss_contrast'].item()
    # Two views: by place alone one of four, among 16 images by chance.
    assert loss > 2 * 0.1 * 0.4 * math.log(16) * 0.9


@needs_fork
def test_processes_contrast_as_one_with_the_whole_batch(tmp_path):
    check_processes(head().contrast, tmp_path)


def test_its_checkpoint_serves_recognizers(dig, tmp_path):
    vit = loaded_encoder(dig, tmp_path)
    images = torch.randn(2, 3, 8, 32)
    tokens = dig.backbone(images, mask=False)
    torch.testing.assert_close(vit(images), F.layer_norm(tokens, (16, ),
                                                         eps=1e-6))


def published(width=16, depth=1):
    """An encoder by the names of DiG's code."""
    torch.manual_seed(0)
    shapes = {'mask_token': (1, 1, width),
              'patch_embed.proj.weight': (width, 3, 4, 4),
              'patch_embed.proj.bias': (width, )}
    for part, size in (('attn.q_bias', width), ('attn.v_bias', width),
                       ('attn.proj.bias', width), ('norm1.weight', width),
                       ('norm1.bias', width), ('norm2.weight', width),
                       ('norm2.bias', width), ('mlp.fc1.bias', 32),
                       ('mlp.fc2.bias', width)):
        shapes[f'blocks.0.{part}'] = (size, )
    for part, rows, columns in (('attn.qkv', 3 * width, width),
                                ('attn.proj', width, width),
                                ('mlp.fc1', 32, width),
                                ('mlp.fc2', width, 32)):
        shapes[f'blocks.0.{part}.weight'] = (rows, columns)
    weights = {f'encoder.{name}': torch.randn(shape)
               for name, shape in shapes.items()}
    return dict(weights, **{'pix_decoder.0.weight': torch.randn(8, width)})


def test_published_checkpoints_are_read(tmp_path):
    path, weights = tmp_path / 'published.pth', published()
    torch.save(dict(model=weights), path)
    cfg = dict(
        ENCODER, arch=dict(ENCODER['arch'], num_layers=1), img_size=(32, 128),
        init_cfg=dict(type='Pretrained', checkpoint=str(path)))
    vit = build(cfg, with_cls_token=False)
    vit.init_weights()
    bias = vit.layers[0].attn.qkv.bias.chunk(3)
    assert torch.equal(bias[0], weights['encoder.blocks.0.attn.q_bias'])
    assert not bias[1].any()
    assert torch.equal(bias[2], weights['encoder.blocks.0.attn.v_bias'])
    assert torch.equal(vit.pos_embed, build_sincos_1d(256, 16)[:, 1:])
    assert (vit.ln1.weight == 1).all() and not vit.ln1.bias.any()
    assert vit(torch.zeros(1, 3, 32, 128)).shape == (1, 256, 16)
    with pytest.raises(CheckpointError, match='with_cls_token=False'):
        build(cfg).init_weights()
    # LMIM's names begin alike.
    fine_tuned = ['encoder.patch_embed.proj.bias', 'linear_norm.0.bias']
    assert names_to_ours(fine_tuned)[fine_tuned[1]] == (
        'encoder.projection.bias')


def test_published_recognizers_are_read(tmp_path):
    """Names are LMIM's, without [CLS] and positions; q, v have biases."""
    theirs = {name: value for name, value
              in weights_of('lmim-finetune').items()
              if name not in ('encoder.cls_token', 'encoder.pos_embed')}
    wanted, ours = to_ours(theirs), names_to_ours(theirs)
    for name in [name for name in theirs if name.endswith('qkv.bias')]:
        query, key, value = theirs.pop(name).chunk(3)
        theirs[name.replace('qkv.bias', 'q_bias')] = query
        theirs[name.replace('qkv.bias', 'v_bias')] = value
        wanted[ours[name]] = torch.cat([query, 0 * key, value])
    # Their recognizer holds its encoder's first layer under a second name.
    theirs['patch_embed.proj.bias'] = theirs['encoder.patch_embed.proj.bias']
    torch.save(dict(model=theirs), tmp_path / 'published.pth')
    found = open_checkpoint(tmp_path / 'published.pth')
    assert found.kind is not None and found.kind.key == 'dig-finetune'
    found = convert(found, FORMATS['ours']).checkpoint.weights
    positions = found.pop('backbone.pos_embed')
    assert torch.equal(positions, build_sincos_1d(256, 12)[:, 1:])
    assert_same(found, wanted)


def test_positions_of_a_line():
    table = build_sincos_1d(3, 4)[0]
    assert not table[0].any()
    torch.testing.assert_close(table[3], torch.tensor([
        math.sin(2), math.cos(2), math.sin(.02), math.cos(.02)]))
