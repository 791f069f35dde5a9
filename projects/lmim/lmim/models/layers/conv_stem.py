"""Patches embedded by a few small convolutions."""
from typing import Sequence, Tuple

import torch
from mmcv.cnn import ConvModule
from mmocr.models.textrecog.layers import BasicBlock
from torch import nn

from lmim.utils.errors import UserError


class ConvStem(nn.Module):
    """Embed patches by convolutions that overlap, in place of one that does
    not.

    Transformers behind such a stem train faster and need less data (Xiao et
    al., 'Early Convolutions Help Transformers See Better', NeurIPS 2021). Each
    stage halves what is still larger than a patch, and all but the first have
    MMOCR's residual block; the last convolution is the projection.

    Args:
        embed_dims (int): Channels of the tokens, C.
        patch_size (Tuple[int, int]): Height and width of a patch, powers of
            two.
        channels (Sequence[int]): Channels of each stage but the last.

    Raises:
        UserError: If the patch's sides are no powers of two, or there are
            more or fewer channels than stages.
    """

    def __init__(self, embed_dims: int, patch_size: Tuple[int, int],
                 channels: Sequence[int]) -> None:
        super().__init__()
        powers = [side.bit_length() - 1 for side in patch_size]
        if any(side != 1 << power for side, power in zip(patch_size, powers)):
            raise UserError('a convolutional stem halves pictures: the sides '
                            f'of patch_size are powers of two, not '
                            f'{patch_size[0]}x{patch_size[1]}')
        stages = max(powers)
        if len(channels) != stages - 1:
            raise UserError(
                f'a stem for patches of {patch_size[0]}x{patch_size[1]} has '
                f'{stages} stages, and needs channels for all but the last, '
                f'{stages - 1}, not {len(channels)}: change `stem` of the '
                'backbone')
        strides = [(2 if stage < powers[0] else 1,
                    2 if stage < powers[1] else 1)
                   for stage in range(stages)]
        parts = []
        before = 3
        for stage, (width, stride) in enumerate(zip(channels, strides)):
            parts.append(ConvModule(
                before, width, 3, stride, 1, bias=False,
                norm_cfg=dict(type='BN')))
            if stage:
                parts.append(BasicBlock(width, width))
            before = width
        self.stages = nn.Sequential(*parts)
        self.projection = nn.Conv2d(before, embed_dims, strides[-1],
                                    strides[-1])

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
        # The layout that convolutions are fastest in, on CPUs and GPUs.
        images = images.contiguous(memory_format=torch.channels_last)
        patches = self.projection(self.stages(images))
        return (patches.flatten(2).transpose(1, 2),
                (patches.shape[2], patches.shape[3]))
