"""Encoders for images of another size than the checkpoint's."""
from pathlib import Path
from typing import Any

import pytest
import torch
from mmocr.registry import MODELS

from lmim.checkpoints import CheckpointError
from lmim.checkpoints.positions import resize_positions

ARCH = dict(
    embed_dims=16, num_layers=1, num_heads=2, feedforward_channels=32)


def encoder(size: tuple, **options: Any) -> torch.nn.Module:
    return MODELS.build(dict(
        type='TextViT', _scope_='mmocr', arch=ARCH, img_size=size, **options))


@pytest.fixture
def checkpoint(tmp_path: Path) -> str:
    source = encoder((32, 128))
    source.init_weights()
    path = tmp_path / 'lmim.pth'
    torch.save({'state_dict': {f'backbone.{name}': value for name, value
                               in source.state_dict().items()}}, path)
    return str(path)


def test_positions_are_interpolated_where_the_patches_were() -> None:
    # A table that counts columns on the 8x32 grid: 16x16 would fold it.
    columns = torch.arange(32.).repeat(8)
    table = torch.cat([torch.tensor([-5.]), columns])[None, :, None]
    wide = resize_positions(table, (8, 64))
    assert wide.shape == (1, 1 + 512, 1) and wide[0, 0, 0] == -5
    rows = wide[0, 1:, 0].view(8, 64)
    assert torch.allclose(rows, rows[:1].expand(8, -1), atol=1e-5)
    # Within the borders, halves of columns; bicubic is not quite linear.
    inner = torch.arange(8, 56)
    assert torch.allclose(rows[0, inner], (inner + 0.5) / 2 - 0.5, atol=0.06)


@pytest.mark.parametrize('size, patches', [
    ((32, 256), 8 * 64), ((48, 160), 12 * 40)])
def test_one_checkpoint_serves_other_sizes(checkpoint: str, size: tuple,
                                           patches: int) -> None:
    cfg = dict(type='Pretrained', checkpoint=checkpoint)
    model = encoder(size, pos_embed='grid', init_cfg=cfg)
    model.init_weights()
    original = torch.load(checkpoint)['state_dict']
    for name, value in model.state_dict().items():
        if name != 'pos_embed':
            assert torch.equal(value, original[f'backbone.{name}']), name
    assert model.pos_embed.shape == (1, 1 + patches, 16)
    expected = resize_positions(
        original['backbone.pos_embed'], (size[0] // 4, size[1] // 4))
    assert torch.equal(model.pos_embed, expected)
    assert not model.pos_embed.requires_grad
    assert model(torch.randn(1, 3, *size)).shape == (1, 1 + patches, 16)


def test_the_same_size_keeps_its_positions(checkpoint: str) -> None:
    model = encoder(
        (32, 128), init_cfg=dict(type='Pretrained', checkpoint=checkpoint))
    model.init_weights()
    assert torch.equal(
        model.pos_embed,
        torch.load(checkpoint)['state_dict']['backbone.pos_embed'])


def test_a_grid_that_is_not_known_is_asked_for() -> None:
    table = torch.zeros(1, 1 + 100, 16)
    with pytest.raises(CheckpointError, match=r'pos_grid=\(rows, columns\)'):
        resize_positions(table, (8, 64))
    with pytest.raises(CheckpointError, match=r'pos_grid=\(5, 21\) has 105'):
        resize_positions(table, (8, 64), (5, 21))
    assert resize_positions(table, (8, 64), (5, 20)).shape == (1, 513, 16)
