"""A decoder that is told what to rebuild."""
import math
from typing import Any

import torch
from mmocr.registry import MODELS
from torch import nn

from .mae_decoder import MAEDecoder


@MODELS.register_module()
class PromptedDecoder(MAEDecoder):
    """SSM's decoder: all patches, and in front a token that asks for one.

    Args:
        num_prompts (int): What can be asked for.
        embed_dims (int): Channels of the decoder, C.
        **kwargs: As in :class:`MAEDecoder`.
    """

    def __init__(self,
                 num_prompts: int = 4,
                 embed_dims: int = 256,
                 **kwargs: Any) -> None:
        super().__init__(embed_dims=embed_dims, **kwargs)
        self.mask_token = None  # nothing is hidden
        self.prompts = nn.Embedding(num_prompts, embed_dims)

    def forward(  # type: ignore[override]
            self, patches: torch.Tensor, prompt: torch.Tensor) -> torch.Tensor:
        """Decode patches; :meth:`pixels` makes predictions of the result.

        Args:
            patches (torch.Tensor): The encoder's, (N, L, in_dims).
            prompt (torch.Tensor): What each image is asked for, int64 (N, ).

        Returns:
            torch.Tensor: Patches after the final norm, (N, L, C).
        """
        width = self.prompts.embedding_dim
        asked = self.prompts(prompt)[:, None] * math.sqrt(width)
        tokens = self.decoder_embed(patches)
        # The prompt's position is that of [CLS], zero.
        tokens = torch.cat([asked.to(tokens.dtype), tokens], dim=1)
        tokens = tokens + self.decoder_pos_embed
        for block in self.decoder_blocks:
            tokens = block(tokens)
        return self.decoder_norm(tokens)[:, 1:]

    def pixels(self, decoded: torch.Tensor) -> torch.Tensor:
        """Predict the target of decoded patches, (N, L, out_dims)."""
        return self.decoder_pred(decoded)
