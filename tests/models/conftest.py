"""Tiny models: real ones in all but size."""
from copy import deepcopy
from pathlib import Path
from typing import Any, Callable

import pytest
import torch
import torch.distributed as dist
from mmocr.registry import MODELS

from tests.processes import run_on_processes

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


def loaded_encoder(model: torch.nn.Module, folder: Path) -> torch.nn.Module:
    """A recognizer's encoder from the checkpoint of a method."""
    path = folder / 'method.pth'
    torch.save(dict(state_dict=model.state_dict()), path)
    vit: Any = build(ENCODER, init_cfg=dict(type='Pretrained',
                                            checkpoint=str(path)))
    vit.init_weights()
    return vit


def check_processes(loss_of: Callable[[torch.Tensor, torch.Tensor],
                                      torch.Tensor], folder: Path) -> None:
    """Two processes have the loss and gradients of one with all images.

    ``loss_of`` takes queries and keys of windows, (N, T, D) each.
    """
    both = torch.randn(2, 4, 3, 6, generator=torch.Generator().manual_seed(0))

    def run(rank: int) -> None:
        torch.set_num_threads(1)
        dist.init_process_group('gloo')
        queries, keys = both[:, 2 * rank:2 * rank + 2].clone()
        queries.requires_grad_()
        loss = loss_of(queries, keys)
        loss.backward()
        torch.save((loss.item(), queries.grad), folder / f'{rank}.pth')

    queries, keys = both.clone()
    queries.requires_grad_()
    loss = loss_of(queries, keys)
    loss.backward()
    assert run_on_processes(2, run) == [0, 0]
    halves = [torch.load(folder / f'{rank}.pth') for rank in range(2)]
    assert sum(each for each, _ in halves) / 2 == pytest.approx(loss.item())
    # Distributed training averages what processes have.
    torch.testing.assert_close(
        torch.cat([each for _, each in halves]) / 2, queries.grad)


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
