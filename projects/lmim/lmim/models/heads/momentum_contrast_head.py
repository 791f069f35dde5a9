"""Contrast of queries with the keys of a moving average."""
from typing import Sequence, Tuple

import torch
import torch.nn.functional as F
from mmengine.dist import all_gather, get_rank
from mmengine.model import BaseModule
from mmocr.registry import MODELS

from lmim.utils.errors import UserError
from ..necks.windows import batch_norm_mlp


@MODELS.register_module()
class MomentumContrastHead(BaseModule):
    """InfoNCE as in MoCo v3 (arXiv 2104.02057), between windows of words.

    ``2 tau`` times the cross-entropy of ``cos(q_i, k_j) / tau`` over all keys
    j of all processes, where i is right: windows of the same image are
    negatives too. Queries pass a predictor, an MLP of two layers, which the
    keys do not. Keys get no gradients.

    Views that are given together are normalised together in the predictor, as
    DiG does; mmpretrain's ``MoCoV3Head`` takes one at a time.

    Args:
        in_dims (int): Channels of queries and keys, D.
        hidden_dims (int): Channels within the predictor.
        temperature (float): tau.
        loss_weight (float): Weight of this loss in the sum.

    Raises:
        UserError: If ``temperature`` is not positive.
    """

    def __init__(self,
                 in_dims: int = 256,
                 hidden_dims: int = 4096,
                 temperature: float = 0.2,
                 loss_weight: float = 1.0) -> None:
        super().__init__()
        if temperature <= 0:
            raise UserError(f'temperature must be positive, got {temperature}')
        self.predictor = MODELS.build(
            batch_norm_mlp(in_dims, hidden_dims, in_dims, 2))
        self.temperature = temperature
        self.loss_weight = loss_weight

    def predict(self, views: Sequence[torch.Tensor]
                ) -> Tuple[torch.Tensor, ...]:
        """Turn the windows of views, (N, T, D) each, into queries."""
        windows = torch.cat(list(views))
        queries = self.predictor([windows.flatten(0, 1)])[0]
        return queries.view_as(windows).chunk(len(views))

    def contrast(self, queries: torch.Tensor,
                 keys: torch.Tensor) -> torch.Tensor:
        """The loss of queries and their keys, (N, T, D) each, unweighted."""
        # Similarities are taken in full precision, also under AMP.
        with torch.autocast(queries.device.type, enabled=False):
            own, keys = (F.normalize(each.flatten(0, 1).float(), dim=1)
                         for each in (queries, keys.detach()))
            scores = own @ torch.cat(all_gather(keys)).T / self.temperature
        right = torch.arange(len(own), device=own.device)
        return 2 * self.temperature * F.cross_entropy(
            scores, right + get_rank() * len(own))

    def loss(self, views: Sequence[torch.Tensor],
             keys: Sequence[torch.Tensor]) -> torch.Tensor:
        """Contrast the windows of views with keys.

        Args:
            views (Sequence[torch.Tensor]): Windows by the model, (N, T, D)
                each.
            keys (Sequence[torch.Tensor]): For each of the views, the windows
                by the moving average that it is to find, (N, T, D) each, of
                the same images and places.

        Returns:
            torch.Tensor: Scalar, a mean over windows, summed over views.
        """
        losses = map(self.contrast, self.predict(views), keys)
        return self.loss_weight * torch.stack(list(losses)).sum()
