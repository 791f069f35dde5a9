"""Blocks that are computed again: same numbers, less memory."""
from typing import Any, Dict, Tuple

import pytest
import torch

from lmim.models.backbones import TextViT

from .conftest import ARCH, LMIM, build

#: Dropout of each kind that the encoder has.
RANDOM = dict(drop_rate=0.2, drop_path_rate=0.5)


def step(views: list, with_cp: bool, bf16: bool = False
         ) -> Tuple[Dict[str, Any], Dict[str, Any], torch.Tensor]:
    """Losses and gradients of LMIM in training; the next random number."""
    model = build(dict(LMIM, backbone=dict(LMIM['backbone'], **RANDOM,
                                           with_cp=with_cp)))
    model.init_weights()
    model.train()
    torch.manual_seed(3)
    with torch.autocast('cpu', torch.bfloat16, enabled=bf16):
        losses = model.loss(views)
    sum(losses.values()).backward()
    gradients = {name: weight.grad for name, weight
                 in model.named_parameters() if weight.grad is not None}
    return losses, gradients, torch.rand(4)


@pytest.mark.parametrize('bf16', [False, True], ids=['fp32', 'bf16'])
def test_losses_and_gradients_are_the_same(views: list, bf16: bool) -> None:
    losses, gradients, drawn = step(views, with_cp=False, bf16=bf16)
    again, its_gradients, drawn_again = step(views, with_cp=True, bf16=bf16)
    assert set(losses) == {'loss_recon', 'loss_align'}
    for name, loss in losses.items():
        assert torch.equal(loss, again[name]), name
    assert set(gradients) == set(its_gradients) and len(gradients) > 40
    for name, gradient in gradients.items():
        assert torch.equal(gradient, its_gradients[name]), name
    # Computing again has not moved the generator on.
    assert torch.equal(drawn, drawn_again)


def saved_bytes(with_cp: bool, images: torch.Tensor) -> int:
    """What a forward pass keeps for the gradients."""
    kept: Dict[int, int] = {}

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        kept[tensor.data_ptr()] = tensor.numel() * tensor.element_size()
        return tensor

    vit = TextViT(arch=dict(ARCH, num_layers=6), img_size=(8, 32),
                  with_cp=with_cp).train()
    with torch.autograd.graph.saved_tensors_hooks(keep, lambda saved: saved):
        vit(images).sum()
    return sum(kept.values())


def test_less_is_kept() -> None:
    images = torch.randn(16, 3, 8, 32)
    assert saved_bytes(True, images) < 0.3 * saved_bytes(False, images)
