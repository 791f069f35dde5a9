"""A decoder that paints a word in a style."""
import math
from typing import Any, List, Optional, Sequence, Tuple

import torch
from mmengine.model import BaseModule
from mmocr.registry import MODELS
from torch import nn

from lmim.utils.errors import UserError

from ..layers import init_transformer
from ..textrecog.transformer_decoder import TextTransformerDecoderLayer


@MODELS.register_module()
class PromptedPainter(BaseModule):
    """Paints the characters of a prompt in the style of a picture.

    After the image decoder of DARLING (CVPR 2024, arXiv 2405.04377). Patches
    of style, with positions, pass blocks that attend to themselves and to the
    characters of the prompt, and become pixels. A prompt of the end alone
    paints the picture without its text.

    With ``inject='gated'`` each block begins by adding patches of a block of
    the encoder, the last first: ``h + g * W f``, ``g = sigmoid(G [h; W f])``.
    These know the word that the picture shows, past the split of style and
    content; ``'none'`` leaves them out.

    Args:
        in_dims (int): Channels of the encoder, C.
        style_dims (int, optional): Of style. Defaults to C / 2.
        embed_dims (int): Channels of the painter, D.
        num_layers (int): Blocks.
        num_heads (int): Attention heads of a block.
        head_dims (int, optional): Channels of a head. Defaults to D / heads.
        feedforward_channels (int, optional): Defaults to 4 D.
        num_classes (int): Of characters, as the reader's.
        max_seq_len (int): Most characters of a prompt, T.
        padding_idx (int): The class that fills a prompt up.
        grid (Tuple[int, int]): Rows and columns of patches, L in all.
        patch_size (Tuple[int, int]): Height and width of a patch.
        inject (str): ``'gated'`` or ``'none'``.
        init_cfg (dict, optional): Initialisation config.

    Raises:
        UserError: If ``inject`` is another.
    """

    def __init__(self,
                 in_dims: int = 384,
                 style_dims: Optional[int] = None,
                 embed_dims: int = 256,
                 num_layers: int = 4,
                 num_heads: int = 8,
                 head_dims: Optional[int] = None,
                 feedforward_channels: Optional[int] = None,
                 num_classes: int = 97,
                 max_seq_len: int = 25,
                 padding_idx: int = 95,
                 grid: Tuple[int, int] = (8, 32),
                 patch_size: Tuple[int, int] = (4, 4),
                 inject: str = 'gated',
                 init_cfg: Optional[dict] = None) -> None:
        super().__init__(init_cfg)
        if inject not in ('gated', 'none'):
            raise UserError("inject must be 'gated' or 'none', got "
                            f'{inject!r}')
        self.padding_idx = padding_idx
        self.grid = (grid[0], grid[1])
        self.patch_size = (patch_size[0], patch_size[1])
        self.num_layers = num_layers
        self.image_pos = nn.Parameter(
            torch.zeros(math.prod(self.grid), embed_dims))
        self.positions = nn.Parameter(torch.zeros(max_seq_len, embed_dims))
        self.style_embed = nn.Linear(style_dims or in_dims // 2, embed_dims)
        self.prompt_embed = nn.Embedding(num_classes, embed_dims)
        injected = num_layers if inject == 'gated' else 0
        self.injections = nn.ModuleList(
            nn.Linear(in_dims, embed_dims) for _ in range(injected))
        self.gates = nn.ModuleList(
            nn.Linear(2 * embed_dims, embed_dims) for _ in range(injected))
        width = head_dims or embed_dims // num_heads
        self.layers = nn.ModuleList(
            TextTransformerDecoderLayer(
                embed_dims, feedforward_channels or 4 * embed_dims, num_heads,
                width, width, dropout=0.) for _ in range(num_layers))
        self.norm = nn.LayerNorm(embed_dims, eps=1e-6)
        self.pred = nn.Linear(embed_dims, 3 * math.prod(self.patch_size))

    def init_weights(self) -> None:
        """Xavier-uniform linear layers, positions from N(0, 0.02)."""
        super().init_weights()
        init_transformer(self)
        for table in (self.image_pos, self.positions):
            nn.init.normal_(table, std=0.02)

    def taps(self, num_blocks: int) -> Tuple[int, ...]:
        """The blocks of an encoder of so many that are injected, in order.

        Raises:
            UserError: If the encoder has fewer.
        """
        count = len(self.injections)
        if count > num_blocks:
            raise UserError(f'the painter has {count} blocks, each for one of '
                            f'the encoder, which has {num_blocks}: lower '
                            "neck.num_layers, or give neck.inject='none'")
        return tuple(range(num_blocks - count + 1, num_blocks + 1))

    def forward(self, style: torch.Tensor, prompt: torch.Tensor,
                tapped: Sequence[torch.Tensor] = ()) -> torch.Tensor:
        """Paint pictures.

        Args:
            style (torch.Tensor): (N, L, style_dims).
            prompt (torch.Tensor): Classes of the characters, the end
                included, then padding, int64 (N, T).
            tapped (Sequence[torch.Tensor]): Patches after the blocks of
                :meth:`taps`, (N, L, C), not needed with ``inject='none'``.

        Returns:
            torch.Tensor: Normalised pictures, (N, 3, H, W).
        """
        tokens = self.style_embed(style) + self.image_pos
        characters = (self.prompt_embed(prompt)
                      + self.positions[:prompt.shape[1]])
        hidden = (prompt == self.padding_idx)[:, None, None]

        def weigh(query: torch.Tensor, key: torch.Tensor) -> torch.Tensor:
            scores = query @ key.transpose(2, 3) * query.shape[-1]**-0.5
            return scores.masked_fill(hidden, float('-inf')).softmax(dim=-1)

        layer: Any
        for number, layer in enumerate(self.layers):
            if self.injections:
                update = self.injections[number](tapped[-1 - number])
                tokens = tokens + self.gate(number, tokens, update) * update
            tokens = layer(tokens, layer.memorize(characters), weigh=weigh)
        return self.joined(self.pred(self.norm(tokens)))

    def gate(self, number: int, tokens: torch.Tensor,
             update: torch.Tensor) -> torch.Tensor:
        """How much of an injected update a block takes, (N, L, D)."""
        return self.gates[number](torch.cat([tokens, update], dim=2)).sigmoid()

    def joined(self, patches: torch.Tensor) -> torch.Tensor:
        """Patches (N, L, height * width * 3) as pictures (N, 3, H, W)."""
        cells = patches.unflatten(2, (*self.patch_size, 3)).unflatten(
            1, self.grid)
        return cells.permute(0, 5, 1, 3, 2, 4).flatten(4).flatten(2, 3)


def emptied(prompt: torch.Tensor, end_idx: int,
            padding_idx: int) -> torch.Tensor:
    """Prompts (N, T) of the end alone, which paint no text."""
    empty = torch.full_like(prompt, padding_idx)
    empty[:, 0] = end_idx
    return empty


def prompts_of(probs: torch.Tensor, most: int, end_idx: int,
               padding_idx: int) -> torch.Tensor:
    """Prompts (N, most) of what was read, probabilities (N, T, classes)."""
    rows: List[torch.Tensor] = []
    for word in probs.argmax(dim=2)[:, :most - 1]:
        ends = (word == end_idx).nonzero()
        word = word[:int(ends[0])] if len(ends) else word
        row = torch.full((most, ), padding_idx, device=word.device)
        row[:len(word)] = word
        row[len(word)] = end_idx
        rows.append(row)
    return torch.stack(rows)
