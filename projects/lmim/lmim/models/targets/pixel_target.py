"""Pixels as the target."""
from typing import Optional, Tuple, Union

import torch
from mmengine.model import BaseModule
from mmocr.registry import MODELS

from lmim.utils.errors import UserError


@MODELS.register_module()
class PixelTarget(BaseModule):
    """The pixels of each patch, as MAE reconstructs them.

    Args:
        patch_size (int | Tuple[int, int]): Height and width of a patch.
        norm_pix (bool | str): Normalise each patch by its own mean and
            standard deviation; ``'channel'``: each channel of it by those of
            the channel, as an option of DiG's code does.
        cell (Tuple[int, int], optional): Height and width in pixels of what is
            normalised together, a multiple of the patch's. Defaults to the
            patch. Of patches of a pixel or two nothing would be left: with
            cells of 4x4 each pixel has the target that it has in a patch of
            that size.
        unit (bool): Take pixels of normalised images, from -1 to 1, as from
            0 to 1, as DiG and SSM do. With ``norm_pix`` it makes no
            difference.

    Raises:
        UserError: If patches do not fill a cell.
    """

    def __init__(self,
                 patch_size: Union[int, Tuple[int, int]] = 4,
                 norm_pix: Union[bool, str] = True,
                 cell: Optional[Tuple[int, int]] = None,
                 unit: bool = False) -> None:
        super().__init__()
        if isinstance(patch_size, int):
            patch_size = (patch_size, patch_size)
        self.patch_size = (int(patch_size[0]), int(patch_size[1]))
        self.cell = (self.patch_size if cell is None
                     else (int(cell[0]), int(cell[1])))
        if any(whole < 1 or whole % part
               for whole, part in zip(self.cell, self.patch_size)):
            raise UserError(
                'what PixelTarget normalises together is whole patches of '
                f'{self.patch_size[0]}x{self.patch_size[1]} pixels, and cell '
                f'is {self.cell[0]}x{self.cell[1]}')
        self.norm_pix = norm_pix
        self.unit = unit
        self.out_dims = 3 * patch_size[0] * patch_size[1]

    @torch.no_grad()
    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Cut images into patches.

        Args:
            images (torch.Tensor): Normalised images, (N, 3, H, W).

        Returns:
            torch.Tensor: (N, L, height * width * 3), pixels of a patch row by
            row, channels last.
        """
        patches = self.cut(images)
        if not self.norm_pix:
            return (patches + 1) / 2 if self.unit else patches
        mean, std = self._look(images)
        return (patches - mean) / std

    def pixels_of(self, pred: torch.Tensor,
                  images: torch.Tensor) -> torch.Tensor:
        """Undo the normalisation of what was predicted for images.

        Args:
            pred (torch.Tensor): As :meth:`forward` gives targets.
            images (torch.Tensor): Normalised images, (N, 3, H, W), whose
                patches' mean and deviation are taken where they are needed.

        Returns:
            torch.Tensor: Of the images' range, of the shape of ``pred``.
        """
        if not self.norm_pix:
            return 2 * pred - 1 if self.unit else pred
        mean, std = self._look(images)
        return pred * std + mean

    def cut(self, images: torch.Tensor) -> torch.Tensor:
        """Cut images into patches, as they are."""
        return self._cut(images, self.patch_size)

    @staticmethod
    def _cut(images: torch.Tensor, size: Tuple[int, int]) -> torch.Tensor:
        height, width = size
        patches = images.float().unflatten(3, (-1, width))
        patches = patches.unflatten(2, (-1, height))
        return patches.permute(0, 2, 4, 3, 5, 1).flatten(3).flatten(1, 2)

    def _look(self, images: torch.Tensor
              ) -> Tuple[torch.Tensor, torch.Tensor]:
        """Mean and standard deviation for each patch, (N, L, 1 or D)."""
        found = self._statistics(self._cut(images, self.cell))
        if self.cell == self.patch_size:
            return found
        rows = images.shape[2] // self.cell[0]
        mean, std = (self.cut(_enlarge(each, rows, self.cell).expand(
            -1, 3, -1, -1)) for each in found)
        return mean, std

    def _statistics(self, patches: torch.Tensor
                    ) -> Tuple[torch.Tensor, torch.Tensor]:
        """Mean and standard deviation of each patch, (N, L, 1 or D)."""
        if self.norm_pix == 'channel':
            colours = patches.unflatten(-1, (-1, 3))
            # As of pixels from 0 to 1, whose deviations are half as large.
            mean = colours.mean(dim=-2, keepdim=True)
            std = colours.std(dim=-2, keepdim=True) + 2e-6
            return (mean.expand_as(colours).flatten(-2),
                    std.expand_as(colours).flatten(-2))
        variance = patches.var(dim=-1, keepdim=True)
        return patches.mean(dim=-1, keepdim=True), (variance + 1e-6)**0.5


def _enlarge(values: torch.Tensor, rows: int,
             cell: Tuple[int, int]) -> torch.Tensor:
    """What each cell has, (N, L, 1 or D), at its pixels, (N, 1 or 3, H, W)."""
    # Of each channel it is the same for all pixels.
    maps = values[..., :3].unflatten(1, (rows, -1)).permute(0, 3, 1, 2)
    return maps.repeat_interleave(cell[0], 2).repeat_interleave(cell[1], 3)
