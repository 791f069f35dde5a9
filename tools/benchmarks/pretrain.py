"""`pretrain`: a step of LMIM."""
import argparse
from functools import partial
from typing import Any, Dict, Sequence

import torch

from . import flops
from .agreement import check_close
from .model_benchmark import (ModelBenchmark, Side, plain_autocast,
                              random_pictures)
from .models import (build_pretrain, encoder_of, optimizer_of,
                     without_dropout)
from .plain.layers import Weights, weights_of
from .plain.pretrain import PlainLMIM

PATCHES, KEPT = 256, 51


class PretrainBenchmark(ModelBenchmark):
    """A step of pre-training: normalisation, both losses, gradients, AdamW.

    Ours is MMEngine's train_step of the model and the optimizer of the
    configs. The plain reference has the same weights: attention with all its
    weights in memory, mask tokens put in image by image, AdamW tensor by
    tensor. Pictures and weights are random. Before they are measured, losses
    and gradients of both must agree to 1e-5, without dropout and with the
    same patches hidden.
    """

    name = 'pretrain'
    summary = 'steps of LMIM pre-training'
    formula = flops.PRETRAIN

    def check(self, args: argparse.Namespace, batch: int) -> Dict[str, Any]:
        """Losses and gradients."""
        model = without_dropout(build_pretrain(args.arch, args.device))
        plain = PlainLMIM(weights_of(model), encoder_of(args.arch).heads)
        images, view = _views(batch, args.device)
        noise = torch.rand(batch, PATCHES, device=args.device)
        data = model.data_preprocessor(_data(images, view))
        ours = model.loss(data['inputs'], noise=noise)
        wanted = plain.losses(images, view, noise, drop=0.)
        return {**check_close(ours, wanted, self.name),
                **check_gradients(model, ours, plain.weights, wanted,
                                  self.name)}

    def sides(self, args: argparse.Namespace, batch: int,
              precisions: Sequence[str]) -> Dict[str, Side]:
        """The plain one, and ours in each precision."""
        encoder = encoder_of(args.arch)
        sizes = encoder.dims, encoder.layers, encoder.ffn
        whole = flops.vit(*sizes)
        needed = whole + 3 * (whole + flops.vit(*sizes, kept=KEPT)
                              + flops.guided_decoder(encoder.dims, KEPT))
        images, view = _views(batch, args.device)
        model = build_pretrain(args.arch, args.device)
        plain = PlainLMIM(weights_of(model), encoder.heads)
        sides = {'plain': Side(
            partial(_plain_step, plain, images, view, args),
            args.plain_precision, needed)}
        for precision in precisions:
            model = build_pretrain(args.arch, args.device).train()
            wrapper = optimizer_of(model, 'pretrain_adamw_cosine', precision)
            sides[f'ours {precision}'] = Side(
                partial(model.train_step, _data(images, view), wrapper),
                precision, needed)
        return sides


def check_gradients(model: torch.nn.Module, ours: Dict[str, torch.Tensor],
                    weights: Weights, plain: Dict[str, torch.Tensor],
                    part: str) -> Dict[str, float]:
    """Compare the gradients of the sums of losses, in parts of the largest.

    Args:
        model (nn.Module): Ours.
        ours (Dict[str, torch.Tensor]): Its losses.
        weights (Dict[str, torch.Tensor]): Of the plain reference.
        plain (Dict[str, torch.Tensor]): Its losses.
        part (str): What is compared, for the message.

    Raises:
        ValueError: If they differ, or one has gradients that the other has
            not.
    """
    _sum(ours).backward()
    _sum(plain).backward()
    mine = {name: weight.grad for name, weight in model.named_parameters()
            if weight.grad is not None}
    other = {name: weight.grad for name, weight in weights.items()
             if weight.grad is not None}
    largest = max(float(grad.abs().max()) for grad in other.values())
    found = check_close(
        {f'gradient of {name}': g / largest for name, g in mine.items()},
        {f'gradient of {name}': g / largest for name, g in other.items()},
        part)
    return {'gradients': max(found.values())}


def _sum(losses: Dict[str, torch.Tensor]) -> torch.Tensor:
    return torch.stack(list(losses.values())).sum()


def _views(batch: int, device: str) -> Sequence[torch.Tensor]:
    return random_pictures(2 * batch, device).chunk(2)


def _data(images: torch.Tensor, view: torch.Tensor) -> Dict[str, Any]:
    return dict(inputs=[images, view], data_samples=torch.arange(len(view)))


def _plain_step(plain: PlainLMIM, images: torch.Tensor, view: torch.Tensor,
                args: argparse.Namespace) -> None:
    noise = torch.rand(len(images), PATCHES, device=images.device)
    plain.step(images, view, noise, partial(plain_autocast, args))
