"""Tiny models: real ones in all but size."""
from copy import deepcopy
from typing import Any, Callable

import pytest
import torch
from mmocr.registry import MODELS

ARCH = dict(
    embed_dims=16, num_layers=2, num_heads=2, feedforward_channels=32)
ENCODER = dict(type='TextViT', arch=ARCH, img_size=(8, 32), patch_size=4)
LMIM = dict(
    type='LMIM',
    backbone=dict(ENCODER, type='MaskedViT',
                  mask=dict(type='RandomMasking', ratio=0.75)),
    neck=dict(
        type='LinguisticsGuidedDecoder',
        in_dims=16,
        out_dims=16,
        embed_dims=24,
        num_layers=2,
        num_heads=2,
        feedforward_channels=32,
        grid=(2, 8)),
    target_generator=dict(type='RandomFeatureTarget', encoder=ENCODER))


def build(cfg: dict, **changes: Any) -> torch.nn.Module:
    """Build a model from a config, some top-level settings changed."""
    torch.manual_seed(0)
    return MODELS.build(deepcopy(dict(cfg, _scope_='mmocr', **changes)))


@pytest.fixture
def lmim() -> Callable[..., torch.nn.Module]:
    """Builds a tiny, initialised LMIM in eval mode (no dropout)."""

    def make(**changes: Any) -> torch.nn.Module:
        model = build(LMIM, **changes)
        model.init_weights()
        return model.eval()

    return make


@pytest.fixture
def views() -> list:
    """An image and a guidance view of three words."""
    generator = torch.Generator().manual_seed(1)
    return [torch.randn(3, 3, 8, 32, generator=generator) for _ in range(2)]


@pytest.fixture
def teacher_file(tmp_path) -> str:
    """An encoder as MAE saves it, by timm's names."""
    vit = build(ENCODER)
    vit.init_weights()
    names = {
        'patch_embed.projection.': 'patch_embed.proj.', '.ln': '.norm',
        'ffn.layers.0.0.': 'mlp.fc1.', 'ffn.layers.1.': 'mlp.fc2.',
        'layers.': 'blocks.'
    }
    weights = {}
    for name, value in vit.state_dict().items():
        for ours, timm in names.items():
            name = name.replace(ours, timm)
        weights['norm' + name[3:] if name.startswith('ln1') else name] = value
    path = tmp_path / 'mae.pth'
    torch.save({'model': weights, 'epoch': 3}, path)
    return str(path)
