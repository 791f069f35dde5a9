"""Which patches are hidden.

A mask generator gives every patch a noise value. The patches with the smallest
noise are kept, so that each image keeps exactly the same number whatever the
generator, and images batch. Everywhere in this package a mask is **0 where a
patch is kept and 1 where it is removed**.
"""
import math
from types import MappingProxyType
from typing import Mapping, NamedTuple, Optional, Tuple

import torch
from mmengine.model import BaseModule
from mmocr.registry import MODELS

from lmim.utils.errors import UserError


#: What masks may depend on: ``images``, RGB, (N, 3, H, W); their ``aspect``,
#: width / height before resizing, (N, ); ``features`` of their patches,
#: (N, L, C). None: not known.
Context = Mapping[str, Optional[torch.Tensor]]


class Masking(NamedTuple):
    """What was kept and how to put it back.

    Attributes:
        ids_keep (torch.Tensor): Indices of the kept patches, (N, K).
        ids_restore (torch.Tensor): Inverse of the shuffle that puts kept
            patches first, (N, L).
        mask (torch.Tensor): 0 is keep, 1 is remove, float, (N, L).
    """
    ids_keep: torch.Tensor
    ids_restore: torch.Tensor
    mask: torch.Tensor


def masking_from_noise(noise: torch.Tensor, num_keep: int) -> Masking:
    """Keep the ``num_keep`` patches of smallest noise.

    Args:
        noise (torch.Tensor): Shape (N, L).
        num_keep (int): Number of patches that stay visible, K.

    Returns:
        Masking: Indices and mask.
    """
    # Stable, as the patches of a cell have one noise.
    ids_shuffle = noise.argsort(dim=1, stable=True)
    ids_restore = ids_shuffle.argsort(dim=1)
    mask = (ids_restore >= num_keep).float()
    return Masking(ids_shuffle[:, :num_keep], ids_restore, mask)


def spread(cells: torch.Tensor, cell: Tuple[int, int],
           grid: Tuple[int, int]) -> torch.Tensor:
    """Give each patch what its cell has.

    Args:
        cells (torch.Tensor): Row by row, (N, B).
        cell (Tuple[int, int]): Rows and columns of patches of a cell; one
            that leaves the grid is clipped.
        grid (Tuple[int, int]): Rows and columns of patches, L in all.

    Returns:
        torch.Tensor: (N, L).
    """
    cells = cells.unflatten(1, (-1, math.ceil(grid[1] / cell[1])))
    cells = cells.repeat_interleave(cell[0], 1).repeat_interleave(cell[1], 2)
    return cells[:, :grid[0], :grid[1]].flatten(1)


def count_cells(cell: Tuple[int, int], grid: Tuple[int, int]) -> int:
    """How many cells cover a grid."""
    return math.ceil(grid[0] / cell[0]) * math.ceil(grid[1] / cell[1])


