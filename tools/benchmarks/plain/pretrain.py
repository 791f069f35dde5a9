"""A step of LMIM's pre-training."""
from typing import Any

import torch
import torch.nn.functional as F

from .layers import (Plain, Weights, attend, linear, norm, normalise,
                     vit)

MASK_RATIO = 0.8
DECODER_HEADS = 16


class PlainLMIM(Plain):
    """LMIM by plain operations.

    Args:
        weights (Dict[str, torch.Tensor]): Those of ours, by their names.
        heads (int): Attention heads of the encoder.
    """

    def __init__(self, weights: Weights, heads: int) -> None:
        super().__init__(weights, heads, lr=3e-4, betas=(0.9, 0.95))
        self.drop = 0.1

    def losses(self, *batch: Any, drop: float = 0.1) -> Weights:
        """Both losses.

        Args:
            *batch (torch.Tensor): Images and guidance views, uint8, BGR, each
                (N, 3, H, W); noise (N, L): patches where it is small stay.
            drop (float): Dropout of the decoder.
        """
        images, view, noise = batch
        self.drop = drop
        images, view = normalise(images), normalise(view)
        patches = noise.shape[1]
        kept = noise.argsort(dim=1)[:, :int(patches * (1 - MASK_RATIO)
                                            + 1e-6)]
        removed = torch.ones_like(noise)
        for row, some in zip(removed, kept):
            row[some] = 0
        visible = vit(self.weights, 'backbone', images, self.heads, kept=kept)
        guidance = vit(self.weights, 'backbone', view, self.heads)
        with torch.no_grad():
            target = vit(self.weights, 'target_generator.encoder', images,
                         self.heads)[:, 1:]
            target = F.layer_norm(target, target.shape[2:])
        errors = (self._decode(visible, kept, guidance, patches)
                  - target).pow(2).mean(dim=2)
        return dict(
            loss_recon=(errors * removed).sum() / removed.sum(),
            loss_align=(visible[:, 0] - guidance[:, 0]).pow(2).mean())

    def _decode(self, visible: torch.Tensor, kept: torch.Tensor,
                guidance: torch.Tensor, patches: int) -> torch.Tensor:
        """Predictions (N, L, D) from visible (N, 1 + K, C) tokens."""
        weights, drop = self.weights, self.drop
        seen = linear(weights, 'neck.decoder_embed', visible)
        rows = []
        for mine, some in zip(seen, kept):
            row = weights['neck.mask_token'][0].repeat(1 + patches, 1)
            row[0] = mine[0]
            row[1 + some] = mine[1:]
            rows.append(row)
        x = torch.stack(rows) + weights['neck.decoder_pos_embed']
        memory = linear(weights, 'neck.decoder_embed2', guidance)
        number = 0
        while f'neck.decoder_blocks.{number}.norm1.weight' in weights:
            block = f'neck.decoder_blocks.{number}'
            y = self._attention(f'{block}.self_attn', x, x)
            x = norm(weights, f'{block}.norm1', x + F.dropout(y, drop))
            y = self._attention(f'{block}.multihead_attn', x, memory)
            x = norm(weights, f'{block}.norm2', x + F.dropout(y, drop))
            y = F.dropout(F.gelu(linear(weights, f'{block}.linear1', x)),
                          drop)
            y = F.dropout(linear(weights, f'{block}.linear2', y), drop)
            x = norm(weights, f'{block}.norm3', x + y)
            number += 1
        x = norm(weights, 'neck.decoder_norm', x)
        return linear(weights, 'neck.decoder_pred', x)[:, 1:]

    def _attention(self, name: str, x: torch.Tensor,
                   memory: torch.Tensor) -> torch.Tensor:
        """Attention of x (N, T, C) to memory (N, S, C)."""
        parts = zip(self.weights[f'{name}.in_proj_weight'].chunk(3),
                    self.weights[f'{name}.in_proj_bias'].chunk(3),
                    (x, memory, memory))
        query, keys, values = (F.linear(tokens, weight, bias)
                               for weight, bias, tokens in parts)
        y = attend(query, keys, values, DECODER_HEADS, drop=self.drop)
        return linear(self.weights, f'{name}.out_proj', y)
