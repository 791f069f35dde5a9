"""The text ViT as a masked autoencoder's encoder."""
from typing import Any, Optional, Tuple, Union

import torch
from mmocr.registry import MODELS
from torch import nn

from lmim.utils.errors import UserError

from ..layers import ConvStem, DeformablePatchEmbed, Masking
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
        masking = self.draw_masks(images, noise, aspect, features)
        patches = self.embed(self.blanked(images, masking.mask))
        ids_keep = masking.ids_keep.unsqueeze(-1).expand(
            -1, -1, self.embed_dims)
        visible = patches.gather(1, ids_keep)
        tokens = self.encode(visible, masking.ids_keep, self.grid_of(images))
        return tokens, masking.mask, masking.ids_restore

    def draw_masks(self, images: torch.Tensor, noise: Optional[torch.Tensor],
                   aspect: Optional[torch.Tensor],
                   features: Optional[torch.Tensor]) -> Masking:
        """Choose what is hidden of images; arguments as of ``forward``."""
        return self.mask(
            len(images), self.grid_of(images), images.device, noise,
            dict(images=images, aspect=aspect, features=features))

    def blanked(self, images: torch.Tensor,
                mask: torch.Tensor) -> torch.Tensor:
        """Images without what is hidden, where other patches would see it.

        Those of a stem overlap, and deformable ones move; a linear layer sees
        each patch by itself, and the images are given back as they are.
        """
        if not isinstance(self.patch_embed, (ConvStem, DeformablePatchEmbed)):
            return images
        shown = 1 - mask.unflatten(1, self.grid_of(images)).to(images.dtype)
        return images * nn.functional.interpolate(
            shown[:, None], scale_factor=self.patch_size)
