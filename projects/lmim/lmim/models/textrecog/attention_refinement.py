"""Attention that knows what was read before: coverage (CoMER)."""
from typing import Dict, Optional, Tuple

import torch
import torch.nn.functional as F
from mmocr.registry import MODELS
from torch import nn

from lmim.utils.errors import UserError

COVERAGES = ('fusion', 'self', 'cross')


@MODELS.register_module()
class AttentionRefinement(nn.Module):
    """What to subtract from attention where a picture was read already.

    The attention refinement module of CoMER (Zhao and Gao, ECCV 2022, section
    3.2), which all layers of a decoder share. The weights of the characters
    before, added up, are an image over the grid of patches for each head; two
    convolutions and a batch norm make of it what is subtracted from the
    logits of the next character's attention.

    Args:
        num_heads (int): Attention heads of the decoder.
        grid (tuple[int, int | None]): Rows and columns of the patches, which
            follow one another row by row. Columns of None: as many as a
            picture has.
        channels (int): Channels between the convolutions.
        coverage (str): Whose weights are added up: ``'self'``, those that
            this layer would have without; ``'cross'``, the refined ones of
            the layer before; ``'fusion'``, both.
        with_cls_token (bool): Whether the picture's first token is [CLS],
            which is nowhere in it: nothing is subtracted there.
        zero_init (bool): Start with a batch norm of weight 0, so that nothing
            is subtracted until it is learnt: for decoders that were trained
            without. CoMER starts with 1.
        refine_first (bool): Whether the first layer is refined, which in
            CoMER it never is. For decoders of a single layer, and of
            ``'self'`` alone: the first layer has none before it.

    Raises:
        UserError: If there is no such coverage, no such grid, or no layer
            before the first to take weights from.
    """

    def __init__(self,
                 num_heads: int,
                 grid: Tuple[int, Optional[int]],
                 channels: int = 32,
                 coverage: str = 'fusion',
                 with_cls_token: bool = True,
                 zero_init: bool = False,
                 refine_first: bool = False) -> None:
        super().__init__()
        if coverage not in COVERAGES:
            raise UserError(f'coverage is one of {", ".join(COVERAGES)}, not '
                            f'{coverage!r}')
        if len(grid) != 2 or min(grid[0], grid[1] or 1) < 1:
            raise UserError('grid is (rows, columns) of patches, or (rows, '
                            f'None) for pictures of any width, not {grid}')
        if refine_first and coverage != 'self':
            raise UserError(
                f'coverage={coverage!r} takes weights from the layer before, '
                'and a decoder of one layer has none: use num_layers=2 or '
                "more, or coverage='self'")
        self.grid: Tuple[int, Optional[int]] = (grid[0], grid[1])
        self.coverage = coverage
        self.num_extra_tokens = int(with_cls_token)
        self.first_layer = int(not refine_first)
        #: Images that are added up: one or two for each head.
        self.num_maps = num_heads * (2 if coverage == 'fusion' else 1)
        self.conv = nn.Conv2d(self.num_maps, channels, 5, padding=2)
        self.proj = nn.Conv2d(channels, num_heads, 1, bias=False)
        self.norm = nn.BatchNorm1d(num_heads)
        if zero_init:
            nn.init.zeros_(self.norm.weight)

    def check_length(self, length: int) -> None:
        """Refuse memory that is not the grid, with a UserError."""
        rows, columns = self.grid
        cells = length - self.num_extra_tokens
        fits = (cells == rows * columns if columns else
                cells > 0 and cells % rows == 0)
        if not fits:
            extra = '1 + ' if self.num_extra_tokens else ''
            raise UserError(
                f'the decoder was given {length} tokens of a picture, and its '
                f'refinement is of {extra}{rows}x{columns or "columns"} '
                '([CLS] and patches). Set model.decoder.refinement.grid to '
                'the rows and columns of patches of the encoder (image size '
                'by patch size; columns=None takes any width), and '
                'with_cls_token to whether it has [CLS]')

    def forward(self,
                maps: torch.Tensor,
                written: Optional[torch.Tensor] = None,
                padding: Optional[torch.Tensor] = None) -> torch.Tensor:
        """What is subtracted from the logits.

        Args:
            maps (torch.Tensor): Sums of earlier weights, (N, maps, T, L)
                float32, where L cells are the grid row by row.
            written (torch.Tensor, optional): In training, the places of the
                words, bool (N, T). What follows a word's end would be most
                of the statistics of the batch norm, and is left out.
            padding (torch.Tensor, optional): Cells that hold no picture,
                bool (N, L): outside the statistics, and 0 in the result.

        Returns:
            torch.Tensor: (N, heads, T, L) float32; 0 where it is not
            computed.
        """
        if not self.training:
            written = None
        count, _, length, cells = maps.shape

        def of_places(values: torch.Tensor) -> torch.Tensor:
            """Of the places to compute: from (N, T, ...) to (P, ...)."""
            return values.flatten(0, 1) if written is None else values[written]

        images = maps.transpose(1, 2).unflatten(3, (self.grid[0], -1))
        hidden = self.conv(of_places(images)).relu()
        if padding is not None:
            kept = ~of_places(padding[:, None].expand(-1, length, -1))
            hidden = hidden * kept.view_as(hidden[:, 0])[:, None]
        values = self.proj(hidden).flatten(2).transpose(1, 2)  # (P, L, heads)
        if padding is None:
            values = self.norm(values.flatten(0, 1)).view_as(values)
        else:
            values = torch.zeros_like(values).masked_scatter(
                kept[..., None], self.norm(values[kept]))
        if written is None:
            values = values.unflatten(0, (count, length))
        else:
            values = values.new_zeros(count, length, cells, values.shape[
                2]).masked_scatter(written[..., None, None], values)
        return values.permute(0, 3, 1, 2)