@MODELS.register_module()
class RandomMasking(BaseModule):
    """Hide patches independently of one another (paper's default, 80 %).

    With ``cell`` whole cells of patches are hidden: single pixels are easily
    filled in from their neighbours, and cells of 4x4 make patches of one
    pixel the task that patches of 4x4 are. The last cell is kept in part.

    Left alone, it draws from torch's global generator. After
    :meth:`seed_masks` it draws the noise of the *global* batch from a
    generator of its own and takes this process's share, so that N processes
    hide the same patches as one process with an N times larger batch.

    Args:
        ratio (float): Share of patches to remove, in (0, 1).
        cell (Tuple[int, int]): Rows and columns of patches that are hidden
            together.

    Raises:
        UserError: If ``ratio`` is not in (0, 1), or a cell has no patch.
    """

    def __init__(self, ratio: float = 0.8,
                 cell: Tuple[int, int] = (1, 1)) -> None:
        super().__init__()
        if not 0 < ratio < 1:
            raise UserError('mask ratio must lie between 0 and 1 (exclusive)'
                            f', got {ratio}')
        if min(cell) < 1:
            raise UserError('a cell of a mask has one row and column of '
                            f'patches at least, got {tuple(cell)}')
        self.ratio = ratio
        self.cell = (int(cell[0]), int(cell[1]))
        self._seed: Optional[int] = None
        self._generator: Optional[torch.Generator] = None
        self._rank, self._world_size = 0, 1

    def seed_masks(self,
                   seed: int,
                   rank: int = 0,
                   world_size: int = 1) -> None:
        """Fix the masks that follow.

        Args:
            seed (int): Equal on all processes.
            rank (int): This process.
            world_size (int): Number of processes. Image i of this process is
                image ``i * world_size + rank`` of the global batch, as
                MMEngine's ``DefaultSampler`` deals them.
        """
        self._seed, self._generator = seed, None
        self._rank, self._world_size = rank, world_size

    def num_keep(self, num_patches: int) -> int:
        """Number of visible patches, ``int(num_patches * (1 - ratio))``.

        The tiny summand keeps a product such as 100 * (1 - 0.9) from falling
        below the whole number that it is.
        """
        return int(num_patches * (1 - self.ratio) + 1e-6)

    def forward(
        self,
        batch_size: int,
        grid: Tuple[int, int],
        device: torch.device,
        noise: Optional[torch.Tensor] = None,
        context: Context = MappingProxyType({})
    ) -> Masking:
        """Draw the masks of a batch.

        Args:
            batch_size (int): Number of images, N.
            grid (Tuple[int, int]): Rows and columns of patches, L in all.
            device (torch.device): Where the masks are needed.
            noise (torch.Tensor, optional): Use this, as :meth:`draw_noise`
                gives it, instead of drawing.
            context (Context): What is known of the images.

        Returns:
            Masking: Indices and mask.
        """
        if noise is None:
            generator = self._generator_on(device)
            noise = self.draw_noise(batch_size * self._world_size, grid,
                                    device, generator)
            noise = noise[self._rank::self._world_size]
        noise = self.place_noise(noise, grid, context)
        return masking_from_noise(noise, self.num_keep(grid[0] * grid[1]))

    def draw_noise(self, batch_size: int, grid: Tuple[int, int],
                   device: torch.device,
                   generator: Optional[torch.Generator]) -> torch.Tensor:
        """Draw a number for each cell, (batch_size, cells)."""
        return torch.rand(
            batch_size,
            count_cells(self.cell, grid),
            device=device,
            generator=generator)

    def place_noise(self, draws: torch.Tensor, grid: Tuple[int, int],
                    context: Context) -> torch.Tensor:
        """Noise (N, L) from what was drawn: that of each patch's cell."""
        return spread(draws, self.cell, grid)

    def _generator_on(self,
                      device: torch.device) -> Optional[torch.Generator]:
        if self._seed is not None and self._generator is None:
            self._generator = torch.Generator(device).manual_seed(self._seed)
        return self._generator


@MODELS.register_module()
class BlockMasking(RandomMasking):
    """Hide rectangles of patches (paper's ablation, best at 60 %).

    Rectangles are laid down in random order until enough patches are covered;
    the last one is covered in part, so that the count is exact.

    Args:
        ratio (float): Share of patches to remove, in (0, 1).
        area (Tuple[float, float]): Smallest and largest area of a rectangle,
            as a share of the grid.
        aspect (Tuple[float, float]): Smallest and largest height / width of a
            rectangle, in patches.
    """

    #: Rectangles drawn per image. They cover a grid many times over; what
    #: they leave is hidden at random.
    NUM_BLOCKS = 64

    def __init__(self,
                 ratio: float = 0.6,
                 area: Tuple[float, float] = (0.04, 0.16),
                 aspect: Tuple[float, float] = (0.3, 3.3)) -> None:
        super().__init__(ratio)
        self.area, self.aspect = area, aspect

    def draw_noise(self, batch_size: int, grid: Tuple[int, int],
                   device: torch.device,
                   generator: Optional[torch.Generator]) -> torch.Tensor:
        """Draw noise that is larger the earlier a patch was covered."""
        rows, columns = grid
        uniform = torch.rand(
            4, batch_size, self.NUM_BLOCKS, 1, device=device,
            generator=generator)
        area = self._between(self.area, uniform[0]) * rows * columns
        lowest, highest = map(math.log, self.aspect)
        aspect = self._between((lowest, highest), uniform[1]).exp()
        height = (area * aspect).sqrt().round().clamp(1, rows)
        width = (area / aspect).sqrt().round().clamp(1, columns)
        top = (uniform[2] * (rows - height + 1)).floor()
        left = (uniform[3] * (columns - width + 1)).floor()

        cell = torch.arange(rows * columns, device=device)
        row = cell.div(columns, rounding_mode='floor')
        column = cell % columns
        covered = ((row >= top) & (row < top + height) & (column >= left) &
                   (column < left + width))
        order = torch.arange(self.NUM_BLOCKS, 0, -1, device=device)[:, None]
        first_cover = (covered * order).amax(dim=1)
        tie_break = torch.rand(
            first_cover.shape, device=device, generator=generator)
        return first_cover + tie_break

    @staticmethod
    def _between(bounds: Tuple[float, float],
                 uniform: torch.Tensor) -> torch.Tensor:
        return bounds[0] + (bounds[1] - bounds[0]) * uniform
