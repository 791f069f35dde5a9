"""Rotary positions: queries and keys turn by angles of their place.

RoFormer (arXiv 2104.09864) for sequences; axial and mixed angles for pictures
as of RoPE-ViT (arXiv 2403.13298), coordinates also as of DINOv3 (arXiv
2508.10104) and EVA-02 (arXiv 2303.11331).
"""
import math
from typing import Any, NamedTuple, Optional, Tuple

import torch
import torch.nn.functional as F
from mmocr.registry import MODELS
from mmpretrain.models.backbones.vision_transformer import \
    TransformerEncoderLayer
from mmpretrain.models.utils import MultiheadAttention
from torch import nn

from lmim.utils.errors import UserError

from .attention import is_traced

#: How places are counted; see :class:`Rotary`.
COORDS = ('index', 'separate', 'max', 'min', 'stretched')
#: Steps that EVA-02 stretches each side to.
STRETCHED = 16


def rotate(tokens: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor,
           halves: bool = False) -> torch.Tensor:
    """Turn pairs of channels: (x, y) -> (x cos - y sin, x sin + y cos).

    Neighbours are complex numbers in memory. A CPU multiplies them as such,
    in fp32: 257 tokens of 6 heads, batch 8, took 1.4 ms, and 8.9 ms by their
    parts. Complex numbers cannot be exported, nor compiled to fast code.

    Args:
        tokens (torch.Tensor): Queries or keys, (..., T, d).
        cos (torch.Tensor): Of the angle of each pair, broadcastable to
            (..., T, d / 2), in fp32: in less the angles of far places
            would be the same.
        sin (torch.Tensor): Likewise.
        halves (bool): Pairs are channels i and i + d / 2, as in DINOv3,
            instead of 2i and 2i + 1.

    Returns:
        torch.Tensor: (..., T, d).
    """
    if not halves and tokens.device.type == 'cpu' and not is_traced():
        pairs = torch.view_as_complex(tokens.float().unflatten(-1, (-1, 2)))
        pairs = pairs * torch.complex(cos, sin)
        return torch.view_as_real(pairs).flatten(-2).to(tokens.dtype)
    cos, sin = cos.to(tokens.dtype), sin.to(tokens.dtype)
    x, y = (tokens.chunk(2, dim=-1) if halves else
            tokens.unflatten(-1, (-1, 2)).unbind(-1))
    turned = x * cos - y * sin, x * sin + y * cos
    if halves:
        return torch.cat(turned, dim=-1)
    return torch.stack(turned, dim=-1).flatten(-2)


def frequencies(theta: float, pairs: int, device: Any = None
                ) -> torch.Tensor:
    """theta^(-i / pairs) for pairs i = 0, 1 ..., (pairs, ) in fp32."""
    return theta**(torch.arange(
        pairs, dtype=torch.float32, device=device) / -pairs)


def coordinates(kind: str, rows: int, columns: int, device: Any = None
                ) -> Tuple[torch.Tensor, torch.Tensor]:
    """Coordinates of the rows and of the columns of a grid.

    Args:
        kind (str): One of :data:`COORDS`, as :class:`Rotary` tells.
        rows (int): Number of rows.
        columns (int): Number of columns.
        device (torch.device, optional): Where they are to be.

    Returns:
        Tuple[torch.Tensor, torch.Tensor]: (rows, ) and (columns, ), fp32.
    """
    sides = (rows, columns)
    y, x = (torch.arange(side, dtype=torch.float32, device=device)
            for side in sides)
    if kind == 'index':
        return y, x
    if kind == 'stretched':
        return y / rows * STRETCHED, x / columns * STRETCHED
    spans = sides if kind == 'separate' else (
        (max if kind == 'max' else min)(sides), ) * 2
    # From -1 to 1, and a whole turn for a step of 1.
    return (2 * math.pi * ((y + 0.5) / spans[0] * 2 - 1),
            2 * math.pi * ((x + 0.5) / spans[1] * 2 - 1))