class Coverage:
    """What the characters before have read of pictures, layer by layer.

    One object goes with the words through all layers, and through all steps
    where a word is written character by character.

    Args:
        refinement (AttentionRefinement): The module.
        written (torch.Tensor, optional): Places of the words, (N, T); see
            :meth:`AttentionRefinement.forward`.
        padding (torch.Tensor, optional): Cells without picture, (N, L).
    """

    def __init__(self,
                 refinement: AttentionRefinement,
                 written: Optional[torch.Tensor] = None,
                 padding: Optional[torch.Tensor] = None) -> None:
        self.refinement = refinement
        self.first_layer = refinement.first_layer
        self.written = written
        self.padding = padding
        #: Sums of the weights of all characters so far, for each layer that
        #: is refined, (N, maps, 1, L) float32.
        self.sums: Dict[int, torch.Tensor] = {}
        #: Weights of the last layer that was run, (N, heads, T, M) float32.
        self.weights: torch.Tensor
        #: What was subtracted there, (N, heads, T, L) float32.
        self.subtracted: torch.Tensor

    def take(self, rows: torch.Tensor) -> None:
        """Go on with some words in place of all, by their numbers (N', )."""
        self.sums = {layer: sums[rows] for layer, sums in self.sums.items()}

    def weigh(self, layer: int, query: torch.Tensor,
              keys: torch.Tensor) -> torch.Tensor:
        """Weights of a layer's attention; layers come in their order.

        They and all sums are in float32: what is subtracted may be as large
        as 10, which bfloat16 rounds by 0.06. Dropout is up to the caller, as
        the weights before it are what is added up.

        Args:
            layer (int): The layer's number.
            query (torch.Tensor): Of the characters, (N, heads, T, d).
            keys (torch.Tensor): Of the picture, (N, heads, M, d).

        Returns:
            torch.Tensor: (N, heads, T, M) float32.

        Raises:
            UserError: If the picture has not the tokens of the grid.
        """
        refinement = self.refinement
        refinement.check_length(keys.shape[2])
        with torch.autocast(query.device.type, enabled=False):
            scores = (query.float() * query.shape[-1]**-0.5
                      @ keys.float().transpose(2, 3))
            extra = refinement.num_extra_tokens
            if self.padding is not None:
                scores = scores.masked_fill(
                    F.pad(self.padding, (extra, 0))[:, None, None],
                    float('-inf'))
            weights = scores.softmax(dim=-1)
            if layer >= self.first_layer:
                maps = dict(
                    fusion=lambda: torch.cat([self.weights, weights], dim=1),
                    cross=lambda: self.weights,
                    self=lambda: weights)[refinement.coverage]()[..., extra:]
                before = maps.cumsum(dim=2) - maps
                if layer in self.sums:
                    before = before + self.sums[layer]
                self.sums[layer] = before[:, :, -1:] + maps[:, :, -1:]
                self.subtracted = refinement(before, self.written,
                                             self.padding)
                weights = (scores - F.pad(self.subtracted, (extra, 0))
                           ).softmax(dim=-1)
            self.weights = weights
            return weights
