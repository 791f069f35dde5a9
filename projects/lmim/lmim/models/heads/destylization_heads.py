"""Losses of ODM: plain letters, what a reader makes of them, and their word.

Formulas: ODM (CVPR 2024, arXiv 2403.00303), section 3.3.
"""
import math
from typing import Optional, Sequence, Tuple

import torch
import torch.nn.functional as F
from mmengine.model import BaseModule
from mmocr.registry import MODELS
from torch import nn

from lmim.checkpoints import load_encoder_weights
from lmim.utils.errors import UserError
from ..targets.feature_targets import freeze_into_buffers

DISTANCES = ('lpips', 'l1')


@MODELS.register_module()
class DestylizationHead(BaseModule):
    """A logit for each pixel of a patch, and their binary cross-entropy.

    Strokes of a word crop are one or two pixels wide, so all pixels of a
    patch have weights of their own.

    Args:
        in_dims (int): Channels of a patch.
        patch_size (tuple[int, int]): Its height and width.
        grid (tuple[int, int]): Rows and columns of patches.
        threshold (int): Grey value from which a pixel is a letter.
        loss_weight (float): Weight of this loss in the sum.
    """

    def __init__(self,
                 in_dims: int = 256,
                 patch_size: Tuple[int, int] = (4, 4),
                 grid: Tuple[int, int] = (8, 32),
                 threshold: int = 30,
                 loss_weight: float = 1.) -> None:
        super().__init__()
        self.patch_size = tuple(patch_size)
        self.grid = tuple(grid)
        self.threshold = threshold
        self.loss_weight = loss_weight
        self.pred = nn.Linear(in_dims, patch_size[0] * patch_size[1])

    def forward(self, patches: torch.Tensor) -> torch.Tensor:
        """Logits (N, H, W) of patches (N, L, C)."""
        pixels = self.pred(patches).unflatten(2, self.patch_size)
        pixels = pixels.unflatten(1, self.grid)  # rows, columns, h, w
        return pixels.transpose(2, 3).flatten(3).flatten(1, 2)

    def letters(self, glyphs: torch.Tensor) -> torch.Tensor:
        """Where grey letters (N, H, W), uint8, are, 0 or 1."""
        return (glyphs >= self.threshold).float()

    def loss(self, logits: torch.Tensor, glyphs: torch.Tensor,
             weights: torch.Tensor) -> torch.Tensor:
        """Compare logits and grey letters, (N, H, W), with weights (N, )."""
        each = F.binary_cross_entropy_with_logits(
            logits.float(), self.letters(glyphs), reduction='none')
        return self.loss_weight * (each.mean((1, 2)) * weights).mean()


