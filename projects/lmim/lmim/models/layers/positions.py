"""Position embeddings: sine-cosine tables, and learned ones."""
import math
from typing import Tuple

import torch
from torch.nn import functional as F

from lmim.utils.errors import UserError


def build_sincos_2d(grid: Tuple[int, int], embed_dims: int) -> torch.Tensor:
    """Build MAE's fixed position embedding for any grid of patches.

    The first half of the channels encodes the column, the second half the
    row; each half holds sines, then cosines. The [CLS] position is zero. For
    a square grid this is the table that MAE stores in its checkpoints.

    Args:
        grid (Tuple[int, int]): Rows and columns of the grid of patches.
        embed_dims (int): Number of channels, a multiple of 4.

    Returns:
        torch.Tensor: Shape (1, 1 + rows * columns, embed_dims), row-major.

    Raises:
        UserError: If ``embed_dims`` is not a multiple of 4.
    """
    if embed_dims % 4:
        raise UserError('a 2-D sine-cosine position embedding needs '
                        f'embed_dims in multiples of 4, got {embed_dims}')
    quarter = embed_dims // 4
    omega = torch.arange(quarter, dtype=torch.float64) / quarter
    omega = 10000.0**-omega
    rows, columns = torch.meshgrid(
        torch.arange(grid[0], dtype=torch.float64),
        torch.arange(grid[1], dtype=torch.float64),
        indexing='ij')
    parts = []
    for position in (columns, rows):
        angle = position.reshape(-1, 1) * omega
        parts += [angle.sin(), angle.cos()]
    table = torch.cat(parts, dim=1)
    return torch.cat([table.new_zeros(1, embed_dims), table])[None].float()


def build_sincos_1d(length: int, embed_dims: int) -> torch.Tensor:
    """Build the Transformer's fixed position embedding of a sequence.

    Even channels are sines, odd ones cosines (arXiv 1706.03762, section 3.5).
    The [CLS] position is zero.

    Args:
        length (int): Number of patches, row by row.
        embed_dims (int): Number of channels.

    Returns:
        torch.Tensor: Shape (1, 1 + length, embed_dims).
    """
    channels = torch.arange(embed_dims, dtype=torch.float64)
    angle = torch.arange(length, dtype=torch.float64)[:, None] * (
        10000.0**-((channels // 2) * 2 / embed_dims))
    table = torch.where(channels % 2 == 0, angle.sin(), angle.cos())
    return torch.cat([table.new_zeros(1, embed_dims), table])[None].float()


def build_positions(kind: str, grid: Tuple[int, int],
                    embed_dims: int) -> torch.Tensor:
    """Build the position embedding of a kind.

    Args:
        kind (str): ``'line'``: of the patches as one sequence, as in DiG;
            ``'learned'``: at random, N(0, 0.02), to be trained, which says
            nothing of neighbours; ``'square'`` or ``'grid'`` as in
            :func:`resolve_grid`.
        grid (Tuple[int, int]): Rows and columns of patches.
        embed_dims (int): Number of channels.

    Returns:
        torch.Tensor: Shape (1, 1 + rows * columns, embed_dims), [CLS] first.

    Raises:
        UserError: If the kind is unknown or does not fit the grid.
    """
    if kind == 'learned':
        return 0.02 * torch.randn(1, 1 + grid[0] * grid[1], embed_dims)
    if kind == 'line':
        return build_sincos_1d(grid[0] * grid[1], embed_dims)
    return build_sincos_2d(resolve_grid(kind, grid), embed_dims)


def resolve_grid(kind: str, grid: Tuple[int, int]) -> Tuple[int, int]:
    """Choose the grid for which positions are computed.

    MAE, MAERec and LMIM's published code compute the table for a square grid
    with as many cells as there are patches (16x16 for the 8x32 patches of a
    32x128 image), and checkpoints hold that table. ``'square'`` does the
    same; ``'grid'`` uses the true grid.

    Args:
        kind (str): ``'square'`` or ``'grid'``.
        grid (Tuple[int, int]): The true grid, rows and columns.

    Returns:
        Tuple[int, int]: Rows and columns to compute positions for.

    Raises:
        UserError: If ``kind`` is unknown, or ``'square'`` is asked for a
            number of patches that is not a square.
    """
    if kind == 'grid':
        return grid
    if kind != 'square':
        raise UserError("pos_embed must be 'square', 'grid', 'line' or "
                        f"'learned', got {kind!r}")
    side = math.isqrt(grid[0] * grid[1])
    if side * side != grid[0] * grid[1]:
        raise UserError(
            f"pos_embed='square' needs a square number of patches, and a "
            f"grid of {grid[0]}x{grid[1]} has {grid[0] * grid[1]}: use "
            "pos_embed='grid' (checkpoints of MAERec and LMIM's published "
            'code do not fit such a model)')
    return side, side


def interpolate_positions(positions: torch.Tensor, own: Tuple[int, int],
                          grid: Tuple[int, int]) -> torch.Tensor:
    """Interpolate positions of a grid of patches for another, bicubically.

    Unlike :func:`lmim.checkpoints.loading.resize_positions`, at each pass,
    and in a graph whose grid is known only when it runs.

    Args:
        positions (torch.Tensor): (1, L, C), row by row.
        own (Tuple[int, int]): Rows and columns that they are of.
        grid (Tuple[int, int]): Rows and columns wanted.

    Returns:
        torch.Tensor: (1, rows * columns, C).
    """
    table = positions.unflatten(1, own).permute(0, 3, 1, 2)
    table = F.interpolate(table, grid, mode='bicubic', align_corners=False)
    return table.flatten(2).transpose(1, 2)
