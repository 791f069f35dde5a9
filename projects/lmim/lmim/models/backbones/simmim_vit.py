"""The text ViT that sees hidden patches as one token."""
from typing import Any, Optional, Tuple, Union

import torch
from mmocr.registry import MODELS
from torch import nn

from .masked_vit import MaskedViT
from .text_vit import TextViT, check_size


@MODELS.register_module()
class SimMIMViT(MaskedViT):
    """Encodes all patches, the hidden ones as a learned token.

    As SimMIM (arXiv 2111.09886) masks: the token stands in for the embedded
    patch, before positions are added. What is encoded costs as much as a
    whole image, where :class:`MaskedViT` encodes the visible patches alone.

    Args:
        normed (bool): Whether tokens pass the final norm. DiG has none in
            pre-training, and fine-tunes with a fresh one: without ``normed``
            it is kept as it was initialised, for checkpoints, and not used.
        **kwargs: As in :class:`MaskedViT`.
    """

    def __init__(self, normed: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.mask_token = nn.Parameter(torch.zeros(1, 1, self.embed_dims))
        self.normed = normed
        # Parameters without gradients would stop distributed training.
        self.ln1.requires_grad_(normed)

    def init_weights(self) -> None:
        """Initialise as :class:`TextViT`, the token from N(0, 0.02)."""
        super().init_weights()
        nn.init.normal_(self.mask_token, std=0.02)

    def forward(  # type: ignore[override]
        self,
        images: torch.Tensor,
        mask: Union[bool, torch.Tensor] = True,
        noise: Optional[torch.Tensor] = None,
        aspect: Optional[torch.Tensor] = None,
        features: Optional[torch.Tensor] = None
    ) -> Union[torch.Tensor, Tuple[torch.Tensor, torch.Tensor]]:
        """Encode images, masked or whole.

        Args:
            images (torch.Tensor): Normalised images, (N, 3, H, W).
            mask (bool | torch.Tensor): Whether to hide patches, or which,
                (N, L), 1 is hide.
            noise (torch.Tensor, optional): As in :class:`MaskedViT`, and so
                are ``aspect`` and ``features``.
            aspect (torch.Tensor, optional): (N, ).
            features (torch.Tensor, optional): (N, L, C).

        Returns:
            torch.Tensor | Tuple: Tokens (N, 1 + L, C), [CLS] first; of masked
            images also the mask (N, L), 0 is keep, 1 is hide.
        """
        if mask is False:
            return TextViT.forward(self, images)
        check_size(images, self.img_size)
        if not isinstance(mask, torch.Tensor):
            mask = self.draw_masks(images, noise, aspect, features).mask
        patches = self.patch_embed(self.blanked(images, mask))[0]
        hidden = mask.bool().unsqueeze(-1)
        patches = torch.where(hidden, self.mask_token.to(patches), patches)
        return self.encode(self.add_positions(patches),
                           grid=self.grid_of(images)), mask

    def encode(self, patches: torch.Tensor,
               where: Optional[torch.Tensor] = None,
               grid: Optional[Tuple[int, int]] = None) -> torch.Tensor:
        """Run the transformer, with the final norm if ``normed``."""
        run = super().encode if self.normed else self.run_blocks
        return run(patches, where, grid)
