"""A model learns what its moving average says of another view."""
from typing import Sequence

import torch
from mmengine.dist import all_reduce, get_world_size
from mmengine.model import BaseModule
from mmocr.registry import MODELS

from lmim.utils.errors import UserError


@MODELS.register_module()
class DistillationHead(BaseModule):
    """Cross-entropy between two soft assignments to prototypes, as in DINO.

    ``H(softmax((k - c) / tau_k), softmax(q / tau_q))`` (arXiv 2104.14294),
    mean over rows, where c is a moving average of all keys. Without it all
    keys agree on one prototype: then nothing is left to learn. Keys get no
    gradients.

    Processes may have different numbers of rows: all rows count alike.

    Args:
        num_prototypes (int): K.
        temperature (float): tau_q.
        key_temperature (float): tau_k.
        center_momentum (float): Part of c that is kept with each step.
        loss_weight (float): Weight of this loss in the sum.

    Raises:
        UserError: If a temperature is not positive.
    """

    center: torch.Tensor

    def __init__(self,
                 num_prototypes: int = 65536,
                 temperature: float = 0.1,
                 key_temperature: float = 0.04,
                 center_momentum: float = 0.9,
                 loss_weight: float = 1.0) -> None:
        super().__init__()
        if min(temperature, key_temperature) <= 0:
            raise UserError('temperatures must be positive, got '
                            f'{temperature} and {key_temperature}')
        self.temperature = temperature
        self.key_temperature = key_temperature
        self.center_momentum = center_momentum
        self.loss_weight = loss_weight
        self.register_buffer('center', torch.zeros(1, num_prototypes))

    def loss(self, queries: Sequence[torch.Tensor],
             keys: Sequence[torch.Tensor]) -> torch.Tensor:
        """Compare each view with its keys, and move the centre in training.

        Args:
            queries (Sequence[torch.Tensor]): Of each view, (M, K).
            keys (Sequence[torch.Tensor]): For each view, what it is to
                learn, by the moving average, (M, K).

        Returns:
            torch.Tensor: Scalar, a mean over rows and views.
        """
        # Small differences are divided by small temperatures: also under AMP
        # in full precision.
        with torch.autocast(queries[0].device.type, enabled=False):
            own, wanted = (torch.cat(list(each)).float()
                           for each in (queries, keys))
            wanted = wanted.detach()
            target = ((wanted - self.center) / self.key_temperature).softmax(1)
            total = -(target * (own / self.temperature).log_softmax(1)).sum()
        rows = own.new_tensor(float(len(own)))
        all_reduce(rows)
        if self.training:
            self.move_center(wanted, rows)
        # Distributed training averages what processes have.
        return self.loss_weight * total * get_world_size() / rows.clamp_min(1)

    @torch.no_grad()
    def move_center(self, keys: torch.Tensor, rows: torch.Tensor) -> None:
        """Draw the centre towards the mean of all processes' keys.

        Args:
            keys (torch.Tensor): Those of this process, (M, K).
            rows (torch.Tensor): How many there are in all, a scalar.
        """
        if rows == 0:
            return
        total = keys.sum(dim=0, keepdim=True)
        all_reduce(total)
        self.center.lerp_(total / rows, 1 - self.center_momentum)
