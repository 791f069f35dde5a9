"""What the decoders of masked image modelling share."""
from typing import Optional, Tuple, Union

import torch
from mmengine.model import BaseModule
from torch import nn

from ..layers import build_positions, init_transformer


class MaskedDecoder(BaseModule):
    """Puts mask tokens where patches are missing and adds positions.

    Args:
        in_dims (int): Channels of the encoder's tokens.
        embed_dims (int): Channels of the decoder, C.
        out_dims (int): Channels of the target.
        grid (Tuple[int, int]): Rows and columns of patches, L in all.
        extra_dims (int): Channels that are predicted beside those of the
            target.
        pos_embed (str): Positions of a ``'square'`` grid, as published, of
            the true ``'grid'``, or ``'learned'`` ones.
        init_cfg (dict, optional): Initialisation config.
    """

    def __init__(self,
                 in_dims: int,
                 embed_dims: int,
                 out_dims: int,
                 grid: Tuple[int, int] = (8, 32),
                 pos_embed: str = 'square',
                 extra_dims: int = 0,
                 init_cfg: Optional[Union[dict, list]] = None) -> None:
        super().__init__(init_cfg)
        self.out_dims = out_dims
        self.decoder_embed = nn.Linear(in_dims, embed_dims)
        self.mask_token: Optional[nn.Parameter] = nn.Parameter(
            torch.zeros(1, 1, embed_dims))
        self.decoder_pos_embed = nn.Parameter(
            build_positions(pos_embed, (grid[0], grid[1]), embed_dims),
            requires_grad=pos_embed == 'learned')
        self.decoder_norm = nn.LayerNorm(embed_dims, eps=1e-6)
        self.decoder_pred = nn.Linear(embed_dims, out_dims + extra_dims)

    def init_weights(self) -> None:
        """Xavier-uniform linear layers, mask token from N(0, 0.02)."""
        super().init_weights()
        init_transformer(self)
        if self.mask_token is not None:
            nn.init.normal_(self.mask_token, std=0.02)

    def fill_in(self, visible: torch.Tensor,
                ids_restore: torch.Tensor) -> torch.Tensor:
        """Embed visible tokens and complete them with mask tokens.

        Args:
            visible (torch.Tensor): [CLS] and visible tokens of the encoder,
                (N, 1 + K, in_dims).
            ids_restore (torch.Tensor): Where each patch is found among kept
                and removed ones, (N, L).

        Returns:
            torch.Tensor: [CLS] and all patches in their places, with
            positions, (N, 1 + L, C).
        """
        tokens = self.decoder_embed(visible)
        batch, num_patches = ids_restore.shape
        missing = num_patches + 1 - tokens.shape[1]
        assert self.mask_token is not None
        # Under autocast the linear layer's output is of lower precision.
        mask_tokens = self.mask_token.to(tokens.dtype).expand(
            batch, missing, -1)
        patches = torch.cat([tokens[:, 1:], mask_tokens], dim=1)
        index = ids_restore.unsqueeze(-1).expand(-1, -1, patches.shape[-1])
        patches = patches.gather(1, index)
        tokens = torch.cat([tokens[:, :1], patches], dim=1)
        return tokens + self.decoder_pos_embed

    def predict(self, tokens: torch.Tensor) -> torch.Tensor:
        """Map tokens (N, 1 + L, C) to the target's space, (N, L, out_dims).

        ``extra_dims`` come on top where there are any. [CLS] is dropped:
        nothing is reconstructed from it.
        """
        return self.decoder_pred(self.decoder_norm(tokens))[:, 1:]