class Rotation(NamedTuple):
    """How the tokens of one block turn.

    It goes into the block as an argument: kept in the module, it would be
    that of another batch when activation checkpointing runs the block again.
    """
    cos: torch.Tensor  # ([heads, ] T, d / 2)
    sin: torch.Tensor
    #: Which of the T each token of an image is, (N, K), if not all in order.
    where: Optional[torch.Tensor] = None
    halves: bool = False

    def turn(self, tokens: torch.Tensor) -> torch.Tensor:
        """Turn queries or keys, (..., N, heads, K, d)."""
        cos, sin = self.cos, self.sin
        if self.where is not None:
            # ([heads, ] N, K, d / 2): the heads go behind the images.
            cos, sin = (table[..., self.where, :].movedim(-3, 0)
                        for table in (cos, sin))
            if cos.dim() == 3:  # the same for all heads
                cos, sin = cos[:, None], sin[:, None]
        return rotate(tokens, cos, sin, self.halves)


class Rotary(nn.Module):
    """Angles of the patches of a grid, whatever its size.

    Nothing is kept of a grid: the table is computed for the rows and columns
    that come in, as grids of as many patches may differ (8x32 and 16x16).

    Args:
        head_dims (int): Channels of a head, a multiple of 4.
        num_layers (int): Blocks of the encoder.
        num_heads (int): Heads of a block.
        theta (float): Base of the frequencies.
        coords (str): What a place is. ``'index'``: rows and columns counted
            from 0; ``'separate'``: each side from -1 to 1, and 2 pi to a
            unit; ``'max'`` and ``'min'``: the longer or the shorter side
            so, the other at the same pitch (these three are DINOv3's);
            ``'stretched'``: each side has 16 steps (EVA-02's). With
            ``'index'`` and ``'min'`` characters keep their pitch where images
            of a height get wider.
        halves (bool): Pairs of channels are half a head apart, as in DINOv3,
            instead of neighbours; see :func:`rotate`.

    Raises:
        UserError: If ``head_dims`` is no multiple of 4, or ``coords`` is
            unknown.
    """

    def __init__(self, head_dims: int, num_layers: int, num_heads: int,
                 theta: float, coords: str = 'index',
                 halves: bool = False) -> None:
        super().__init__()
        if head_dims % 4:
            raise UserError('rotary positions turn pairs of channels by row '
                            f'and by column: {head_dims} channels of a head '
                            'are no multiple of 4. Change embed_dims or '
                            'num_heads of the arch')
        if coords not in COORDS:
            raise UserError(f'coords of rotary positions must be one of '
                            f'{COORDS}, got {coords!r}')
        self.pairs = head_dims // 2
        self.num_layers, self.num_heads = num_layers, num_heads
        self.theta, self.coords, self.halves = theta, coords, halves

    def init_weights(self) -> None:
        """Nothing, where nothing is learned."""

    def extra_repr(self) -> str:
        """What tells it from others, as torch shows it."""
        return (f'theta={self.theta:g}, coords={self.coords!r}, '
                f'halves={self.halves}')

    def angles(self, y: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
        """Angles at rows y and columns x, ([blocks, heads, ] R, C, d/2)."""
        raise NotImplementedError

    def forward(self, grid: Tuple[int, int], device: Any = None
                ) -> Tuple[torch.Tensor, torch.Tensor]:
        """Cosines and sines for the patches of a grid, row by row.

        Args:
            grid (Tuple[int, int]): Rows and columns.
            device (torch.device, optional): Where the tokens are.

        Returns:
            Tuple[torch.Tensor, torch.Tensor]: (L, d / 2) each, or
            (blocks, heads, L, d / 2), in fp32.
        """
        angles = self.angles(
            *coordinates(self.coords, *grid, device)).flatten(-3, -2)
        return angles.cos(), angles.sin()


@MODELS.register_module()
class AxialRotary(Rotary):
    """Half of the pairs turn by the column, the other half by the row.

    Pair i < d / 4 of a half turns by c / theta^(4i / d), c being the
    coordinate. The first half is the column's with ``coords='index'``, and
    the row's with others, as in their sources.

    Args:
        theta (float): Base of the frequencies. RoPE-ViT and DINOv3: 100.
        **kwargs: As in :class:`Rotary`; the encoder gives its sizes.
    """

    def __init__(self, theta: float = 100., **kwargs: Any) -> None:
        super().__init__(theta=theta, **kwargs)

    def angles(self, y: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
        """See :class:`Rotary`; the same in all blocks and heads."""
        steps = frequencies(self.theta, self.pairs // 2, x.device)
        halves = [(x[:, None] * steps).expand(y.shape[0], -1, -1),
                  (y[:, None, None] * steps).expand(-1, x.shape[0], -1)]
        if self.coords != 'index':
            halves.reverse()
        return torch.cat(halves, dim=-1)


@MODELS.register_module()
class MixedRotary(Rotary):
    """Every pair turns along a learned direction of its own.

    Pair i of a head turns by fx_i x + fy_i y. The parameter ``freqs``,
    (2, blocks, heads * d / 2), holds fx (along columns), then fy (along rows);
    it is trained without weight decay. At first the frequencies have the size
    of :class:`AxialRotary`'s, and in each block and head the first half of the
    pairs a direction by chance, the second half that at right angles to it.

    Args:
        theta (float): Base of the frequencies at first. RoPE-ViT: 10.
        **kwargs: As in :class:`Rotary`; the encoder gives its sizes.
    """

    #: Parameters that our optimizers do not decay.
    undecayed = ('freqs', )

    def __init__(self, theta: float = 10., **kwargs: Any) -> None:
        super().__init__(theta=theta, **kwargs)
        self.freqs = nn.Parameter(torch.empty(
            2, self.num_layers, self.num_heads * self.pairs))
        self.init_weights()

    def init_weights(self) -> None:
        """Draw the directions."""
        sizes = frequencies(self.theta, self.pairs // 2)
        first = 2 * math.pi * torch.rand(self.num_layers, self.num_heads, 1)
        both = torch.cat([first + 0 * sizes, first + math.pi / 2 + 0 * sizes],
                         dim=-1)
        freqs = sizes.repeat(2) * torch.stack([both.cos(), both.sin()])
        self.freqs.data.copy_(freqs.flatten(2))

    def angles(self, y: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
        """See :class:`Rotary`; of each block and head."""
        along_x, along_y = self.freqs.float().unflatten(
            2, (self.num_heads, 1, 1, -1))
        return along_x * x[:, None] + along_y * y[:, None, None]


class RotaryAttention(MultiheadAttention):
    """mmpretrain's attention, its queries and keys turned."""

    def forward(self, tokens: torch.Tensor,
                rotation: Rotation) -> torch.Tensor:
        """Attend, (N, T, C) to (N, T, C)."""
        joint = self.qkv(tokens).unflatten(
            2, (3, self.num_heads, -1)).permute(2, 0, 3, 1, 4)
        mixed = self.scaled_dot_product_attention(
            *rotation.turn(joint[:2]), joint[2],
            dropout_p=self.attn_drop if self.training else 0.)
        mixed = self.proj(mixed.transpose(1, 2).flatten(2))
        return self.out_drop(self.gamma1(self.proj_drop(mixed)))


class RotaryBlock(TransformerEncoderLayer):
    """mmpretrain's block with :class:`RotaryAttention`."""

    def forward(self, tokens: torch.Tensor,
                rotation: Rotation) -> torch.Tensor:
        """Run the block, (N, T, C) to (N, T, C)."""
        tokens = tokens + self.attn(self.ln1(tokens), rotation)
        return self.ffn(self.ln2(tokens), identity=tokens)


def make_rotary(block: TransformerEncoderLayer) -> None:
    """Let a block, changed in place, run as a :class:`RotaryBlock`.

    mmpretrain's ViT builds its blocks itself; parts and weights are the same.
    """
    block.__class__ = RotaryBlock
    block.attn.__class__ = RotaryAttention


def with_extra(rotation: Rotation, count: int) -> Rotation:
    """Put tokens that do not turn, as [CLS], before those that do."""
    cos, sin, where, halves = rotation
    cos = F.pad(cos, (0, 0, count, 0), value=1.)
    sin = F.pad(sin, (0, 0, count, 0))
    if where is not None:
        extra = torch.arange(count, device=where.device)
        where = torch.cat([extra.expand(len(where), -1), where + count], dim=1)
    return Rotation(cos, sin, where, halves)
