"""Sequence-to-sequence contrastive learning."""
from typing import Any, Dict, List, Optional

import torch
from mmocr.registry import MODELS

from .base import Inputs, Prediction, SelfSup


@MODELS.register_module()
class SeqCLR(SelfSup):
    """SeqCLR (CVPR 2021, arXiv 2012.10873).

    Two augmented views of a word go through one encoder, whole. Their frames
    (columns of patches) are projected and averaged to instances, windows of
    the word from left to right, and each window is to be told from all
    others by the same window of the other view.

    Published for a CNN with a BiLSTM; on a ViT the rows of patches are
    averaged first.

    Args:
        backbone (dict): A :class:`TextViT`.
        neck (dict): A :class:`SequenceProjector`: the projection (none,
            linear, BiLSTM) and the instances (all, window, frame) of the
            paper's ablation.
        head (dict): Loss over instances.
        **kwargs: ``data_preprocessor`` ... of :class:`SelfSup`.
    """

    view_levels = ('sequence', 'sequence')
    view_hint = ("end the pipeline with dict(type='SeveralViews', "
                 'num_views=2, transforms=[...]) and set train_dataloader.'
                 "collate_fn=dict(type='stack_views')")

    def predict(self,
                inputs: Inputs,
                noise: Optional[torch.Tensor] = None,
                data_samples: Any = None) -> Prediction:
        """Encode both views and map them to instances."""
        views = self.split_views(inputs)
        tokens = self.extract_feat(torch.cat(views))
        instances = self.neck(tokens)
        return Prediction(
            list(tokens.chunk(len(views))),
            instances=instances.chunk(len(views)))

    def loss(self,
             inputs: Inputs,
             data_samples: Optional[List] = None,
             noise: Optional[torch.Tensor] = None,
             **kwargs: Any) -> Dict[str, torch.Tensor]:
        """Compute the contrastive loss.

        Args:
            inputs (Sequence[torch.Tensor]): Two normalised views, each
                (N, 3, H, W).
            data_samples (list, optional): Not used.
            noise (torch.Tensor, optional): Not used: nothing is masked.
            **kwargs: Not used.

        Returns:
            Dict[str, torch.Tensor]: ``loss_contrast``.
        """
        first, second = self.predict(inputs).instances
        return dict(loss_contrast=self.head.loss(first, second))
