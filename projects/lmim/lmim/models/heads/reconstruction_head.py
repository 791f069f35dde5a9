"""Reconstruction loss over the hidden patches."""
import torch
from mmengine.model import BaseModule
from mmocr.registry import MODELS
from mmpretrain.models.losses import PixelReconstructionLoss
from torch import nn

from lmim.utils.errors import UserError


@MODELS.register_module()
class ReconstructionHead(BaseModule):
    """L_recon: squared error, mean over channels, then over removed patches.

    Args:
        loss (dict): Loss with the interface of mmpretrain's
            ``PixelReconstructionLoss``, such as
            :class:`SmoothL1ReconstructionLoss`.
        loss_weight (float): Weight of this loss in the sum.
    """

    def __init__(self,
                 loss: dict = dict(
                     type='mmpretrain.PixelReconstructionLoss',
                     criterion='L2'),
                 loss_weight: float = 1.0) -> None:
        super().__init__()
        self.loss_module = MODELS.build(loss)
        self.loss_weight = loss_weight

    def loss(self, pred: torch.Tensor, target: torch.Tensor,
             mask: torch.Tensor) -> torch.Tensor:
        """Compare prediction and target on the removed patches.

        Args:
            pred (torch.Tensor): Prediction, (N, L, D).
            target (torch.Tensor): Target, (N, L, D).
            mask (torch.Tensor): 0 is keep, 1 is remove, (N, L).

        Returns:
            torch.Tensor: Scalar.

        Raises:
            UserError: If prediction and target differ in shape.
        """
        if pred.shape != target.shape:
            raise UserError(
                f'the prediction is {tuple(pred.shape)} and the target '
                f'{tuple(target.shape)} (batch, patches, channels): set '
                f'model.neck.out_dims={target.shape[-1]}')
        # Differences of features are taken in full precision, also under AMP.
        loss = self.loss_module(pred.float(), target.float(), mask)
        return self.loss_weight * loss


@MODELS.register_module()
class SmoothL1ReconstructionLoss(PixelReconstructionLoss):
    """Squared below ``beta``, absolute above it: outliers pull less.

    I-JEPA's loss, in place of the squared error of
    :class:`ReconstructionHead`.

    Args:
        beta (float): Where the two meet.
    """

    def __init__(self, beta: float = 1.0) -> None:
        super().__init__(criterion='L1')
        self.penalty = nn.SmoothL1Loss(reduction='none', beta=beta)
