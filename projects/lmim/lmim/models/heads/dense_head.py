"""Distance of features from those of a moving average."""
import torch
import torch.nn.functional as F
from mmengine.dist import all_gather
from mmengine.model import BaseModule
from mmocr.registry import MODELS


@MODELS.register_module()
class DenseHead(BaseModule):
    """SSM's L_den: squared distance, and what channels have in common.

    Of rows q and k that are layer-normed without weights, mean over rows:
    ``(|q - k|^2 + decorrelation q' C q) / D`` with ``C = k' k / rows`` over
    all processes. Keys get no gradients.

    Args:
        decorrelation (float): Weight of the second term.
        loss_weight (float): Weight of this loss in the sum.
    """

    def __init__(self,
                 decorrelation: float = 0.02,
                 loss_weight: float = 1.0) -> None:
        super().__init__()
        self.decorrelation = decorrelation
        self.loss_weight = loss_weight

    def loss(self, queries: torch.Tensor, keys: torch.Tensor) -> torch.Tensor:
        """Compare queries and keys, each (N, T, D); a scalar."""
        # Differences are taken in full precision, also under AMP.
        with torch.autocast(queries.device.type, enabled=False):
            own, keys = (F.layer_norm(each.flatten(0, 1).float(),
                                      each.shape[-1:])
                         for each in (queries, keys.detach()))
            loss = F.mse_loss(own, keys)
            if self.decorrelation:
                every = torch.cat(all_gather(keys))
                common = every.T @ every / len(every)
                # The mean over rows and channels: that of rows, over D.
                loss = loss + self.decorrelation * (own @ common * own).mean()
        return self.loss_weight * loss
