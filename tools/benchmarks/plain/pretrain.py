"""A step of LMIM's pre-training."""
from contextlib import nullcontext
from typing import Callable, ContextManager, Dict, Tuple

import torch
import torch.nn.functional as F

from .layers import Weights, attend, linear, norm, trained_groups
from .vit import normalise, vit


class PlainLMIM:
    """LMIM by plain operations in fp32, with AdamW tensor by tensor.

    Args:
        weights (Dict[str, torch.Tensor]): Those of the model.
        heads (int): Attention heads of the encoder.
        mask_ratio (float): Share of patches that are hidden.
        decoder_heads (int): Attention heads of the decoder.
    """

    def __init__(self, weights: Weights, heads: int, mask_ratio: float = 0.8,
                 decoder_heads: int = 16) -> None:
        self.weights = weights
        self.heads = heads
        self.mask_ratio = mask_ratio
        self.drop = 0.1
        self.decoder_heads = decoder_heads
        self.optimizer = torch.optim.AdamW(
            trained_groups(weights), lr=3e-4, betas=(0.9, 0.95),
            foreach=False)

    def losses(self, images: torch.Tensor, view: torch.Tensor,
               noise: torch.Tensor,
               drop: float = 0.1) -> Dict[str, torch.Tensor]:
        """Both losses.

        Args:
            images (torch.Tensor): uint8, BGR, (N, 3, H, W).
            view (torch.Tensor): The guidance view, of the same shape.
            noise (torch.Tensor): The patches where it is small are kept,
                (N, L).
            drop (float): Dropout of the decoder.
        """
        self.drop = drop
        images, view = normalise(images), normalise(view)
        patches = noise.shape[1]
        kept = noise.argsort(dim=1)[:, :int(patches * (1 - self.mask_ratio)
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

    def step(self, images: torch.Tensor, view: torch.Tensor,
             noise: torch.Tensor,
             context: Callable[[], ContextManager] = nullcontext) -> None:
        """Losses in some context, gradients, new weights.

        The other arguments are those of :meth:`losses`.
        """
        with context():
            losses = self.losses(images, view, noise)
        self.optimizer.zero_grad()
        (losses['loss_recon'] + losses['loss_align']).backward()
        self.optimizer.step()

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
        for block in _blocks(weights):
            y = self._attention(f'{block}.self_attn', x, x)
            x = norm(weights, f'{block}.norm1', x + F.dropout(y, drop))
            y = self._attention(f'{block}.multihead_attn', x, memory)
            x = norm(weights, f'{block}.norm2', x + F.dropout(y, drop))
            y = F.dropout(F.gelu(linear(weights, f'{block}.linear1', x)),
                          drop)
            y = F.dropout(linear(weights, f'{block}.linear2', y), drop)
            x = norm(weights, f'{block}.norm3', x + y)
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
        y = attend(query, keys, values, self.decoder_heads, drop=self.drop)
        return linear(self.weights, f'{name}.out_proj', y)


def _blocks(weights: Weights) -> Tuple[str, ...]:
    """Names of the decoder's blocks, in order."""
    prefix = 'neck.decoder_blocks.'
    numbers = {int(name[len(prefix):].split('.')[0]) for name in weights
               if name.startswith(prefix)}
    return tuple(f'{prefix}{number}' for number in sorted(numbers))
