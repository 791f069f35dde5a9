"""Regions of text: which tokens they are of, in a view and in a bent one."""
from typing import NamedTuple, Tuple

import torch
import torch.nn.functional as F
from mmengine.model import BaseModule
from mmocr.registry import MODELS

from lmim.datasets.transforms.glyph_map import (MOST_REGIONS,
                                                  NO_REGION)

#: A pixel of a bent view is of a region from this share on.
LEAST_SHARE = 0.1
#: Places for regions that CCD's code gives each picture, less one.
LEAST_SLOTS = 3


class Regions(NamedTuple):
    """The regions of pictures in both views, first the regular one.

    ``maps`` are (2N, R, H, W), bool, one region each; ``text`` is (2N, H, W),
    bool; ``slots`` says which of the R count, (N, R), bool.
    """
    maps: torch.Tensor
    text: torch.Tensor
    slots: torch.Tensor

    def numbered(self) -> torch.Tensor:
        """One map of each view, (2N, H, W), uint8, as a ``glyph_map`` is."""
        numbers = torch.arange(1, self.maps.shape[1] + 1, dtype=torch.uint8,
                               device=self.maps.device)
        found = (self.maps * numbers[:, None, None]).amax(dim=1)
        return torch.where(self.text & (found == 0), NO_REGION, found)


class TokenRegions(NamedTuple):
    """The region of each token of two views, which follow one another.

    ``maps`` are (2N, rows, columns), int64, 0 is the ground; ``inside`` says
    which tokens show the picture, bool, of the same shape.
    """
    maps: torch.Tensor
    inside: torch.Tensor


def regions_of_tokens(region_map: torch.Tensor, warp: torch.Tensor,
                      grid: Tuple[int, int],
                      least: float = 1 / 16) -> TokenRegions:
    """Carry regions into the other view, and find those of its tokens.

    A token is of the region that most of its pixels are of, the ground left
    out where any other has a share of it.

    Args:
        region_map (torch.Tensor): Numbered regions of the regular view, 0 is
            the ground, (N, H, W), up to 26.
        warp (torch.Tensor): ``guidance_warp``, (N, H, W, 3), as of
            :class:`CharacterRegions`; the nearest pixel is taken.
        grid (Tuple[int, int]): Rows and columns of tokens.
        least (float): The share of a token that a region must have.
    """
    bent = F.grid_sample(region_map[:, None].float(), warp[..., :2].float(),
                         mode='nearest', align_corners=False)[:, 0]
    inside = (warp[..., 2] >= 0.5).float()
    both = torch.stack([region_map.float(), bent * inside], 1).flatten(0, 1)
    numbers = torch.arange(1, MOST_REGIONS + 1, device=both.device)
    shares, most = F.adaptive_avg_pool2d(
        (both[:, None] == numbers[:, None, None]).float(), grid).max(dim=1)
    seen = torch.stack([torch.ones_like(inside), inside], 1).flatten(0, 1)
    return TokenRegions(
        torch.where(shares >= least, most + 1, 0),
        F.adaptive_avg_pool2d(seen, grid) >= 0.5)


@MODELS.register_module()
class CharacterRegions(BaseModule):
    """Finds the same regions in both views, and averages tokens over them.

    As CCD does (arXiv 2211.00288): numbered regions of the regular view are
    carried into the other by what bent it, and an encoder's tokens averaged
    over each, weighted by the share of it that lies in a patch.

    Args:
        grid (Tuple[int, int]): Rows and columns of patches.
        mode (str): How regions are brought to the grid, as in
            ``F.interpolate``: ``'bilinear'`` is CCD's, which looks at four
            pixels of a patch; ``'area'`` looks at all, which larger patches
            need.
        padded (bool): As CCD's code has it, a picture counts for n + 1 places
            of n regions, four at the least; those without a region hold
            zeros. False: for its regions alone.
    """

    def __init__(self, grid: Tuple[int, int] = (8, 32),
                 mode: str = 'bilinear', padded: bool = True) -> None:
        super().__init__()
        self.grid = (grid[0], grid[1])
        self.mode = mode
        self.padded = padded

    def forward(self, glyph_map: torch.Tensor, text: torch.Tensor,
                warp: torch.Tensor) -> Regions:
        """Find regions in both views.

        Args:
            glyph_map (torch.Tensor): Numbered regions of the regular view,
                from 1, (N, H, W).
            text (torch.Tensor): Where it has text, (N, H, W), bool.
            warp (torch.Tensor): From where in it each pixel of the other
                view is, x and y from -1 to 1, and whether that is inside,
                (N, H, W, 3): ``guidance_warp``.
        """
        numbers = torch.arange(1, MOST_REGIONS + 1, device=glyph_map.device)
        regular = torch.cat([glyph_map[:, None] == numbers[:, None, None],
                             text[:, None]], dim=1)
        bent = F.grid_sample(regular.float(), warp[..., :2].float(),
                             align_corners=False)
        bent = bent * warp[:, None, ..., 2] > LEAST_SHARE
        both = torch.cat([regular, bent])
        maps = both[:, :-1]
        found = self.shares(maps[:len(text)]).any(dim=2)
        slots = found
        if self.padded:
            count = found.sum(dim=1, keepdim=True).clamp_min(LEAST_SLOTS)
            slots = numbers - 1 <= count
        return Regions(maps, both[:, -1], slots)

    def shares(self, maps: torch.Tensor) -> torch.Tensor:
        """Shares of regions, (N, R, H, W), in patches, (N, R, L)."""
        scaled = dict(align_corners=False) if self.mode == 'bilinear' else {}
        shares = F.interpolate(maps.float(), self.grid, mode=self.mode,
                               **scaled).flatten(2)
        total = shares.sum(dim=2, keepdim=True)
        return shares / torch.where(total > 0, total, 1.)

    def pool(self, tokens: torch.Tensor, regions: Regions
             ) -> Tuple[torch.Tensor, torch.Tensor]:
        """Average tokens over regions.

        Args:
            tokens (torch.Tensor): Patches of both views, (2N, L, C), those of
                the regular views first.
            regions (Regions): The regions.

        Returns:
            Tuple[torch.Tensor, torch.Tensor]: The regions of each view that
            count, picture by picture, (M, C); zeros where there is none.
        """
        pooled = self.shares(regions.maps).to(tokens) @ tokens
        regular, bent = pooled.chunk(2)
        return regular[regions.slots], bent[regions.slots]
