"""Masks that depend on what a picture shows.

A mask that is drawn without looking at the picture hides margins as often as
strokes, and hardly ever a whole character of a short word. These generators
prefer *hard* patches, up to a share of all; what is left of the ratio is
hidden at random, so that counts are exact as with all masks.

What is random is drawn first, as numbers in [0, 1) that do not depend on the
picture: given the same numbers, a picture has the same mask, whatever other
pictures its batch holds and however many processes share it.
"""
from typing import Optional, Tuple

import torch
import torch.nn.functional as F
from mmocr.registry import MODELS

from lmim.utils.errors import UserError
from .masking import Context, RandomMasking, count_cells, spread

#: Red, green and blue in luminance (ITU-R BT.601).
LUMINANCE = (0.299, 0.587, 0.114)
#: Where each part of the context comes from.
SOURCES = dict(
    images='MaskedViT gives them',
    aspect="end the pipeline with dict(type='PackPretrainInputs', "
    "meta_keys=['aspect'])",
    features='MIM and LMIM give their targets')


def ink_map(images: torch.Tensor, grid: Tuple[int, int]) -> torch.Tensor:
    """Measure how much is drawn in each patch.

    Args:
        images (torch.Tensor): RGB, (N, 3, H, W). Offset and scale do not
            matter to masks where they are the same for all channels.
        grid (Tuple[int, int]): Rows and columns of patches.

    Returns:
        torch.Tensor: Mean size of the central differences of luminance, half
        of it along rows and half along columns, (N, rows, columns).
    """
    weights = images.new_tensor(LUMINANCE)[:, None, None]
    luminance = (images * weights).sum(dim=1, keepdim=True)
    padded = F.pad(luminance, (1, 1, 1, 1), mode='replicate')
    along = (padded[..., 1:-1, 2:] - padded[..., 1:-1, :-2]).abs()
    down = (padded[..., 2:, 1:-1] - padded[..., :-2, 1:-1]).abs()
    return F.adaptive_avg_pool2d((along + down) / 2, grid)[:, 0]


def contrast_map(images: torch.Tensor, grid: Tuple[int, int]
                 ) -> torch.Tensor:
    """Measure how far the pixels of each patch are from the background.

    Args:
        images (torch.Tensor): RGB, (N, 3, H, W).
        grid (Tuple[int, int]): Rows and columns of patches.

    Returns:
        torch.Tensor: Mean distance, over channels and pixels, from the median
        colour of the picture's border, (N, rows, columns).
    """
    border = torch.cat([
        images[:, :, 0], images[:, :, -1], images[:, :, 1:-1, 0],
        images[:, :, 1:-1, -1]], dim=2)
    background = border.median(dim=2).values[:, :, None, None]
    away = (images - background).abs().mean(dim=1, keepdim=True)
    return F.adaptive_avg_pool2d(away, grid)[:, 0]


def mark_largest(keys: torch.Tensor, count: int) -> torch.Tensor:
    """Mark so many of each row's keys, of equal ones the first: (N, L)."""
    order = keys.argsort(dim=1, descending=True, stable=True)
    marks = torch.zeros_like(order, dtype=torch.bool)
    return marks.scatter(1, order[:, :count], True)


def whole_part(share: float, total: int) -> int:
    """So many of all, rounded down as ``RandomMasking.num_keep`` rounds."""
    return int(share * total + 1e-6)


