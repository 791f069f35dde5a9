"""Masked image modelling with a single branch."""
from typing import Any, Dict, Optional

import torch
from mmocr.registry import MODELS

from lmim.checkpoints.formats import (BLOCK, ENCODER, TEXT_DECODER, VIT,
                                      CheckpointFormat, NameTable,
                                      register_format, same, under)
from lmim.utils.errors import UserError
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
        **kwargs: ``data_preprocessor`` ... of :class:`SelfSup`.

    Raises:
        UserError: If the decoder does not predict as many channels as the
            target has.
    """

    def __init__(self,
                 backbone: dict,
                 neck: dict,
                 target_generator: dict,
                 head: dict = dict(type='ReconstructionHead'),
                 **kwargs: Any) -> None:
        super().__init__(backbone, neck, head, target_generator, **kwargs)
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
        target = self.target_generator(images)
        visible, mask, ids_restore = self.backbone(
            images, noise=noise, aspect=aspect_of(data_samples),
            features=target)
        pred = self.neck(visible, ids_restore)
        return Prediction([visible], mask, pred, target)

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
            Dict[str, torch.Tensor]: ``loss_recon``.
        """
        found = self.predict(inputs, noise, data_samples)
        return dict(loss_recon=self.head.loss(
            found.pred, found.target, found.mask))


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
