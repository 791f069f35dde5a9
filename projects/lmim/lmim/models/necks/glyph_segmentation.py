"""What of a picture is text, from the tokens of some blocks."""
from typing import List, Optional, Sequence, Tuple, Union

import torch
from mmcv.cnn import ConvModule
from mmengine.model import BaseModule
from mmocr.registry import MODELS
from torch import nn


def _conv(in_dims: int, out_dims: int, size: int) -> ConvModule:
    return ConvModule(in_dims, out_dims, size, padding=size // 2,
                      norm_cfg=dict(type='BN'))


@MODELS.register_module()
class GlyphSegmentation(BaseModule):
    """Tells text and background apart, pixel by pixel, as CCD does.

    Tokens after some blocks of the encoder are normed, brought to fewer
    channels, joined, and enlarged to the size of the picture.

    Args:
        in_dims (int): Channels of the tokens.
        taps (Sequence[int]): The blocks, counted from 1.
        embed_dims (int): Channels of each block's map at first.
        tap_dims (int): Channels of it in the end.
        out_dims (int): Channels of what is enlarged.
        grid (Tuple[int, int]): Rows and columns of patches.
        strides (Sequence[Tuple[int, int]]): By how much each transposed
            convolution enlarges rows and columns: together by the size of a
            patch.
        init_cfg (dict, optional): Initialisation config.
    """

    def __init__(self,
                 in_dims: int = 384,
                 taps: Sequence[int] = (2, 4, 6),
                 embed_dims: int = 128,
                 tap_dims: int = 64,
                 out_dims: int = 128,
                 grid: Tuple[int, int] = (8, 32),
                 strides: Sequence[Tuple[int, int]] = ((2, 2), (2, 2)),
                 init_cfg: Optional[Union[dict, list]] = None) -> None:
        super().__init__(init_cfg)
        self.taps = tuple(taps)
        self.grid = (grid[0], grid[1])
        self.norms = nn.ModuleList(
            nn.LayerNorm(in_dims, eps=1e-6) for _ in taps)
        self.branches = nn.ModuleList(
            nn.Sequential(_conv(in_dims, embed_dims, 3),
                          _conv(embed_dims, tap_dims, 1)) for _ in taps)
        #: Channels of :meth:`maps`.
        self.map_dims = dims = [tap_dims * len(self.taps),
                                *[out_dims] * len(strides)]
        self.enlarging = nn.Sequential(*(
            nn.Sequential(
                nn.ConvTranspose2d(
                    before, after, (2 * rows, 2 * columns), (rows, columns),
                    padding=(rows // 2, columns // 2)),
                nn.BatchNorm2d(after), nn.ReLU(inplace=True))
            for before, after, (rows, columns) in zip(dims, dims[1:],
                                                      strides)))
        self.classifier = nn.Conv2d(out_dims, 2, 3, padding=1)

    def forward(self, tapped: List[torch.Tensor]) -> torch.Tensor:
        """Compute logits.

        Args:
            tapped (List[torch.Tensor]): Patches after each of ``taps``,
                (N, L, C).

        Returns:
            torch.Tensor: Of background and text, (N, 2, H, W).
        """
        return self.classifier(self.maps(tapped)[-1])

    def maps(self, tapped: List[torch.Tensor]) -> List[torch.Tensor]:
        """The joined map of all taps, and it after each enlargement."""
        joined = [branch(norm(tokens).transpose(1, 2).unflatten(2, self.grid))
                  for norm, branch, tokens in zip(self.norms, self.branches,
                                                  tapped)]
        maps = [torch.cat(joined, dim=1)]
        for enlarge in self.enlarging:
            maps.append(enlarge(maps[-1]))
        return maps