class ContentMasking(RandomMasking):
    """Hide hard patches before others.

    A subclass marks the hard patches in :meth:`hard_patches`.

    Args:
        ratio (float): Share of patches to remove, in (0, 1).
        hard_share (float): Share of patches that are removed because they
            are hard, at most ``ratio``.

    Raises:
        UserError: If a share is out of its range.
    """

    def __init__(self, ratio: float, hard_share: float) -> None:
        super().__init__(ratio)
        if not 0 <= hard_share <= ratio:
            raise UserError(
                f'{type(self).__name__} hides {ratio:g} of the patches; the '
                'share that is chosen by content must lie between 0 and '
                f'that, got {hard_share:g}')
        self.hard_share = hard_share

    def num_draws(self, grid: Tuple[int, int]) -> int:
        """How many numbers :meth:`hard_patches` takes for each picture."""
        return 0

    def hard_patches(self, draws: torch.Tensor, grid: Tuple[int, int],
                     context: Context) -> torch.Tensor:
        """Mark hard patches, bool (N, L), by draws (N, :meth:`num_draws`)."""
        raise NotImplementedError

    def draw_noise(self, batch_size: int, grid: Tuple[int, int],
                   device: torch.device,
                   generator: Optional[torch.Generator]) -> torch.Tensor:
        """Draw what is random: L numbers, then those for hard patches."""
        return torch.rand(
            batch_size, grid[0] * grid[1] + self.num_draws(grid),
            device=device, generator=generator)

    def place_noise(self, draws: torch.Tensor, grid: Tuple[int, int],
                    context: Context) -> torch.Tensor:
        """Noise (N, L) in which each hard patch comes before all others."""
        uniform, chosen = draws.tensor_split([grid[0] * grid[1]], dim=1)
        return uniform + self.hard_patches(chosen, grid, context)

    def needed(self, context: Context, name: str) -> torch.Tensor:
        """A part of the context.

        Raises:
            UserError: If it is not there.
        """
        value = context.get(name)
        if value is None:
            raise UserError(f'{type(self).__name__} needs the {name} of the '
                            f'pictures: {SOURCES[name]}')
        return value


@MODELS.register_module()
class InkMasking(ContentMasking):
    """Hide blocks of patches that hold much ink.

    The logarithm of a block's ink, relative to the picture's, is weighed
    against noise of Gumbel's distribution, so that blocks are drawn without
    replacement with chances that grow with their ink.

    Args:
        ratio (float): Share of patches to remove, in (0, 1).
        ink_share (float): Share of patches in blocks that are hidden for
            their ink.
        block (Tuple[int, int]): Rows and columns of patches of a block; a
            block that leaves the grid is clipped.
        strength (float): Power of the ink in a block's chance. 0: blocks at
            random.
    """

    def __init__(self,
                 ratio: float = 0.8,
                 ink_share: float = 0.5,
                 block: Tuple[int, int] = (4, 2),
                 strength: float = 2.0) -> None:
        super().__init__(ratio, ink_share)
        self.block, self.strength = block, strength

    def score(self, images: torch.Tensor,
              grid: Tuple[int, int]) -> torch.Tensor:
        """How much a patch holds, (N, rows, columns)."""
        return ink_map(images, grid)

    def block_in(self, grid: Tuple[int, int]) -> Tuple[int, int]:
        """Rows and columns of a block, no larger than the grid."""
        return min(self.block[0], grid[0]), min(self.block[1], grid[1])

    def num_draws(self, grid: Tuple[int, int]) -> int:
        """One for each block."""
        return count_cells(self.block_in(grid), grid)

    def block_keys(self, uniform: torch.Tensor, images: torch.Tensor,
                   grid: Tuple[int, int]) -> torch.Tensor:
        """Keys of blocks, row by row, of which the largest are hidden.

        Args:
            uniform (torch.Tensor): A number in [0, 1) for each block, (N, B).
            images (torch.Tensor): RGB, (N, 3, H, W).
            grid (Tuple[int, int]): Rows and columns of patches.

        Returns:
            torch.Tensor: (N, B).
        """
        ink = self.score(images, grid)[:, None]
        blocks = F.avg_pool2d(ink, self.block_in(grid), ceil_mode=True)
        relative = blocks / (ink.mean(dim=(2, 3), keepdim=True) + 1e-6)
        gumbel = -(-uniform.log()).log()
        return self.strength * (relative.flatten(1) + 0.05).log() + gumbel

    def hard_patches(self, draws: torch.Tensor, grid: Tuple[int, int],
                     context: Context) -> torch.Tensor:
        """Mark the patches of the blocks of largest key."""
        images = self.needed(context, 'images')
        rows, columns = self.block_in(grid)
        keys = self.block_keys(draws, images, grid)
        count = whole_part(self.hard_share,
                           grid[0] * grid[1]) // (rows * columns)
        return spread(mark_largest(keys, count), (rows, columns), grid)


