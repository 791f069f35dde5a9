"""Pixels as the target."""
from typing import Tuple, Union

import torch
from mmengine.model import BaseModule
from mmocr.registry import MODELS


@MODELS.register_module()
class PixelTarget(BaseModule):
    """The pixels of each patch, as MAE reconstructs them.

    Args:
        patch_size (int | Tuple[int, int]): Height and width of a patch.
        norm_pix (bool): Normalise each patch by its own mean and standard
            deviation.
    """

    def __init__(self,
                 patch_size: Union[int, Tuple[int, int]] = 4,
                 norm_pix: bool = True) -> None:
        super().__init__()
        if isinstance(patch_size, int):
            patch_size = (patch_size, patch_size)
        self.patch_size = tuple(patch_size)
        self.norm_pix = norm_pix
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
        height, width = self.patch_size
        patches = images.float().unflatten(3, (-1, width))
        patches = patches.unflatten(2, (-1, height))
        patches = patches.permute(0, 2, 4, 3, 5, 1).flatten(3).flatten(1, 2)
        if not self.norm_pix:
            return patches
        mean = patches.mean(dim=-1, keepdim=True)
        variance = patches.var(dim=-1, keepdim=True)
        return (patches - mean) / (variance + 1e-6)**0.5
