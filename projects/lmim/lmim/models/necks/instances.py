"""Which parts of a map of patches are contrasted, or read, one by one."""
from typing import Tuple

import torch
import torch.nn.functional as F

from lmim.utils.errors import UserError

MAPPINGS = ('all', 'window', 'frame')


def frames_of(tokens: torch.Tensor, grid: Tuple[int, int]) -> torch.Tensor:
    """One feature for each column of patches: the mean over its rows.

    Flattened row by row, as the patches are, windows would be bands of rows.

    Args:
        tokens (torch.Tensor): [CLS], if there is one, and patches,
            (N, 1 + rows * T, C).
        grid (Tuple[int, int]): Rows and columns of patches.

    Returns:
        torch.Tensor: (N, T, C), from left to right.
    """
    return tokens[:, -grid[0] * grid[1]:].unflatten(1, grid).mean(dim=1)


def map_instances(frames: torch.Tensor, mapping: str,
                  num_windows: int = 5) -> torch.Tensor:
    """Average frames to instances.

    Args:
        frames (torch.Tensor): (N, T, C).
        mapping (str): ``'all'``: one instance, the mean of all frames;
            ``'window'``: ``num_windows`` windows of equal width, in whole
            frames that may overlap by one; ``'frame'``: each frame.
        num_windows (int): Number of windows.

    Returns:
        torch.Tensor: (N, instances, C).

    Raises:
        UserError: If ``mapping`` is unknown.
    """
    if mapping not in MAPPINGS:
        raise UserError(f'mapping must be one of {MAPPINGS}, got {mapping!r}')
    if mapping == 'frame':
        return frames
    count = 1 if mapping == 'all' else num_windows
    return F.adaptive_avg_pool1d(frames.transpose(1, 2), count).transpose(1, 2)