@MODELS.register_module()
class ContrastMasking(InkMasking):
    """Choose all that is hidden by how far it is from the background.

    Gradients, by which :class:`InkMasking` goes, are large on outlines alone;
    this is for patches of one or two pixels, of which whole strokes are to be
    hidden, or to be seen.

    Args:
        ratio (float): Share of patches to remove, in (0, 1).
        cell (Tuple[int, int]): Rows and columns of patches that are hidden
            together.
        strength (float): Power of a cell's contrast in its chance to be
            hidden. Above 0 strokes are hidden before the background, below 0
            the background is; 0: cells at random.
    """

    def __init__(self,
                 ratio: float = 0.8,
                 cell: Tuple[int, int] = (4, 4),
                 strength: float = 1.0) -> None:
        super().__init__(ratio, ratio, (int(cell[0]), int(cell[1])), strength)

    def score(self, images: torch.Tensor,
              grid: Tuple[int, int]) -> torch.Tensor:
        """Mean distance from the border's colour, (N, rows, columns)."""
        return contrast_map(images, grid)


@MODELS.register_module()
class CharacterSpanMasking(ContentMasking):
    """Hide whole characters, guessed from the shape of the crop.

    Columns are cut into cells that are as wide as ``width`` characters of a
    word whose crop has this aspect, from a random place on. Cells are hidden
    over their full height.

    The constants were fitted on word crops of MMOCR and CUTE80: the cell is
    right within a factor of 1.5 for 69 % of them.

    Args:
        ratio (float): Share of patches to remove, in (0, 1).
        span_share (float): Share of columns that are hidden in full height.
        width (float): Characters in a cell.
        char_aspect (float): Width of a character over the crop's height.
        bounds (Tuple[float, float]): Fewest and most columns of a cell; the
            fewest are at least 1.

    Raises:
        UserError: If ``bounds`` are out of order or below 1.
    """

    def __init__(self,
                 ratio: float = 0.8,
                 span_share: float = 0.25,
                 width: float = 1.5,
                 char_aspect: float = 0.45,
                 bounds: Tuple[float, float] = (1.5, 16)) -> None:
        super().__init__(ratio, span_share)
        if not 1 <= bounds[0] <= bounds[1]:
            raise UserError('bounds of CharacterSpanMasking are the fewest '
                            'and most columns of a cell, 1 or more, got '
                            f'{tuple(bounds)}')
        self.width, self.char_aspect, self.bounds = width, char_aspect, bounds

    def num_draws(self, grid: Tuple[int, int]) -> int:
        """Where the first cell starts, and one for each cell."""
        return 1 + grid[1] + 1

    def pitch(self, aspect: torch.Tensor, columns: int) -> torch.Tensor:
        """Columns of a cell, for each aspect (width / height) of a crop."""
        return (columns * self.char_aspect * self.width /
                aspect).clamp(*self.bounds)

    def cells(self, phase: torch.Tensor, aspect: torch.Tensor,
              columns: int) -> torch.Tensor:
        """The cell that each column is in, from 0, (N, columns).

        Args:
            phase (torch.Tensor): In [0, 1), how much of the first cell is cut
                off, (N, ).
            aspect (torch.Tensor): Width / height of the crops, (N, ).
            columns (int): Columns of patches.
        """
        at = torch.arange(columns, device=phase.device)
        return (at / self.pitch(aspect, columns)[:, None] +
                phase[:, None]).floor().long()

    def hard_patches(self, draws: torch.Tensor, grid: Tuple[int, int],
                     context: Context) -> torch.Tensor:
        """Mark the columns of the cells of largest draw.

        The last cell is marked in part, from the left.
        """
        aspect = self.needed(context, 'aspect')
        cells = self.cells(draws[:, 0], aspect.to(draws), grid[1])
        keys = draws[:, 1:].gather(1, cells)
        hard = mark_largest(keys, whole_part(self.hard_share, grid[1]))
        return hard.repeat(1, grid[0])


