"""What ours is compared with: the libraries' own layers and transforms.

Models are those of the configs, with mmpretrain's ViT, torch's decoder layer
and MMOCR's NRTR decoder, under the same names of weights. Views are made by
imgaug, with the operations that the authors name, Pillow and torchvision.
"""
import io
from typing import Any, Callable, List, Optional, Sequence, Tuple

import imgaug.augmenters as iaa
import numpy as np
import torch
from mmocr.models.textrecog.decoders import NRTRDecoder
from mmocr.registry import MODELS
from mmpretrain.models import MAEViT, VisionTransformer
from PIL import Image
from torch import nn
from torchvision import transforms

from lmim.models.backbones import TextViT
from lmim.models.necks import LinguisticsGuidedDecoder


@MODELS.register_module()
class PlainViT(VisionTransformer):
    """mmpretrain's ViT in place of ``TextViT``."""

    def __init__(self, arch: str, **kwargs: Any) -> None:
        super().__init__(TextViT.arch_zoo[arch], out_type='raw', **kwargs)
        self.pos_embed.requires_grad = False

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Encode images (N, 3, H, W) to tokens (N, 1 + L, C)."""
        return super().forward(images)[0]


@MODELS.register_module()
class PlainMaskedViT(MAEViT):
    """mmpretrain's ViT of MAE in place of ``MaskedViT``."""

    def __init__(self, arch: str, mask: dict, **kwargs: Any) -> None:
        super().__init__(TextViT.arch_zoo[arch], mask_ratio=mask['ratio'],
                         **kwargs)

    def forward(self, images: torch.Tensor, mask: bool = True,
                noise: Optional[torch.Tensor] = None,
                **about_masks: Any) -> Any:
        """Encode images (N, 3, H, W), as ``MaskedViT`` without noise."""
        return super().forward(images) if mask else super().forward(
            images, None)[0]


@MODELS.register_module()
class PlainGuidedDecoder(LinguisticsGuidedDecoder):
    """LMIM's decoder of torch's own layers."""

    def __init__(self, num_layers: int = 2, **kwargs: Any) -> None:
        super().__init__(num_layers=num_layers, **kwargs)
        own: Any = self.decoder_blocks[0]
        self.decoder_blocks = nn.ModuleList(nn.TransformerDecoderLayer(
            own.linear1.in_features, own.self_attn.num_heads,
            own.linear1.out_features, own.dropout.p, 'gelu', 1e-6,
            batch_first=True) for _ in range(num_layers))


@MODELS.register_module()
class PlainTextDecoder(NRTRDecoder):
    """MMOCR's decoder with the classes of ``TextTransformerDecoder``.

    The start is a row of the embedding after those of the classes, and no
    class. Each step computes all places of the word, and the picture's keys
    and values anew.
    """

    def __init__(self, num_layers: int, embed_dims: int, num_heads: int,
                 head_dims: int, feedforward_channels: int, drop_rate: float,
                 **kwargs: Any) -> None:
        super().__init__(
            num_layers, embed_dims, num_heads, head_dims, head_dims,
            embed_dims, feedforward_channels, dropout=drop_rate, **kwargs)
        self.start_idx = self.dictionary.num_classes
        self.trg_word_emb = nn.Embedding(self.start_idx + 1, embed_dims)

    def forward_train(self, feat: Optional[torch.Tensor],
                      out_enc: torch.Tensor,
                      data_samples: Sequence) -> torch.Tensor:
        """Logits (N, T, classes), each from the characters before it."""
        targets = torch.stack([sample.gt_text.padded_indexes
                               for sample in data_samples]).to(out_enc.device)
        start = torch.full_like(targets[:, :1], self.start_idx)
        return self.classifier(self._attention(
            torch.cat([start, targets[:, :-1]], dim=1), out_enc))


#: What takes the place of ours in a config.
PLAIN = {'TextViT': 'PlainViT', 'MaskedViT': 'PlainMaskedViT',
         'LinguisticsGuidedDecoder': 'PlainGuidedDecoder',
         'TextTransformerDecoder': 'PlainTextDecoder'}


def make_plain(cfg: dict) -> None:
    """Name the libraries' layers in a model's config, in place."""
    for value in cfg.values():
        if isinstance(value, dict):
            make_plain(value)
    if cfg.get('type') in PLAIN:
        cfg['type'] = PLAIN[cfg['type']]


class PlainPipeline:
    """Decodes pictures and makes both views.

    Args:
        read (Callable): Gives the file of a picture by its number.
        img_size (Tuple[int, int]): (height, width) of the views.
    """

    def __init__(self, read: Callable[[int], bytes],
                 img_size: Tuple[int, int] = (32, 128)) -> None:
        self.read = read
        self.size = img_size[::-1]
        # The ten operations of the medium level.
        self.augment = iaa.SomeOf((3, None), [
            iaa.LinearContrast((0.5, 1.0)),
            iaa.GaussianBlur(sigma=(0.5, 1.5)),
            iaa.Crop(percent=((0, 0.1), 0, (0, 0.1), 0), keep_size=False),
            iaa.Crop(percent=(0, (0, 0.02), 0, (0, 0.02)), keep_size=False),
            iaa.Sharpen(alpha=(0.0, 0.5), lightness=(0.0, 0.5)),
            iaa.Rotate((-15, 15), fit_output=True),
            iaa.PiecewiseAffine(scale=(0.03, 0.05), mode='edge'),
            iaa.PerspectiveTransform(scale=(0.02, 0.06)),
            iaa.Solarize(1.0, threshold=(32, 128),
                         invert_above_threshold=0.5),
            iaa.Grayscale(alpha=(0.0, 1.0)),
        ], random_order=True)
        self.recolor = transforms.Compose([
            transforms.RandomApply(
                [transforms.ColorJitter(0.4, 0.4, 0.2, 0.1)], p=0.8),
            transforms.RandomGrayscale(p=0.2),
        ])

    def batch(self, indices: Sequence[int]) -> Tuple[torch.Tensor, ...]:
        """Both views of some records, (N, 3, height, width), uint8, RGB."""
        views: Tuple[List, List] = ([], [])
        for index in indices:
            picture = Image.open(io.BytesIO(self.read(index))).convert('RGB')
            other = Image.fromarray(self.augment(image=np.array(picture)))
            for made, view in zip(views, (
                    self._resized(picture),
                    self.recolor(self._resized(other)))):
                made.append(torch.from_numpy(
                    np.asarray(view).transpose(2, 0, 1).copy()))
        return torch.stack(views[0]), torch.stack(views[1])

    def _resized(self, picture: Image.Image) -> Image.Image:
        return picture.resize(self.size, Image.Resampling.BICUBIC)
