"""Patches of pictures and their features, made visible."""
from typing import Tuple

import numpy as np
import torch


def merge(image: np.ndarray, visible: np.ndarray,
          hidden: np.ndarray) -> np.ndarray:
    """Take the hidden patches of one picture, the others of another.

    Both are (H, W, 3) uint8; True or 1 is hidden, (rows, columns).
    """
    size = (image.shape[0] // hidden.shape[0],
            image.shape[1] // hidden.shape[1])
    here = np.kron(hidden, np.ones(size)).astype(bool)[..., None]
    return np.where(here, image, visible)


def join_patches(patches: torch.Tensor, grid: Tuple[int, int],
                 size: Tuple[int, int]) -> torch.Tensor:
    """Put patches together, the inverse of ``PixelTarget``.

    Of patches (N, L, height * width * C), pixels row by row, channels last,
    in a grid of (rows, columns), L in all, each of a size (height, width),
    it makes pictures (N, rows * height, columns * width, C).
    """
    patches = patches.unflatten(2, (*size, -1)).unflatten(1, grid)
    return patches.permute(0, 1, 3, 2, 4, 5).flatten(3, 4).flatten(1, 2)


class FeatureColors:
    """The three main components of features (M, C) as blue, green and red.

    Like colours mean like features; what a colour is has no meaning.
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
    """Number (M, ) of the nearest of a bank (K, C), for each query (M, C)."""
    return torch.cat([torch.cdist(some, bank.float()).argmin(dim=1)
                      for some in queries.float().split(1024)])
