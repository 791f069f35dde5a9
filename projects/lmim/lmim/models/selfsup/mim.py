"""Masked image modelling with a single branch."""
from typing import Any, Dict, List, Optional, Tuple

import torch
from mmocr.registry import MODELS

from lmim.checkpoints.formats import (BLOCK, ENCODER, TEXT_DECODER, VIT,
                                      CheckpointFormat, NameTable,
                                      register_format, same, under)
from lmim.utils.errors import UserError
from ..backbones.text_vit import check_size
from ..necks.masked_decoder import MaskedDecoder
from ..necks.sampled_decoder import SampledDecoder
from ..targets import EMATarget, PixelTarget
from .base import Inputs, Prediction, SelfSup


def aspect_of(data_samples: Any) -> Optional[torch.Tensor]:
    """Width / height of the images before resizing, (N, ), if packed."""
    return (data_samples.get('aspect') if isinstance(data_samples, dict)
            else None)


@MODELS.register_module()
class MIM(SelfSup):
    """Hide most patches of an image and rebuild them from the rest.

    With a ``MAEDecoder`` and a ``PixelTarget`` this is MAE as MAERec trains
    it, which makes LMIM's teacher.

    Args:
        backbone (dict): A :class:`MaskedViT`.
        neck (dict): Decoder.
        target_generator (dict): What is to be rebuilt.
        head (dict): Reconstruction loss.
        num_masks (int): Masks of each image, all rebuilt after one pass of
            the target's encoder.
        pixel_weight (float): Weight of the same loss of normalised pixels,
            which are predicted beside the target. It ties features to the
            image where a moving target does not.
        **kwargs: ``data_preprocessor`` ... of :class:`SelfSup`.

    Raises:
        UserError: If the decoder does not predict as many channels as the
            target has, or needs a [CLS] that the encoder has not, if
            ``num_masks`` is below 1, or single pixels would be normalised by
            themselves.
    """

    def __init__(self,
                 backbone: dict,
                 neck: dict,
                 target_generator: dict,
                 head: dict = dict(type='ReconstructionHead'),
                 num_masks: int = 1,
                 pixel_weight: float = 0.,
                 **kwargs: Any) -> None:
        if num_masks < 1:
            raise UserError(f'num_masks must be 1 or more, got {num_masks}')
        pixel_target = PixelTarget(backbone.get('patch_size', 4))
        if pixel_weight:
            neck = dict(neck, extra_dims=pixel_target.out_dims)
        super().__init__(backbone, neck, head, target_generator, **kwargs)
        self.num_masks = num_masks
        self.pixel_weight = pixel_weight
        self.pixel_target = pixel_target
        _check_pixels(self.target_generator, 'model.target_generator')
        if pixel_weight:
            _check_pixels(pixel_target, 'model.pixel_weight')
        if isinstance(self.target_generator, EMATarget):
            self.target_generator.follow(self.backbone)
        if (isinstance(self.neck, MaskedDecoder)
                and not self.backbone.num_extra_tokens):
            raise UserError(
                f'{type(self.neck).__name__} takes [CLS] and visible patches: '
                'leave out model.backbone.with_cls_token=False')
        if self.neck.out_dims != self.target_generator.out_dims:
            raise UserError(
                f'the decoder predicts {self.neck.out_dims} channels and the '
                f'target has {self.target_generator.out_dims}: set '
                f'model.neck.out_dims={self.target_generator.out_dims}')

    def extract_feat(self, inputs: torch.Tensor) -> torch.Tensor:
        """Encode whole images (N, 3, H, W) to tokens (N, 1 + L, C)."""
        return self.backbone(inputs, mask=False)

    def predict(self,
                inputs: Inputs,
                noise: Optional[torch.Tensor] = None,
                data_samples: Any = None) -> Prediction:
        """Rebuild the hidden patches of the image, the first view."""
        images, = self.split_views(inputs)
        (visible, mask, ids_restore), target = self.encode_masked(
            images, noise, data_samples)
        pred = self.neck(visible, ids_restore)
        if isinstance(self.neck, SampledDecoder):
            pred, mask = pred  # of the hidden patches those rebuilt
        return self.with_targets([visible], mask, pred, target, images)

    def encode_masked(self, images: torch.Tensor,
                      noise: Optional[torch.Tensor], data_samples: Any
                      ) -> Tuple[Tuple[torch.Tensor, ...], torch.Tensor]:
        """Encode what masks leave of images, and make their targets.

        Targets are made first, as masks may depend on them.

        Args:
            images (torch.Tensor): (N, 3, H, W).
            noise (torch.Tensor, optional): Of M masks of each image, the
                first mask of all images first, (M N, L). Without it
                ``num_masks`` are drawn.
            data_samples (Any): With the pictures' aspects, where masks
                depend on them.

        Returns:
            Tuple: What :class:`MaskedViT` returns, and the targets, of M N
            images.

        Raises:
            UserError: If the images are not of the encoder's size.
        """
        check_size(images, self.backbone.img_size)
        rows = (self.num_masks * len(images) if noise is None
                else len(noise))
        target = repeat(self.target_generator(images), rows)
        aspect = aspect_of(data_samples)
        return self.backbone(
            repeat(images, rows), noise=noise,
            aspect=None if aspect is None else repeat(aspect, rows),
            features=target), target

    def with_targets(self, tokens: List[torch.Tensor], mask: torch.Tensor,
                     pred: torch.Tensor, target: torch.Tensor,
                     images: torch.Tensor) -> Prediction:
        """Put what was predicted beside the targets of images."""
        if not self.pixel_weight:
            return Prediction(tokens, mask, pred, target)
        pred, pixels = pred.split(
            [self.neck.out_dims, self.pixel_target.out_dims], dim=-1)
        wanted = repeat(self.pixel_target(images), len(pred))
        return Prediction(tokens, mask, pred, target, (pixels, wanted))

    def loss(self,
             inputs: Inputs,
             data_samples: Any = None,
             noise: Optional[torch.Tensor] = None,
             **kwargs: Any) -> Dict[str, torch.Tensor]:
        """Compute the reconstruction loss.

        Args:
            inputs (torch.Tensor | Sequence[torch.Tensor]): Normalised images,
                (N, 3, H, W), or several views, of which the first is used.
            data_samples (torch.Tensor | dict, optional): For masks that
                depend on the images.
            noise (torch.Tensor, optional): Decides which patches are hidden,
                (N, L), instead of a random draw.
            **kwargs: Not used.

        Returns:
            Dict[str, torch.Tensor]: ``loss_recon``, and ``loss_pixel`` where
            pixels are rebuilt beside the target.
        """
        return self.reconstruction_losses(self.predict(
            inputs, noise, data_samples))

    def reconstruction_losses(self, found: Prediction
                              ) -> Dict[str, torch.Tensor]:
        """L_recon, and that of pixels where it counts."""
        losses = dict(loss_recon=self.head.loss(
            found.pred, found.target, found.mask))
        if found.pixels is not None:
            losses['loss_pixel'] = self.pixel_weight * self.head.loss(
                *found.pixels, found.mask)
        return losses


