"""Projections that are discarded after pre-training."""
from typing import Optional, Tuple, Union

import torch
from mmengine.model import BaseModule
from mmocr.registry import MODELS
from torch import nn

from lmim.utils.errors import UserError
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
