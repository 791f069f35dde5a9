"""The text ViT as a masked autoencoder's encoder."""
from typing import Any, Optional, Tuple, Union

import torch
from mmocr.registry import MODELS
from torch import nn

from lmim.utils.errors import UserError

from ..layers import ConvStem
from .text_vit import TextViT


@MODELS.register_module()
class MaskedViT(TextViT):
    """Encodes the visible patches only, or whole images on request.

    Args:
        mask (dict): Mask generator: ``RandomMasking``, ``BlockMasking``, or
            one that depends on the images, as ``InkMasking``.
        **kwargs: As in :class:`TextViT`.
    """

    def __init__(self,
                 mask: dict = dict(type='RandomMasking', ratio=0.8),
                 **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.mask = MODELS.build(mask)
        num_patches = self.grid[0] * self.grid[1]
        if self.mask.num_keep(num_patches) < 1:
            raise UserError(
                f'mask ratio {self.mask.ratio} leaves none of the '
                f'{num_patches} patches visible: lower backbone.mask.ratio')

    def forward(
        self,
        images: torch.Tensor,
        mask: bool = True,
        noise: Optional[torch.Tensor] = None,
        aspect: Optional[torch.Tensor] = None,
        features: Optional[torch.Tensor] = None
    ) -> Union[torch.Tensor, Tuple[torch.Tensor, torch.Tensor, torch.Tensor]]:
        """Encode images, masked or whole.

        Args:
            images (torch.Tensor): Normalised images, (N, 3, H, W).
            mask (bool): Whether to hide patches.
            noise (torch.Tensor, optional): Noise that decides which patches
                are hidden, (N, L), instead of a random draw.
            aspect (torch.Tensor, optional): Width / height of the images
                before they were resized, (N, ), for masks that need it.
            features (torch.Tensor, optional): Of the patches, (N, L, C), for
                masks that need them.

        Returns:
            torch.Tensor | Tuple: Whole: tokens (N, 1 + L, C). Masked: visible
            tokens (N, 1 + K, C) with [CLS] first; the mask (N, L), 0 is keep,
            1 is remove; and ``ids_restore`` (N, L).
        """
        if not mask:
            return super().forward(images)
        masking = self.mask(
            len(images), self.grid, images.device, noise,
            dict(images=images, aspect=aspect, features=features))
        if isinstance(self.patch_embed, ConvStem):
            # Its convolutions overlap: they must not see what is hidden.
            shown = 1 - masking.mask.unflatten(1, self.grid).to(images.dtype)
            images = images * nn.functional.interpolate(
                shown[:, None], scale_factor=self.patch_size)
        patches = self.embed(images)
        ids_keep = masking.ids_keep.unsqueeze(-1).expand(
            -1, -1, self.embed_dims)
        visible = patches.gather(1, ids_keep)
        return self.encode(visible), masking.mask, masking.ids_restore