def _check_pixels(target: Any, setting: str) -> None:
    """Refuse to normalise single pixels: of a grey one nothing is left."""
    if (isinstance(target, PixelTarget) and target.norm_pix
            and target.cell == (1, 1)):
        raise UserError(
            f'{setting} would normalise each pixel by itself, which takes '
            'away all but its tint: for patches of one pixel give '
            'model.target_generator.cell=(4, 4), which normalises cells of '
            '4x4 pixels, or norm_pix=False, and pixel_weight=0')


def repeat(tensor: torch.Tensor, length: int) -> torch.Tensor:
    """Repeat a batch as a whole until it has ``length`` rows."""
    if len(tensor) == length:
        return tensor
    return torch.cat([tensor] * (length // len(tensor)))


#: Names that the decoders of MAE and of LMIM share.
NECK = same('', 'neck.', [
    'mask_token', 'decoder_pos_embed', 'decoder_embed.{p}', 'decoder_norm.{p}',
    'decoder_pred.{p}'
])

register_format(CheckpointFormat(
    'mae', 'MAE or MAERec pre-training',
    (r'patch_embed\.proj\.',
     r'mask_token$|decoder_(embed|pos_embed|blocks|norm|pred)\b'),
    NameTable(
        under('', ENCODER, VIT) + NECK +
        under('decoder_blocks.{n}.', 'neck.decoder_blocks.{n}.', BLOCK)),
    aside=r'head\.|fc_norm\.|decoder_'))
register_format(CheckpointFormat(
    'maerec', 'MAERec fine-tuned', (r'backbone\.patch_embed\.proj\.', ),
    NameTable(under('backbone.', ENCODER, VIT) + TEXT_DECODER),
    wraps='state_dict',
    prefix='backbone.',
    needs=(ENCODER, 'decoder.'),
    start_rows=0))