@MODELS.register_module()
class DSHMMasking(ContentMasking):
    """Hide what differs from its surroundings or from the text, as DSHM does.

    From the formulas of DSHM (AAAI 2026, Zou et al.), of which no code is
    public: two scores of an oracle's features, the largest as seeds, grown
    into blocks. **The growth of blocks is our reading.** The paper takes as
    text the patches with attention of small entropy, by a threshold that it
    does not give; here they are those with more ink than the picture's mean.
    The oracle is what makes the method's targets: with a frozen one, the hard
    half of a picture is the same in every epoch.

    Args:
        ratio (float): Share of patches to remove, in (0, 1).
        hard_share (float): Share of patches that are hidden for their score.
        block (int): Rows and columns of the block that a seed grows to.
        weights (Tuple[float, float]): Of local and style score, each
            relative to its mean in the picture.
    """

    def __init__(self,
                 ratio: float = 0.8,
                 hard_share: float = 0.5,
                 block: int = 2,
                 weights: Tuple[float, float] = (1., 1.)) -> None:
        super().__init__(ratio, hard_share)
        self.block, self.weights = block, weights

    @staticmethod
    def local_score(features: torch.Tensor,
                    grid: Tuple[int, int]) -> torch.Tensor:
        """ALD, the trace of the covariance of a patch's neighbours.

        A patch has up to eight; the covariance is divided by their number.

        Args:
            features (torch.Tensor): (N, L, C).
            grid (Tuple[int, int]): Rows and columns of patches.

        Returns:
            torch.Tensor: (N, L).
        """
        # About the mean, so that squares lose no digits.
        maps = (features - features.mean(dim=1, keepdim=True)).transpose(1, 2)
        maps = maps.unflatten(2, grid)
        squares = (maps * maps).sum(dim=1, keepdim=True)
        maps = torch.cat([maps, squares, torch.ones_like(squares)], dim=1)
        sums = 9 * F.avg_pool2d(maps, 3, stride=1, padding=1) - maps
        means = sums[:, :-1] / sums[:, -1:].clamp(min=1)
        spread = means[:, -1] - (means[:, :-1]**2).sum(dim=1)
        return spread.clamp(min=0).flatten(1)

    @staticmethod
    def style_score(features: torch.Tensor,
                    text: torch.Tensor) -> torch.Tensor:
        """Distance to the mean feature of the patches of text.

        Args:
            features (torch.Tensor): (N, L, C).
            text (torch.Tensor): Which patches are text, bool (N, L).

        Returns:
            torch.Tensor: (N, L).
        """
        weights = text.to(features).unsqueeze(2)
        mean = (features * weights).sum(dim=1, keepdim=True)
        mean = mean / weights.sum(dim=1, keepdim=True).clamp(min=1)
        return (features - mean).norm(dim=2)

    def score(self, features: torch.Tensor, text: torch.Tensor,
              grid: Tuple[int, int]) -> torch.Tensor:
        """The weighted sum of both scores, (N, L)."""
        scores = (self.local_score(features, grid),
                  self.style_score(features, text))
        return torch.stack([
            weight * each / each.mean(dim=1, keepdim=True).clamp(min=1e-12)
            for weight, each in zip(self.weights, scores)]).sum(dim=0)

    def grow(self, score: torch.Tensor,
             grid: Tuple[int, int]) -> torch.Tensor:
        """Mark blocks around the patches of largest score, bool (N, L).

        Seeds come in falling order; a block of even size has one patch more
        to the right and below. The last block is marked in part, row by row.
        """
        total = grid[0] * grid[1]
        order = score.argsort(dim=1, descending=True, stable=True)
        seed = order.argsort(dim=1).to(score).unflatten(1, grid)[:, None]
        # A patch is in the block of a seed that lies before it by up to
        # `before` rows and columns, or behind it by up to `after`.
        after = (self.block - 1) // 2
        before = self.block - 1 - after
        pad = (before, after, before, after)
        earliest = F.max_pool2d(F.pad(-seed, pad, value=-float(total)),
                                self.block, stride=1)
        return mark_largest(earliest.flatten(1),
                            whole_part(self.hard_share, total))

    def hard_patches(self, draws: torch.Tensor, grid: Tuple[int, int],
                     context: Context) -> torch.Tensor:
        """Mark the patches of the blocks around the largest scores."""
        images = self.needed(context, 'images')
        features = self.needed(context, 'features')
        ink = ink_map(images, grid).flatten(1)
        # Half precision has too few digits for differences of squares.
        features = features.detach().to(
            torch.promote_types(features.dtype, torch.float32))
        text = ink > ink.mean(dim=1, keepdim=True)
        return self.grow(self.score(features, text, grid), grid)
