"""Windows of a word for contrast, and the projections around them."""
from typing import Optional, Tuple, Union

import torch
from mmengine.model import BaseModule
from mmocr.registry import MODELS

from .instances import frames_of, map_instances


def batch_norm_mlp(in_dims: int, hidden_dims: int, out_dims: int,
                   num_layers: int) -> dict:
    """Config of MoCo v3's MLP: linear layers and batch norms, ReLU between.

    Layers have no bias, and the last batch norm has no weights. Rows of all
    processes are normalised together where a config has ``sync_bn='torch'``,
    on GPUs.
    """
    return dict(
        type='mmpretrain.NonLinearNeck', in_channels=in_dims,
        hid_channels=hidden_dims, out_channels=out_dims,
        num_layers=num_layers, with_last_bn_affine=False, with_avg_pool=False,
        norm_cfg=dict(type='BN1d'))


@MODELS.register_module()
class TokenMLP(BaseModule):
    """The same MLP for each token, which keeps its width.

    Args:
        embed_dims (int): Channels of the tokens.
        hidden_dims (int): Channels between the three layers.
        init_cfg (dict, optional): Initialisation config.
    """

    def __init__(self,
                 embed_dims: int = 384,
                 hidden_dims: int = 512,
                 init_cfg: Optional[Union[dict, list]] = None) -> None:
        super().__init__(init_cfg)
        self.mlp = MODELS.build(
            batch_norm_mlp(embed_dims, hidden_dims, embed_dims, 3))

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        """Map tokens (N, L, C) to tokens (N, L, C)."""
        return self.mlp([tokens.flatten(0, 1)])[0].unflatten(
            0, tokens.shape[:2])


@MODELS.register_module()
class WindowProjector(BaseModule):
    """Tokens of an image to the projected windows that are contrasted.

    The patches are averaged to windows of equal width, of all rows, and the
    windows projected by a batch-norm MLP of three layers, as DiG and SSM do
    it. (:class:`SequenceProjector` projects before it averages.)

    Args:
        in_dims (int): Channels of the tokens.
        hidden_dims (int): Channels between the layers.
        out_dims (int): Channels of a window.
        num_windows (int): Windows of an image.
        grid (Tuple[int, int]): Rows and columns of patches.
        init_cfg (dict, optional): Initialisation config.
    """

    def __init__(self,
                 in_dims: int = 384,
                 hidden_dims: int = 4096,
                 out_dims: int = 256,
                 num_windows: int = 4,
                 grid: Tuple[int, int] = (8, 32),
                 init_cfg: Optional[Union[dict, list]] = None) -> None:
        super().__init__(init_cfg)
        self.mlp = MODELS.build(
            batch_norm_mlp(in_dims, hidden_dims, out_dims, 3))
        self.num_windows = num_windows
        self.grid = (grid[0], grid[1])

    def windows(self, tokens: torch.Tensor) -> torch.Tensor:
        """Average tokens (N, 1 + L, C) to windows (N, num_windows, C)."""
        return map_instances(
            frames_of(tokens, self.grid), 'window', self.num_windows)

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        """Map tokens (N, 1 + L, in_dims) to (N, num_windows, out_dims)."""
        windows = self.windows(tokens)
        return self.mlp([windows.flatten(0, 1)])[0].unflatten(
            0, windows.shape[:2])
