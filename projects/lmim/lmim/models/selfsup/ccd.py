"""Reading by distilling characters: regions of text found without labels."""
from typing import Any, Dict, List, Optional

import numpy as np
import torch
import torch.nn.functional as F
from mmocr.registry import MODELS

from lmim.datasets.transforms.glyph_map import number_regions
from ..layers import share_of_run
from ..necks.regions import Regions
from .base import Inputs, Prediction, SelfSup


@MODELS.register_module()
class CCD(SelfSup):
    """Character-to-character distillation (ICCV 2023, arXiv 2211.00288).

    The regions of a word are found by their grey values
    (:class:`~lmim.datasets.GlyphMap`) and carried into a second view, which
    is bent. The vector of a region in either view is to say which prototypes
    the moving average takes the same region of the other view for. Beside it
    the encoder learns to tell text from background; later in the run what it
    tells replaces grey values.

    As with :class:`DiG`, [CLS] takes part without a loss unless
    ``backbone.with_cls_token=False``, which the published encoder is.

    Args:
        backbone (dict): A :class:`TextViT`.
        neck (dict): A :class:`GlyphSegmentation`.
        regions (dict): :class:`CharacterRegions`; ``padded`` is the code's.
        projector (dict): A :class:`PrototypeProjector`.
        distillation_head (dict): A :class:`DistillationHead`, L_dis.
        seg_logits (bool): Take L_seg of logits. The code takes it of
            probabilities, softened once more, which is the default: it falls
            no lower than 0.31.
        own_regions (float, optional): From this share of the run on, regions
            are those of the text that the model finds. None: never, as for
            letters that are known.
        ema (dict): Moving average of encoder and projector: by 1 - m =
            0.0005 a step at first, falling to 0 with a cosine.
        **kwargs: ``data_preprocessor`` ... of :class:`SelfSup`.
    """

    view_levels = ('color', 'ccd')
    meta_keys = ('glyph_map', 'guidance_warp')
    view_hint = ('take ccd_pipeline of configs/_base_/pretrain_dataloader.py: '
                 'GlyphMap, GuidanceView(level="ccd", with_warp=True), '
                 'GuidanceView(level="color", key="img"), '
                 'PackPretrainInputs(meta_keys=("glyph_map", '
                 '"guidance_warp"))')
    picture_note = (
        'regions: what is distilled, in colours from left to right; equal '
        'colours are the same region in both views. Grey text is in no '
        'region. text found: what the model takes for text in view 1, the '
        'brighter the surer.')

    def __init__(self,
                 backbone: dict,
                 neck: dict = dict(type='GlyphSegmentation'),
                 regions: dict = dict(type='CharacterRegions'),
                 projector: dict = dict(type='PrototypeProjector'),
                 distillation_head: dict = dict(type='DistillationHead'),
                 seg_logits: bool = False,
                 own_regions: Optional[float] = 30 / 98,
                 ema: dict = dict(
                     type='mmpretrain.CosineEMA', momentum=0.0005),
                 **kwargs: Any) -> None:
        super().__init__(backbone, neck, **kwargs)
        self.regions = MODELS.build(regions)
        self.projector = MODELS.build(projector)
        self.distillation_head = MODELS.build(distillation_head)
        self.seg_logits = seg_logits
        self.own_regions = own_regions
        self.follow(dict(ema, parts=('backbone', 'projector')))

    def train(self, mode: bool = True) -> 'CCD':
        """Set the mode; the average drops no paths."""
        super().train(mode)
        self.twin.eval()
        return self

    def predict(self,
                inputs: Inputs,
                noise: Optional[torch.Tensor] = None,
                data_samples: Any = None) -> Prediction:
        """Segment both views, and project their regions twice."""
        images = torch.cat(self.split_views(inputs))
        tokens, tapped = self.backbone.forward_taps(images, self.neck.taps)
        logits = self.neck([self.patches(each) for each in tapped])
        regions = self.find_regions(logits, data_samples)
        with torch.no_grad():
            keys = self.project(self.twin, self.twin['backbone'](images),
                                regions)
        return Prediction(
            list(tokens.chunk(2)), text=(logits, regions.text),
            instances=self.project(self, tokens, regions), keys=keys,
            pictures={} if self.training else self.pictures(logits, regions))

    def patches(self, tokens: torch.Tensor) -> torch.Tensor:
        """Tokens without [CLS]."""
        return tokens[:, self.backbone.num_extra_tokens:]

    def find_regions(self, logits: torch.Tensor,
                     data_samples: Any) -> Regions:
        """Regions of both views, by grey values or by what the model finds.

        Raises:
            UserError: If the pipeline gives no regions.
        """
        about = self.about_images(data_samples)
        found, warp = (about[key] for key in self.meta_keys)
        text = found > 0
        if self.own_regions is not None and (
                share_of_run() >= self.own_regions):
            mask = logits[:len(text)].argmax(dim=1).byte().cpu().numpy()
            found = torch.from_numpy(np.stack(
                [number_regions(each) for each in mask])).to(text.device)
        return self.regions(found, text, warp)

    def project(self, parts: Any, tokens: torch.Tensor,
                regions: Regions) -> List[torch.Tensor]:
        """Prototypes of the regions that count, (M, K) of each view.

        Args:
            parts (nn.Module): Where the ``projector`` is.
            tokens (torch.Tensor): Of both views, (2N, 1 + L, C).
            regions (Regions): The regions.
        """
        return [parts.projector(each) for each in self.regions.pool(
            self.patches(tokens), regions)]

    @staticmethod
    def pictures(logits: torch.Tensor,
                 regions: Regions) -> Dict[str, torch.Tensor]:
        """What is distilled of both views, and what is found to be text."""
        maps = regions.numbered().chunk(2)
        return {'regions, view 1': maps[0], 'regions, view 2': maps[1],
                'text found': logits.softmax(dim=1)[:len(maps[0]), 1]}

    def loss(self,
             inputs: Inputs,
             data_samples: Any = None,
             noise: Optional[torch.Tensor] = None,
             **kwargs: Any) -> Dict[str, torch.Tensor]:
        """Compute L_seg + L_dis.

        Args:
            inputs (Sequence[torch.Tensor]): Regular and bent view, each
                normalised, (N, 3, H, W).
            data_samples (dict): ``glyph_map`` and ``guidance_warp``.
            noise (optional): Not used.
            **kwargs: Not used.

        Returns:
            Dict[str, torch.Tensor]: ``loss_seg``, the cross-entropy of text
            and background in both views, and ``loss_dis``.
        """
        found = self.predict(inputs, data_samples=data_samples)
        assert found.text is not None
        # Each view is to find what the average says of the other.
        return dict(
            loss_seg=self.segmentation_loss(*found.text),
            loss_dis=self.distillation_head.loss(
                found.instances, found.keys[::-1]))

    def segmentation_loss(self, logits: torch.Tensor,
                          text: torch.Tensor) -> torch.Tensor:
        """Cross-entropy of logits (M, 2, H, W) and text (M, H, W)."""
        logits = logits.float()
        return F.cross_entropy(
            logits if self.seg_logits else logits.softmax(dim=1), text.long())