@MODELS.register_module()
class OCRPerceptualHead(BaseModule):
    """How far apart two pictures are for a frozen encoder that can read.

    Gradients go through the encoder to the prediction, not into it.

    Args:
        encoder (dict): A :class:`TextViT`.
        checkpoint (str, optional): Its weights, as a recognizer of ours.
            Without it the model can be built, but ``init_weights`` refuses.
        taps (Sequence[int], optional): Blocks that are compared, counted from
            1. Defaults to all.
        distance (str): ``'lpips'``: the squared distance of tokens of length
            1, as ODM's code has it; ``'l1'``: the absolute one of tokens as
            they are, as its paper has it.
        loss_weight (float): Weight of this loss in the sum.

    Raises:
        UserError: If there is no such distance.
    """

    def __init__(self,
                 encoder: dict,
                 checkpoint: Optional[str] = None,
                 taps: Optional[Sequence[int]] = None,
                 distance: str = 'lpips',
                 loss_weight: float = 1.) -> None:
        super().__init__()
        if distance not in DISTANCES:
            raise UserError(f'distance must be one of {DISTANCES}, got '
                            f'{distance!r}')
        self.encoder = MODELS.build(encoder)
        self.checkpoint = checkpoint
        self.taps = taps or range(1, len(self.encoder.layers) + 1)
        self.distance = distance
        self.loss_weight = loss_weight
        freeze_into_buffers(self.encoder)
        self.train(False)

    def train(self, mode: bool = True) -> 'OCRPerceptualHead':
        """Stay in eval mode."""
        super().train(False)
        return self

    def init_weights(self) -> None:
        """Load the encoder.

        Raises:
            UserError: If no checkpoint is named.
            CheckpointError: If it does not fit.
        """
        if not self.checkpoint:
            raise UserError(
                'The perceptual loss needs an encoder that can read, and none '
                'is named: set model.perceptual_head.checkpoint=FILE, or '
                'model.perceptual_head=None')
        load_encoder_weights(self.encoder, self.checkpoint)
        self._is_init = True

    def terms(self, pred: torch.Tensor, target: torch.Tensor
              ) -> torch.Tensor:
        """Distances of pictures (N, H, W) from 0 to 1, (taps, N)."""
        with torch.no_grad():
            wanted = self.features(target)
        return torch.stack([self.distances(*each).mean(1) for each in zip(
            self.features(pred), wanted)])

    def features(self, pictures: torch.Tensor) -> Sequence[torch.Tensor]:
        """Patch tokens (N, L, C) after each tapped block."""
        images = (2 * pictures - 1)[:, None].expand(-1, 3, -1, -1)
        return [tokens[:, self.encoder.num_extra_tokens:].float()
                for tokens in self.encoder.forward_taps(images, self.taps)[1]]

    def distances(self, pred: torch.Tensor,
                  target: torch.Tensor) -> torch.Tensor:
        """Distances of features (..., C), summed over channels."""
        if self.distance == 'l1':
            return (pred - target).abs().sum(-1)
        return (F.normalize(pred, dim=-1) -
                F.normalize(target, dim=-1)).square().sum(-1)

    def loss(self, logits: torch.Tensor, glyphs: torch.Tensor,
             weights: torch.Tensor) -> torch.Tensor:
        """Compare logits and grey letters, (N, H, W), with weights (N, )."""
        terms = self.terms(logits.float().sigmoid(), glyphs / 255)
        return self.loss_weight * (terms.sum(0) * weights).mean()


@MODELS.register_module()
class ImageTextContrastiveHead(BaseModule):
    """CLIP's loss of pictures and their words, within a process.

    The same word in two pictures is no negative.

    Args:
        loss_weight (float): Weight of the mean of both directions.
    """

    def __init__(self, loss_weight: float = 1.) -> None:
        super().__init__()
        self.loss_weight = loss_weight
        self.logit_scale = nn.Parameter(torch.tensor(math.log(1 / 0.07)))

    def similarity(self, images: torch.Tensor,
                   texts: torch.Tensor) -> torch.Tensor:
        """Scaled cosines of vectors (N, D) and (M, D), (N, M)."""
        with torch.autocast(images.device.type, enabled=False):
            return self.logit_scale.exp() * (
                F.normalize(images.float(), dim=1) @
                F.normalize(texts.float(), dim=1).T)

    @staticmethod
    def twins(classes: torch.Tensor) -> torch.Tensor:
        """Which words (N, T) are the same as another, bool (N, N)."""
        same = (classes[:, None] == classes).all(2)
        return same & ~torch.eye(len(same), dtype=torch.bool,
                                 device=same.device)

    def loss(self, images: torch.Tensor, texts: torch.Tensor,
             classes: torch.Tensor) -> torch.Tensor:
        """Contrast vectors of pictures and of their words.

        Args:
            images (torch.Tensor): (N, D).
            texts (torch.Tensor): (N, D).
            classes (torch.Tensor): The words, (N, T).

        Returns:
            torch.Tensor: Scalar.
        """
        scores = self.similarity(images, texts).masked_fill(
            self.twins(classes), float('-inf'))
        own = torch.arange(len(scores), device=scores.device)
        return self.loss_weight * (F.cross_entropy(scores, own) +
                                   F.cross_entropy(scores.T, own)) / 2
