"""Reading by masking and contrast in one step."""
from typing import Any, Dict, Optional

import torch
from mmocr.registry import MODELS

from .base import Inputs, Prediction
from .mim import MIM


@MODELS.register_module()
class DiG(MIM):
    """DiG (ACM MM 2022, arXiv 2207.00193).

    One encoder sees the image with hidden patches, and another, whole view.
    It rebuilds the pixels of what is hidden; and windows of each view are to
    be told from all others by those that the encoder's moving average makes
    of the other view.

    The published encoder has no [CLS]; ``backbone.with_cls_token=False`` is
    that. By default [CLS] takes part, without a loss of its own, so that
    recognizers load the encoder as they are.

    Args:
        backbone (dict): A :class:`SimMIMViT`.
        neck (dict): A :class:`PixelDecoder`.
        target_generator (dict): ``norm_pix='channel'`` normalises patches,
            an option of the code that its README does not set.
        token_projector (dict): What tokens of the masked view pass before
            they are averaged to windows, a :class:`TokenMLP`.
        projector (dict): A :class:`WindowProjector`.
        contrast_head (dict): A :class:`MomentumContrastHead`.
        ema (dict): Moving average of all parts that make keys: by 1 - m =
            0.01 a step at first, falling to 0 with a cosine.
        **kwargs: ``head`` ... of :class:`MIM`, which hides once.
    """

    view_levels = (None, 'dig')
    view_hint = ("put dict(type='GuidanceView', level='dig') before "
                 "dict(type='PackPretrainInputs') in the pipeline")

    def __init__(self,
                 backbone: dict,
                 neck: dict = dict(type='PixelDecoder'),
                 target_generator: dict = dict(
                     type='PixelTarget', norm_pix=False, unit=True),
                 token_projector: dict = dict(type='TokenMLP'),
                 projector: dict = dict(type='WindowProjector'),
                 contrast_head: dict = dict(
                     type='MomentumContrastHead', loss_weight=0.1),
                 ema: dict = dict(type='mmpretrain.CosineEMA', momentum=0.01),
                 **kwargs: Any) -> None:
        super().__init__(backbone, neck, target_generator, **kwargs)
        self.token_projector = MODELS.build(token_projector)
        self.projector = MODELS.build(projector)
        self.contrast_head = MODELS.build(contrast_head)
        self.follow(dict(
            ema, parts=('backbone', 'token_projector', 'projector')))

    def predict(self,
                inputs: Inputs,
                noise: Optional[torch.Tensor] = None,
                data_samples: Any = None) -> Prediction:
        """Rebuild the image, and project windows of both views twice."""
        images, view = self.split_views(inputs)
        (masked, mask), target = self.encode_masked(images, noise,
                                                    data_samples)
        whole = self.backbone(view, mask=False)
        instances = self.project(self, masked, whole)
        with torch.no_grad():
            twin = self.twin
            keys = self.project(
                twin, twin['backbone'](images, mask=mask)[0],
                twin['backbone'](view, mask=False))
        pred = self.neck(masked[:, self.backbone.num_extra_tokens:])
        return Prediction([masked, whole], mask, pred, target,
                          instances=instances, keys=keys)

    def project(self, parts: Any, masked: torch.Tensor,
                whole: torch.Tensor) -> Any:
        """Windows of both views, (N, T, D) each, by the model or its twin.

        Args:
            parts (nn.Module): Where ``token_projector`` and ``projector``
                are.
            masked (torch.Tensor): Tokens of the masked image, (N, 1 + L, C).
            whole (torch.Tensor): Those of the other view.
        """
        patches = slice(self.backbone.num_extra_tokens, None)
        masked = parts.token_projector(masked[:, patches])
        # Batch norm sees both views together.
        return parts.projector(
            torch.cat([masked, whole[:, patches]])).chunk(2)

    def loss(self,
             inputs: Inputs,
             data_samples: Any = None,
             noise: Optional[torch.Tensor] = None,
             **kwargs: Any) -> Dict[str, torch.Tensor]:
        """Compute L_pix and L_con.

        Args:
            inputs (Sequence[torch.Tensor]): Image and another view, each
                normalised, (N, 3, H, W).
            data_samples (torch.Tensor | dict, optional): For masks that
                depend on the images.
            noise (torch.Tensor, optional): Decides which patches are hidden,
                (N, L), instead of a random draw.
            **kwargs: Not used.

        Returns:
            Dict[str, torch.Tensor]: ``loss_recon``, the squared error of
            hidden pixels, and ``loss_contrast``.
        """
        found = self.predict(inputs, noise, data_samples)
        # Each view is to find the keys of the other.
        return dict(
            self.reconstruction_losses(found),
            loss_contrast=self.contrast_head.loss(
                found.instances, found.keys[::-1]))
