"""The ViT as the convolutional backbone that other recognizers expect."""
from typing import Any, Dict, Optional

import torch
from mmengine.model import BaseModule
from mmocr.registry import MODELS
from torch import nn

from lmim.utils.errors import UserError

from ..layers import init_transformer


@MODELS.register_module()
class ViTFeatureMap(BaseModule):
    """A pre-trained ViT whose patches are given as a feature map.

    It stands between a :class:`TextViT` and the encoders and decoders of
    MMOCR's recognizers, which take a map (N, C, H, W), a map of one row, or a
    certain number of channels. The ViT is loaded by its own ``init_cfg``, so
    a checkpoint must match it in full.

    Args:
        vit (dict): Config of a :class:`TextViT`.
        out_channels (int, optional): Channels of the map; None keeps those of
            the ViT. Otherwise a linear layer and a layer norm bring tokens
            to that width.
        pool (str, optional): ``'mean'`` or ``'max'`` over the height gives a
            map of one row; None keeps all rows.
        init_cfg (dict, optional): Initialisation config.

    Raises:
        UserError: If ``pool`` is another.

    Examples:
        >>> backbone = dict(
        ...     type='ViTFeatureMap',
        ...     vit=dict(
        ...         type='TextViT',
        ...         init_cfg=dict(type='Pretrained', checkpoint='lmim.pth')),
        ...     out_channels=512,
        ...     pool='mean')
    """

    def __init__(self,
                 vit: Dict[str, Any],
                 out_channels: Optional[int] = None,
                 pool: Optional[str] = None,
                 init_cfg: Optional[dict] = None) -> None:
        super().__init__(init_cfg)
        if pool not in (None, 'mean', 'max'):
            raise UserError("pool must be 'mean', 'max' or None, got "
                            f'{pool!r}')
        self.vit = MODELS.build(dict(vit, out_type='featmap'))
        self.pool = pool
        self.out_channels = out_channels or self.vit.out_dims
        self.link = nn.Identity() if out_channels is None else nn.Sequential(
            nn.Linear(self.vit.out_dims, out_channels),
            nn.LayerNorm(out_channels))

    def init_weights(self) -> None:
        """Load or initialise the ViT; Xavier-uniform for the linear layer."""
        super().init_weights()
        init_transformer(self.link)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Encode images.

        Args:
            images (torch.Tensor): Normalised images, (N, 3, H, W).

        Returns:
            torch.Tensor: (N, out_channels, rows, columns); with ``pool``,
            (N, out_channels, 1, columns).
        """
        features = self.vit(images)
        if self.pool == 'mean':
            features = features.mean(dim=2, keepdim=True)
        elif self.pool == 'max':
            features = features.amax(dim=2, keepdim=True)
        features = self.link(features.permute(0, 2, 3, 1))
        return features.permute(0, 3, 1, 2)
