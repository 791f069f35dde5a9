"""Positions of an encoder for images of another size."""
from typing import Optional, Tuple

import torch
from mmpretrain.models.utils import resize_pos_embed

from lmim.utils.errors import CheckpointError

#: Grid of a 32x128 image in 4x4 patches, which the field's checkpoints are of.
USUAL_GRID = (8, 32)


def resize_positions(positions: torch.Tensor,
                     grid: Tuple[int, int],
                     own_grid: Optional[Tuple[int, int]] = None
                     ) -> torch.Tensor:
    """Interpolate position embeddings for another grid of patches.

    Checkpoints of MAE, MAERec and LMIM hold the sine-cosine table of a 16x16
    grid, laid out over the 8x32 patches of a word image row by row: a patch
    has learnt to live with the row of the table that it was given. So the
    table is interpolated on the grid that the patches really had, not on the
    square one that it was computed for.

    Args:
        positions (torch.Tensor): (1, 1 + L, C), [CLS] first.
        grid (Tuple[int, int]): Rows and columns wanted.
        own_grid (Tuple[int, int], optional): Rows and columns that the
            positions are of, L in all. Left out, 8x32 where L is 256.

    Returns:
        torch.Tensor: (1, 1 + rows * columns, C), bicubically interpolated;
        [CLS] is kept.

    Raises:
        CheckpointError: If the grid is not told, or has another number of
            patches.
    """
    count = positions.shape[1] - 1
    if own_grid is None and count == USUAL_GRID[0] * USUAL_GRID[1]:
        own_grid = USUAL_GRID
    if own_grid is None or own_grid[0] * own_grid[1] != count:
        told = ('the grid of these is not known' if own_grid is None else
                f'pos_grid={tuple(own_grid)} has '
                f'{own_grid[0] * own_grid[1]:,}')
        raise CheckpointError(
            f'the checkpoint has positions of {count:,} patches, the encoder '
            f'has {grid[0]}x{grid[1]}, and {told}. Say how many rows and '
            'columns of patches its images had: init_cfg=dict(type='
            "'Pretrained', checkpoint=..., pos_grid=(rows, columns))")
    return resize_pos_embed(
        positions.float(), tuple(own_grid), grid, mode='bicubic')
