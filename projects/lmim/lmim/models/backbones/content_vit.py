"""The text ViT whose tokens are parted in style and content."""
from typing import Any, List, NamedTuple, Sequence

import torch
import torch.nn.functional as F
from mmocr.registry import MODELS

from lmim.utils.errors import UserError

from ..layers import StyleContentSplit
from .text_vit import TextViT

HALVES = ('style', 'content')


class Parted(NamedTuple):
    """What a :class:`ContentViT` makes of pictures.

    Attributes:
        tokens (torch.Tensor): Before they are parted, (N, 1 + L, C).
        style (torch.Tensor): (N, L, C / 2).
        content (torch.Tensor): (N, L, C / 2).
        tapped (List[torch.Tensor]): Patches after some blocks, as they are,
            (N, L, C).
    """
    tokens: torch.Tensor
    style: torch.Tensor
    content: torch.Tensor
    tapped: List[torch.Tensor]

    def rows(self, rows: torch.Tensor) -> 'Parted':
        """Those of some pictures, by their numbers (N', )."""
        return Parted(self.tokens[rows], self.style[rows], self.content[rows],
                      [each[rows] for each in self.tapped])


@MODELS.register_module()
class ContentViT(TextViT):
    """Gives recognizers what a word says, without what it looks like.

    A :class:`TextViT`, then a :class:`StyleContentSplit`, of which one half
    is given: patches of half the channels, without [CLS]. :class:`DARLING`
    trains it; recognizers load it by ``init_cfg`` as they load a TextViT.

    Args:
        half (str): ``'content'`` or ``'style'``.
        padded (bool): Whether the channels of the other half stay, as zeros,
            so that a recognizer's config needs no other change. Else its
            next part has ``in_dims`` of half the encoder's.
        **kwargs: As in :class:`TextViT`.

    Raises:
        UserError: If there is no such half.
    """

    def __init__(self, half: str = 'content', padded: bool = False,
                 **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if half not in HALVES:
            raise UserError(f'half must be one of {HALVES}, got {half!r}')
        self.half = half
        self.padded = padded
        self.split = StyleContentSplit(
            self.embed_dims, self.arch_settings['num_heads'],
            self.arch_settings['feedforward_channels'])

    @property
    def out_dims(self) -> int:
        """int: Channels of what is given."""
        return self.embed_dims if self.padded else self.embed_dims // 2

    @property
    def out_extra_tokens(self) -> int:
        """int: None of the tokens that are given is no patch."""
        return 0

    def encode_whole(self, images: torch.Tensor) -> torch.Tensor:
        """Encode whole images (N, 3, H, W) to a half, (N, L, out_dims)."""
        patches = getattr(self.part(images), self.half)
        if not self.padded:
            return patches
        count = self.embed_dims // 2
        return F.pad(patches,
                     (count, 0) if self.half == 'content' else (0, count))

    def part(self, images: torch.Tensor,
             taps: Sequence[int] = ()) -> Parted:
        """Encode whole images, and part the patches.

        Args:
            images (torch.Tensor): Normalised images, (N, 3, H, W).
            taps (Sequence[int]): Blocks, counted from 1, in order, whose
                patches are kept too.
        """
        tokens, tapped = self.forward_taps(images, taps)
        extra = self.num_extra_tokens
        style, content = self.split(tokens[:, extra:])
        return Parted(tokens, style, content,
                      [each[:, extra:] for each in tapped])
