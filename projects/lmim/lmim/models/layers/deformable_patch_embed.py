"""Patches whose pixels move with the word."""
from typing import Dict, Tuple

import torch
from torch import nn

from lmim.ops import deform_conv2d


class DeformablePatchEmbed(nn.Module):
    """Embed patches by a deformable convolution (v2).

    Each pixel of a patch is read beside its place and weighed, by what two
    small convolutions see of the patch and its neighbours, so that patches
    can follow a bent or slanted word. At its start nothing is moved and every
    pixel counts half, for which the weights are twice those of a linear patch
    embedding: it gives the same tokens.

    Args:
        embed_dims (int): Channels of the tokens, C.
        patch_size (Tuple[int, int]): Height and width of a patch.
        offset_dims (int): Channels between the two convolutions.
    """

    def __init__(self, embed_dims: int, patch_size: Tuple[int, int],
                 offset_dims: int = 32) -> None:
        super().__init__()
        taps = patch_size[0] * patch_size[1]
        self.patch_size = patch_size
        #: Holds the weights, under the names of a linear embedding's.
        self.projection = nn.Conv2d(3, embed_dims, patch_size, patch_size)
        self.context = nn.Sequential(
            nn.Conv2d(3, offset_dims, patch_size, patch_size), nn.GELU())
        #: As in DCNv2: offsets of rows and columns, then masks.
        self.conv_offset = nn.Conv2d(offset_dims, 3 * taps, 3, padding=1)
        for value in self.conv_offset.parameters():
            nn.init.zeros_(value)

    def forward(
            self,
            images: torch.Tensor) -> Tuple[torch.Tensor, Tuple[int, int]]:
        """Embed the patches of images.

        Args:
            images (torch.Tensor): Normalised images, (N, 3, H, W).

        Returns:
            Tuple[torch.Tensor, Tuple[int, int]]: Tokens (N, L, C), and the
            rows and columns of their grid, as mmpretrain's ``PatchEmbed``.
        """
        offset, mask = self.moves(images)
        patches = deform_conv2d(
            images, offset, self.projection.weight, self.projection.bias,
            stride=self.patch_size, mask=mask)
        return (patches.flatten(2).transpose(1, 2),
                (patches.shape[2], patches.shape[3]))

    def moves(self,
              images: torch.Tensor) -> Tuple[torch.Tensor, torch.Tensor]:
        """How far pixels are read from their places, and their weights.

        Args:
            images (torch.Tensor): Normalised images, (N, 3, H, W).

        Returns:
            Tuple: Offsets in pixels, row and column of each pixel of a patch,
            (N, 2 * height * width, rows, columns); weights from 0 to 1,
            (N, height * width, rows, columns).
        """
        found = self.conv_offset(self.context(images))
        taps = found.shape[1] // 3
        return found[:, :2 * taps], found[:, 2 * taps:].sigmoid()

    def start_as_linear(self) -> None:
        """Take the weights for those of a linear embedding."""
        self.projection.weight.data.mul_(2)

    def take_linear(self, weights: Dict[str, torch.Tensor],
                    prefix: str) -> None:
        """Let the weights of a linear embedding be loaded, in place.

        What they lack is added as it is at the start, and the projection is
        doubled. Weights of such an embedding as this are left as they are.

        Args:
            weights (Dict[str, torch.Tensor]): Weights by name.
            prefix (str): What the names of this part begin with.
        """
        projection = f'{prefix}projection.weight'
        if projection not in weights or any(
                name.startswith(f'{prefix}conv_offset') for name in weights):
            return
        weights[projection] = 2 * weights[projection]
        for name, value in self.state_dict().items():
            if not name.startswith('projection'):
                weights[prefix + name] = torch.zeros_like(
                    value) if name.startswith('conv_offset') else value
