"""Contrast of instances: InfoNCE."""
from typing import Tuple

import torch
import torch.nn.functional as F
from mmengine.dist import get_rank, get_world_size
from mmengine.model import BaseModule
from mmocr.registry import MODELS
from torch.distributed.nn.functional import all_gather

from lmim.utils.errors import UserError

REDUCTIONS = ('mean', 'sum', 'images')


@MODELS.register_module()
class ContrastiveHead(BaseModule):
    """InfoNCE between equal places of two views, each against all others.

    For each of the 2 N T instances z of both views, with the partner z' in
    the other view: ``-log exp(cos(z, z') / tau) / sum of exp(cos(z, u) /
    tau)`` over all instances u of both views but z itself. Instances of the
    same image are negatives too (SeqCLR, section 3.5).

    Args:
        temperature (float): tau.
        gather (bool): Whether instances of all processes are negatives, with
            gradients to all of them; the loss is then that of one process
            with the whole batch. SeqCLR's code contrasts within a process.
        reduction (str): ``'mean'`` over instances, ``'sum'``, or
            ``'images'``: the sum divided by the instances of an image.
        loss_weight (float): Weight of this loss in the sum.

    Raises:
        UserError: If ``reduction`` is unknown or ``temperature`` is not
            positive.
    """

    def __init__(self,
                 temperature: float = 0.1,
                 gather: bool = False,
                 reduction: str = 'mean',
                 loss_weight: float = 1.0) -> None:
        super().__init__()
        if reduction not in REDUCTIONS:
            raise UserError(
                f'reduction must be one of {REDUCTIONS}, got {reduction!r}')
        if temperature <= 0:
            raise UserError(f'temperature must be positive, got {temperature}')
        self.temperature = temperature
        self.gather = gather
        self.reduction = reduction
        self.loss_weight = loss_weight

    def loss(self, first: torch.Tensor,
             second: torch.Tensor) -> torch.Tensor:
        """Contrast the instances of two views.

        Args:
            first (torch.Tensor): (N, T, D).
            second (torch.Tensor): Of the other view, (N, T, D).

        Returns:
            torch.Tensor: Scalar.
        """
        # Similarities are taken in full precision, also under AMP.
        with torch.autocast(first.device.type, enabled=False):
            own = F.normalize(
                torch.cat([first, second]).flatten(0, 1).float(), dim=1)
            every, start = gather(own) if self.gather else (own, 0)
            scores = own @ every.T / self.temperature
        place = torch.arange(len(own), device=own.device)
        scores = scores.scatter(1, place[:, None] + start, float('-inf'))
        partner = (place + len(own) // 2) % len(own) + start
        loss = F.cross_entropy(
            scores, partner,
            reduction='mean' if self.reduction == 'mean' else 'sum')
        if self.reduction == 'images':
            loss = loss / first.shape[1]
        return self.loss_weight * loss


def gather(own: torch.Tensor) -> Tuple[torch.Tensor, int]:
    """Join the rows of all processes; gradients reach each process's own.

    Args:
        own (torch.Tensor): This process's, (M, D), equally many on each.

    Returns:
        Tuple[torch.Tensor, int]: All rows (processes * M, D), and where this
        process's begin.
    """
    if get_world_size() == 1:
        return own, 0
    return torch.cat(all_gather(own)), get_rank() * len(own)
