"""Masked image modelling beside groups of what is alike in two views."""
from typing import Any, Dict, Optional

import torch
from mmocr.registry import MODELS

from ..necks.linguistics_guided_decoder import LinguisticsGuidedDecoder
from ..necks.regions import TokenRegions, regions_of_tokens
from .base import Inputs, Prediction
from .mim import MIM, repeat


@MODELS.register_module()
class HSG(MIM):
    """HSG (CVPR 2022, arXiv 2204.11432) as a term beside MAE or LMIM.

    The encoder sees an image with hidden patches, the whole image, and
    another view of it. Hidden patches are rebuilt, as by :class:`MIM`, or
    with the view's guidance, as by :class:`LMIM`. Tokens of both whole views
    are clustered to segments, cut by regions that the warp of the view
    carries along; these are grouped on two levels, and tokens drawn to
    segments of their region and of their groups.

    Args:
        neck (dict): A :class:`MAEDecoder`, or a
            :class:`LinguisticsGuidedDecoder`, which the view then guides.
        grouping_head (dict): A :class:`HierarchicalGroupingHead`.
        alignment_head (dict, optional): Loss between the [CLS] tokens of
            masked image and view, as of :class:`LMIM`. Defaults to None.
        least (float): Share of a patch from which on a region has it rather
            than the ground.
        **kwargs: ``backbone``, ``target_generator``, ``head`` ... of
            :class:`MIM`.
    """

    view_levels = (None, 'medium')
    meta_keys = ('region_map', 'guidance_warp')
    view_hint = ('take hsg_pipeline of configs/_base_/pretrain_dataloader.py: '
                 'RegionMap, GuidanceView(with_warp=True), Resize, '
                 'PackPretrainInputs(meta_keys=("region_map", '
                 '"guidance_warp"))')
    picture_note = (
        'regions: what belongs together in both views, in equal colours; '
        'black is the ground, or outside. fine and coarse groups: what the '
        'model takes for alike, of both views of a picture.')

    def __init__(self,
                 neck: dict,
                 grouping_head: dict = dict(type='HierarchicalGroupingHead'),
                 alignment_head: Optional[dict] = None,
                 least: float = 1 / 16,
                 **kwargs: Any) -> None:
        super().__init__(neck=neck, **kwargs)
        self.grouping_head = MODELS.build(grouping_head)
        self.alignment_head: Any = (
            None if alignment_head is None else MODELS.build(alignment_head))
        self.least = least

    def predict(self,
                inputs: Inputs,
                noise: Optional[torch.Tensor] = None,
                data_samples: Any = None) -> Prediction:
        """Rebuild hidden patches, and group the tokens of both views."""
        images, view = self.split_views(inputs)
        (visible, mask, ids_restore), target = self.encode_masked(
            images, noise, data_samples)
        # Views of a picture follow one another.
        whole = self.backbone(torch.stack([images, view], 1).flatten(0, 1),
                              mask=False)
        guidance = whole[1::2]
        if isinstance(self.neck, LinguisticsGuidedDecoder):
            pred = self.neck(visible, ids_restore,
                             repeat(guidance, len(visible)))
        else:
            pred = self.neck(visible, ids_restore)
        found = self.with_targets([visible, guidance], mask, pred, target,
                                  images)
        head = self.grouping_head
        features = head.project(whole[:, self.backbone.num_extra_tokens:])
        regions = self.find_regions(data_samples)
        segments = head.segment(features, regions.maps, regions.inside)
        found.groups = segments, head.group(segments)
        if not self.training:
            found.pictures = self.pictures(found, regions)
        return found

    def find_regions(self, data_samples: Any) -> TokenRegions:
        """Regions of the tokens of both views.

        Raises:
            UserError: If the pipeline gives none.
        """
        about = self.about_images(data_samples)
        found, warp = (about[key] for key in self.meta_keys)
        return regions_of_tokens(found, warp, self.backbone.grid, self.least)

    def pictures(self, found: Prediction, regions: TokenRegions
                 ) -> Dict[str, torch.Tensor]:
        """Regions of both views, and groups on each level."""
        segments, levels = found.groups
        maps = {'regions': torch.where(regions.inside, regions.maps, 0)}
        for name, level in zip(('fine groups', 'coarse groups'), levels):
            maps[name] = self.grouping_head.pixel_groups(segments, level) + 1
        rows, columns = self.backbone.patch_size
        return {
            f'{name}, view {number + 1}':
            each[number::2].byte().repeat_interleave(
                rows, dim=1).repeat_interleave(columns, dim=2)
            for name, each in maps.items() for number in range(2)}

    def loss(self,
             inputs: Inputs,
             data_samples: Any = None,
             noise: Optional[torch.Tensor] = None,
             **kwargs: Any) -> Dict[str, torch.Tensor]:
        """Compute L_recon and the losses of segments and groups.

        Args:
            inputs (Sequence[torch.Tensor]): Image and another view, each
                normalised, (N, 3, H, W).
            data_samples (dict): ``region_map`` and ``guidance_warp``.
            noise (torch.Tensor, optional): As of MIM.
            **kwargs: Not used.

        Returns:
            Dict[str, torch.Tensor]: Those of :class:`MIM`; ``loss_align``
            where there is an alignment; and ``loss_regions``,
            ``loss_groups``, ``loss_modularity``, ``loss_collapse`` and
            ``loss_centers`` of :class:`HierarchicalGroupingHead`.
        """
        found = self.predict(inputs, noise, data_samples)
        losses = self.reconstruction_losses(found)
        if self.alignment_head is not None:
            visible, guidance = found.tokens
            losses['loss_align'] = self.alignment_head.loss(
                visible[:, 0], guidance[:, 0])
        losses.update(self.grouping_head.loss(*found.groups))
        return losses
