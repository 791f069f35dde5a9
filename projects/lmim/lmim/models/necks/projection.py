"""Projections that are discarded after pre-training."""
from typing import Optional, Tuple, Union

import torch
import torch.nn.functional as F
from mmengine.model import BaseModule
from mmocr.registry import MODELS
from torch import nn

from lmim.utils.errors import UserError
from ..layers import share_of_run
from .instances import frames_of, map_instances


class BiLSTM(nn.Module):
    """A bidirectional LSTM over frames, then a linear layer.

    Args:
        in_dims (int): Channels of the frames.
        hidden_dims (int): Of each direction.
        out_dims (int): Channels of the result.
    """

    def __init__(self, in_dims: int, hidden_dims: int, out_dims: int) -> None:
        super().__init__()
        self.rnn = nn.LSTM(
            in_dims, hidden_dims, bidirectional=True, batch_first=True)
        self.linear = nn.Linear(2 * hidden_dims, out_dims)

    def forward(self, frames: torch.Tensor) -> torch.Tensor:
        """Project frames, (N, T, in_dims) to (N, T, out_dims)."""
        return self.linear(self.rnn(frames)[0])


def build_projection(kind: str, in_dims: int, hidden_dims: int,
                     out_dims: int) -> nn.Module:
    """A projection of features (..., in_dims) to (..., out_dims).

    Args:
        kind (str): ``'none'``, ``'linear'``, ``'mlp'`` (two linear layers
            with ReLU between) or ``'bilstm'`` (over frames).
        in_dims (int): Channels of the features.
        hidden_dims (int): Channels between the layers.
        out_dims (int): Channels of the result.

    Raises:
        UserError: If ``kind`` is unknown.
    """
    if kind == 'none':
        return nn.Identity()
    if kind == 'linear':
        return nn.Linear(in_dims, out_dims)
    if kind == 'mlp':
        return nn.Sequential(
            nn.Linear(in_dims, hidden_dims), nn.ReLU(inplace=True),
            nn.Linear(hidden_dims, out_dims))
    if kind == 'bilstm':
        return BiLSTM(in_dims, hidden_dims, out_dims)
    raise UserError("the projection must be 'none', 'linear', 'mlp' or "
                    f"'bilstm', got {kind!r}")


@MODELS.register_module()
class SequenceProjector(BaseModule):
    """Tokens of an image to the instances that SeqCLR contrasts.

    The rows of the grid are averaged to frames, the frames are projected,
    and averaged to instances (SeqCLR, sections 3.3 and 3.4).

    Args:
        in_dims (int): Channels of the encoder's tokens.
        out_dims (int): Channels of an instance; those of the tokens with
            ``projection='none'``.
        hidden_dims (int, optional): Channels between the layers of the
            projection. Defaults to ``out_dims``.
        projection (str): ``'bilstm'``, ``'linear'``, ``'mlp'`` or
            ``'none'``.
        mapping (str): ``'window'``, ``'frame'`` or ``'all'``.
        num_windows (int): Windows of an image.
        grid (Tuple[int, int]): Rows and columns of patches.
        init_cfg (dict, optional): Initialisation config.
    """

    def __init__(self,
                 in_dims: int = 384,
                 out_dims: int = 256,
                 hidden_dims: Optional[int] = None,
                 projection: str = 'bilstm',
                 mapping: str = 'window',
                 num_windows: int = 5,
                 grid: Tuple[int, int] = (8, 32),
                 init_cfg: Optional[Union[dict, list]] = None) -> None:
        super().__init__(init_cfg)
        self.projection = build_projection(
            projection, in_dims, hidden_dims or out_dims, out_dims)
        self.mapping = mapping
        self.num_windows = num_windows
        self.grid = (grid[0], grid[1])

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        """Map tokens (N, 1 + L, in_dims) to instances (N, T', out_dims)."""
        frames = frames_of(tokens, self.grid)
        return map_instances(
            self.projection(frames), self.mapping, self.num_windows)


@MODELS.register_module()
class PrototypeProjector(BaseModule):
    """Features to their likeness with prototypes, as in DINO.

    An MLP of three layers with GELU, then cosines with prototypes, each times
    a gain of its own (arXiv 2104.14294).

    Args:
        in_dims (int): Channels of the features, C.
        hidden_dims (int): Channels between the layers.
        bottleneck_dims (int): Channels of a prototype.
        num_prototypes (int): K.
        fixed_gain (bool): Whether gains stay 1. CCD's code does so for its
            largest model.
        frozen (float): Share of the run in which prototypes do not move.
        init_cfg (dict, optional): Initialisation config.
    """

    def __init__(self,
                 in_dims: int = 384,
                 hidden_dims: int = 2048,
                 bottleneck_dims: int = 256,
                 num_prototypes: int = 65536,
                 fixed_gain: bool = False,
                 frozen: float = 0.,
                 init_cfg: Optional[Union[dict, list]] = None) -> None:
        super().__init__(init_cfg)
        widths = (in_dims, hidden_dims, hidden_dims, bottleneck_dims)
        layers = [nn.Linear(*pair) for pair in zip(widths, widths[1:])]
        self.mlp = nn.Sequential(layers[0], nn.GELU(), layers[1], nn.GELU(),
                                 layers[2])
        self.prototypes = nn.Parameter(torch.randn(
            num_prototypes, bottleneck_dims))
        self.gain = nn.Parameter(torch.ones(num_prototypes, 1),
                                 requires_grad=not fixed_gain)
        self.frozen = frozen
        for layer in layers:
            nn.init.trunc_normal_(layer.weight, std=0.02)
            nn.init.zeros_(layer.bias)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Compare features (..., C) with prototypes, (..., K)."""
        weight = self.gain * F.normalize(self.prototypes, dim=1)
        if self.training and share_of_run() < self.frozen:
            # Gradients of 0: distributed training waits for some.
            weight = weight.detach() + 0 * weight
        return F.linear(F.normalize(self.mlp(features), dim=-1), weight)
