"""Features of patches, made visible."""
import numpy as np
import torch


class FeatureColors:
    """The three main components of features as blue, green and red.

    Like colours mean like features; what a colour is has no meaning.

    Args:
        features (torch.Tensor): What the components are fitted on, (M, C).
    """

    def __init__(self, features: torch.Tensor) -> None:
        features = features.double().cpu()
        self.mean = features.mean(dim=0)
        centred = features - self.mean
        _, vectors = torch.linalg.eigh(centred.T @ centred)
        main = vectors[:, -3:].flip(1)
        # A component may point either way: the same way on every machine.
        largest = main.gather(0, main.abs().argmax(dim=0, keepdim=True))
        self.components = main * largest.sign()
        values = centred @ self.components
        # A few outliers would leave the rest without contrast.
        self.low = values.quantile(0.02, dim=0)
        self.high = values.quantile(0.98, dim=0)

    def __call__(self, features: torch.Tensor) -> np.ndarray:
        """Colour features (..., C); returns (..., 3) uint8."""
        values = (features.double().cpu() - self.mean) @ self.components
        span = (self.high - self.low).clamp_min(1e-12)
        shares = ((values - self.low) / span).clamp(0, 1)
        return (255 * shares).round().byte().numpy()


def nearest(queries: torch.Tensor, bank: torch.Tensor) -> torch.Tensor:
    """Number of the nearest of a bank of features, for each query.

    Args:
        queries (torch.Tensor): (M, C).
        bank (torch.Tensor): (K, C).

    Returns:
        torch.Tensor: (M, ), Euclidean distance.
    """
    return torch.cat([
        torch.cdist(some, bank.float()).argmin(dim=1)
        for some in queries.float().split(1024)
    ])
