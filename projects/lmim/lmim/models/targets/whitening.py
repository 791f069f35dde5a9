"""Whitening by running statistics."""
import torch
from mmengine.dist import all_reduce
from torch import nn


class Whitening(nn.Module):
    """Take the mean from features and make their channels uncorrelated.

    ZCA whitening, ``(x - mean) C^(-1/2)`` with mean and covariance C of all
    tokens seen so far: of all whitenings the one that changes features least,
    and one that moves smoothly as C does, which principal components, whose
    signs and order are arbitrary, do not. Directions in which the features
    hardly vary would become noise of variance 1: ``shrinkage`` of the mean
    variance is added to each.

    The statistics are buffers, saved and resumed with the model. They are
    updated in training only, from the batches of all processes: the first
    updates are averaged, later ones weigh ``momentum``.

    Args:
        embed_dims (int): Channels, C.
        momentum (float): Least weight of the newest batch.
        shrinkage (float): Share of the mean variance added to each direction.
    """

    mean: torch.Tensor
    covariance: torch.Tensor
    steps: torch.Tensor

    def __init__(self,
                 embed_dims: int,
                 momentum: float = 0.01,
                 shrinkage: float = 1e-3) -> None:
        super().__init__()
        self.momentum = momentum
        self.shrinkage = shrinkage
        self.register_buffer('mean', torch.zeros(embed_dims))
        self.register_buffer('covariance', torch.eye(embed_dims))
        self.register_buffer('steps', torch.tensor(0))

    @torch.no_grad()
    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Whiten features (N, L, C), in full precision also under AMP."""
        with torch.autocast(features.device.type, enabled=False):
            features = features.float()
            if self.training:
                self._update(features.flatten(0, 1))
            variances, axes = torch.linalg.eigh(self.covariance)
            scale = variances.clamp(min=0)
            scale = (scale + self.shrinkage * scale.mean()).rsqrt()
            return (features - self.mean) @ (axes * scale) @ axes.T

    def _update(self, tokens: torch.Tensor) -> None:
        """Take in the tokens (M, C) of a batch."""
        mean = tokens.mean(dim=0)
        all_reduce(mean, 'mean')
        centred = tokens - mean
        covariance = centred.T @ centred / len(tokens)
        all_reduce(covariance, 'mean')
        self.steps += 1
        weight = (1 / self.steps).clamp(min=self.momentum)
        self.mean.lerp_(mean, weight)
        self.covariance.lerp_(covariance, weight)
