"""Linguistics-aware masked image modelling."""
from typing import Any, Dict, Optional

import torch
from mmocr.registry import MODELS

from lmim.checkpoints.formats import (ENCODER, PROJECTED_DECODER, TEACHER, VIT,
                                      CheckpointFormat, NameTable,
                                      register_format, same, under)
from lmim.utils.errors import UserError
from .base import Inputs, Prediction
from .mim import MIM, NECK, repeat

BRANCHES = ('none', 'guidance', 'both')


@MODELS.register_module()
class LMIM(MIM):
    """LMIM (CVPR 2025, arXiv 2503.18746).

    One encoder sees two views of a word: the image with most patches hidden,
    and a whole view of other appearance. The decoder rebuilds features of the
    hidden patches with the second view as guidance, and the views' [CLS]
    tokens are aligned. Both passes share all weights, and gradients flow
    through both.

    Args:
        branches (str): ``'both'``: guidance and alignment (the paper's);
            ``'guidance'``: no alignment loss; ``'none'``: one branch, no
            guidance (first rows of the paper's ablation).
        neck (dict): A :class:`LinguisticsGuidedDecoder`.
        alignment_head (dict): Loss between the [CLS] tokens, an
            :class:`AlignmentHead`. With ``ema`` of :class:`SelfSup`, which
            some of them ask for by themselves, that of the guidance view is
            the moving average's, which costs a third pass.
        **kwargs: ``backbone``, ``target_generator``, ``head`` ... of
            :class:`MIM`.

    Raises:
        UserError: If ``branches`` is unknown, or the alignment head is for
            another width than the encoder's.
    """

    view_hint = ("put dict(type='GuidanceView') before "
                 "dict(type='PackPretrainInputs') in the pipeline")

    def __init__(self,
                 neck: dict,
                 alignment_head: dict = dict(type='LinguisticsAlignmentHead'),
                 branches: str = 'both',
                 **kwargs: Any) -> None:
        if branches not in BRANCHES:
            raise UserError(
                f'branches must be one of {BRANCHES}, got {branches!r}')
        neck = dict(neck, guided=branches != 'none')
        aligner = MODELS.build(alignment_head) if branches == 'both' else None
        kwargs.setdefault('ema', getattr(aligner, 'ema', None))
        super().__init__(neck=neck, **kwargs)
        self.branches = branches
        if branches != 'none':
            self.view_levels = (None, 'medium')
        if aligner is not None:
            width = self.backbone.embed_dims
            if getattr(aligner, 'in_dims', width) != width:
                raise UserError(
                    f'the alignment head is for {aligner.in_dims} channels '
                    f'and the encoder has {width}: set '
                    f'model.alignment_head.in_dims={width}')
            self.alignment_head = aligner

    def predict(self,
                inputs: Inputs,
                noise: Optional[torch.Tensor] = None,
                data_samples: Any = None) -> Prediction:
        """Rebuild the hidden patches of the image with the other view."""
        if self.branches == 'none':
            return super().predict(inputs, noise, data_samples)
        images, guidance_view = self.split_views(inputs)
        (visible, mask, ids_restore), target = self.encode_masked(
            images, noise, data_samples)
        guidance = self.backbone(guidance_view, mask=False)
        pred = self.neck(visible, ids_restore, repeat(guidance, len(visible)))
        tokens = [visible, guidance]
        if self.ema is not None:
            with torch.no_grad():
                tokens.append(self.twin['backbone'](guidance_view, mask=False))
        return self.with_targets(tokens, mask, pred, target, images)

    def loss(self,
             inputs: Inputs,
             data_samples: Any = None,
             noise: Optional[torch.Tensor] = None,
             **kwargs: Any) -> Dict[str, torch.Tensor]:
        """Compute L_recon and L_align.

        Args:
            inputs (Sequence[torch.Tensor]): Image and guidance view, each
                normalised, (N, 3, H, W).
            data_samples (torch.Tensor | dict, optional): As of MIM.
            noise (torch.Tensor, optional): As of MIM.
            **kwargs: Not used.

        Returns:
            Dict[str, torch.Tensor]: ``loss_recon`` (and ``loss_pixel``) of
            :class:`MIM`, and ``loss_align`` where the views are aligned;
            MMEngine adds them up.
        """
        found = self.predict(inputs, noise, data_samples)
        losses = self.reconstruction_losses(found)
        if self.branches == 'both':
            visible, *_, aligned_with = found.tokens
            losses['loss_align'] = self.alignment_head.loss(
                visible[:, 0], aligned_with[:, 0])
        return losses


register_format(CheckpointFormat(
    'lmim-pretrain', 'LMIM pre-training (authors)', (r'model_maeenc\.', ),
    NameTable(
        under('model_maeenc.', ENCODER, VIT) +
        under('model_maeenc_momentum.', TEACHER, VIT) + NECK +
        same('', 'neck.', ['decoder_embed2.{p}', *(
            f'decoder_blocks.{{n}}.{name}' for name in (
                'self_attn.in_proj_{p}', 'self_attn.out_proj.{p}',
                'multihead_attn.in_proj_{p}', 'multihead_attn.out_proj.{p}',
                'linear1.{p}', 'linear2.{p}', 'norm1.{p}', 'norm2.{p}',
                'norm3.{p}'))])),
    prefix='model_maeenc.',
    needs=(ENCODER, TEACHER, 'neck.')))
register_format(CheckpointFormat(
    'lmim-finetune', 'LMIM fine-tuned (authors)',
    (r'encoder\.patch_embed\.proj\.', ),
    NameTable(
        under('encoder.', ENCODER, VIT) + PROJECTED_DECODER),
    prefix='encoder.',
    needs=(ENCODER, 'encoder.', 'decoder.'),
    start_rows=1))
