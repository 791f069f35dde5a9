"""Masked image modelling with a single branch."""
from typing import Any, Dict, List, Optional, Sequence, Union

import torch
from mmocr.registry import MODELS
from mmpretrain.models import BaseSelfSupervisor

from lmim.checkpoints.formats import (BLOCK, ENCODER, TEXT_DECODER, VIT,
                                      CheckpointFormat, NameTable,
                                      register_format, same, under)
from lmim.utils.errors import UserError

#: Images come as OpenCV decodes them: uint8, BGR.
PREPROCESSOR = dict(
    type='mmpretrain.SelfSupDataPreprocessor',
    mean=[127.5] * 3,
    std=[127.5] * 3,
    bgr_to_rgb=True,
    # From pinned memory, while the GPU computes.
    non_blocking=True)


@MODELS.register_module()
class MIM(BaseSelfSupervisor):
    """Hide most patches of an image and rebuild them from the rest.

    With a ``MAEDecoder`` and a ``PixelTarget`` this is MAE as MAERec trains
    it, which makes LMIM's teacher.

    Args:
        backbone (dict): A :class:`MaskedViT`.
        neck (dict): Decoder.
        head (dict): Reconstruction loss.
        target_generator (dict): What is to be rebuilt.
        data_preprocessor (dict): Normalisation, done on the device.
        init_cfg (dict, optional): Initialisation config.

    Raises:
        UserError: If the decoder does not predict as many channels as the
            target has.
    """

    def __init__(self,
                 backbone: dict,
                 neck: dict,
                 target_generator: dict,
                 head: dict = dict(type='ReconstructionHead'),
                 data_preprocessor: dict = PREPROCESSOR,
                 init_cfg: Optional[dict] = None,
                 **kwargs: Any) -> None:
        super().__init__(
            backbone=MODELS.build(backbone),
            neck=MODELS.build(neck),
            head=MODELS.build(head),
            target_generator=MODELS.build(target_generator),
            data_preprocessor=MODELS.build(data_preprocessor),
            init_cfg=init_cfg,
            **kwargs)
        if self.neck.out_dims != self.target_generator.out_dims:
            raise UserError(
                f'the decoder predicts {self.neck.out_dims} channels and the '
                f'target has {self.target_generator.out_dims}: set '
                f'model.neck.out_dims={self.target_generator.out_dims}')

    def extract_feat(self, inputs: torch.Tensor) -> torch.Tensor:
        """Encode whole images (N, 3, H, W) to tokens (N, 1 + L, C)."""
        return self.backbone(inputs, mask=False)

    def loss(self,
             inputs: Union[torch.Tensor, Sequence[torch.Tensor]],
             data_samples: Optional[List] = None,
             noise: Optional[torch.Tensor] = None,
             **kwargs: Any) -> Dict[str, torch.Tensor]:
        """Compute the reconstruction loss.

        Args:
            inputs (torch.Tensor | Sequence[torch.Tensor]): Normalised images,
                (N, 3, H, W), or several views, of which the first is used.
            data_samples (list, optional): Not used.
            noise (torch.Tensor, optional): Decides which patches are hidden,
                (N, L), instead of a random draw.
            **kwargs: Not used.

        Returns:
            Dict[str, torch.Tensor]: ``loss_recon``.
        """
        images = inputs if isinstance(inputs, torch.Tensor) else inputs[0]
        visible, mask, ids_restore = self.backbone(images, noise=noise)
        pred = self.neck(visible, ids_restore)
        target = self.target_generator(images)
        return dict(loss_recon=self.head.loss(pred, target, mask))


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
