"""Options of fine-tuning: rates by layer, frozen blocks, averaged weights."""
from pathlib import Path
from typing import Any

import pytest
import torch
from engine_dummies import make_cfg, resumed, train
from mmengine.optim import build_optim_wrapper
from mmocr.registry import MODELS
from torch import nn

VIT = dict(type='TextViT', _scope_='mmocr', img_size=(8, 32), arch=dict(
    embed_dims=16, num_layers=3, num_heads=2, feedforward_channels=32))


class Recognizer(nn.Module):
    """A ViT and something after it."""

    def __init__(self, **vit: Any) -> None:
        super().__init__()
        self.backbone = MODELS.build(dict(VIT, **vit))
        self.head = nn.Linear(16, 4)


def optimizer_cfg(**paramwise: Any) -> dict:
    return dict(
        type='OptimWrapper',
        constructor='mmocr.GroupedOptimWrapperConstructor',
        optimizer=dict(type='AdamW', lr=1e-3, weight_decay=0.05),
        paramwise_cfg=dict(flat_decay_mult=0., **paramwise))


def rates(model: nn.Module, **paramwise: Any) -> dict:
    wrapper = build_optim_wrapper(model, optimizer_cfg(**paramwise))
    names = {id(p): name for name, p in model.named_parameters()}
    return {names[id(p)]: group['lr'] / 1e-3
            for group in wrapper.optimizer.param_groups
            for p in group['params']}


def test_rates_fall_from_the_last_block_to_the_first() -> None:
    found = rates(Recognizer(), layer_decay_rate=0.5)
    expected = {
        'backbone.patch_embed.projection.weight': 0.5**4,
        'backbone.cls_token': 0.5**4,
        'backbone.layers.0.attn.qkv.weight': 0.5**3,
        'backbone.layers.1.ffn.layers.1.bias': 0.5**2,
        'backbone.layers.2.ln1.weight': 0.5,
        'backbone.ln1.weight': 1.,
        'head.weight': 1.,
    }
    for name, scale in expected.items():
        assert found[name] == pytest.approx(scale), name
    assert set(rates(Recognizer()).values()) == {1.}
    # Decayed and undecayed tensors of the stem, three blocks and the rest.
    wrapper = build_optim_wrapper(
        Recognizer(), optimizer_cfg(layer_decay_rate=0.5))
    assert len(wrapper.optimizer.param_groups) == 10


@pytest.mark.parametrize('factor, model, message', [
    (0., Recognizer, 'above 0 and at most 1, not 0'),
    (0.5, lambda: nn.Linear(2, 2), 'needs a ViT'),
])
def test_layer_decay_that_cannot_be_is_refused(factor: float, model: Any,
                                               message: str) -> None:
    with pytest.raises(ValueError, match=message):
        rates(model(), layer_decay_rate=factor)


def test_frozen_blocks_get_no_gradient_and_no_dropout() -> None:
    model = Recognizer(frozen_stages=2, drop_rate=0.5).train()
    vit = model.backbone
    assert not vit.layers[1].training and not vit.drop_after_pos.training
    assert vit.layers[2].training
    assert not vit.layers[1].ffn.layers[0][2].training  # a dropout
    vit(torch.randn(2, 3, 8, 32)).sum().backward()
    with_gradient = {name for name, p in model.named_parameters()
                     if p.grad is not None}
    assert with_gradient == {
        name for name, _ in model.named_parameters()
        if name.startswith(('backbone.layers.2.', 'backbone.ln1.'))}


def test_a_frozen_stem_is_not_trained_from_the_first_moment() -> None:
    vit = Recognizer(
        frozen_stages=1, patch_size=4, stem=(4,)).backbone
    assert not any(weight.requires_grad
                   for weight in vit.patch_embed.parameters())
    with pytest.raises(ValueError, match='more than its 3 blocks'):
        Recognizer(frozen_stages=4)


def ema_cfg(path: Path, **options: Any) -> Any:
    cfg = make_cfg(path, **options)
    cfg.custom_hooks = [dict(type='EMAHook', momentum=0.1)]
    return cfg


def test_averaged_weights_resume_exactly(tmp_path: Path) -> None:
    whole = train(ema_cfg(tmp_path / 'whole'))
    train(ema_cfg(tmp_path / 'part', epochs=2))
    again = train(resumed(ema_cfg(tmp_path / 'again'),
                          tmp_path / 'part' / 'iter_3.pth'))
    one, other = [torch.load(Path(runner.work_dir) / 'iter_8.pth')
                  for runner in (whole, again)]
    for part in ('state_dict', 'ema_state_dict'):
        assert one[part].keys() == other[part].keys()
        for name, value in one[part].items():
            assert torch.equal(value, other[part][name]), name
    # What is loaded for a test is the average; the last weights lie beside.
    averaged = one['state_dict']['layers.0.weight']
    last = one['ema_state_dict']['module.layers.0.weight']
    assert not torch.equal(averaged, last)
    assert torch.equal(last, whole.model.layers[0].weight)
