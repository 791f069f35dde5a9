"""Targets that a frozen encoder computes."""
from typing import Any, Optional

import torch
import torch.nn.functional as F
from mmengine.model import BaseModule
from mmocr.registry import MODELS
from torch import nn

from lmim.checkpoints import load_encoder_weights
from lmim.utils.errors import UserError


#: How targets are normalised.
NORMS = ('layer', 'instance')


class FrozenEncoderTarget(BaseModule):
    """Normalised patch features of a frozen encoder.

    The encoder's weights are kept as buffers, not parameters: they are saved
    with the model, but no optimizer, gradient clipping or distributed
    reduction can come upon them. The encoder stays in eval mode.

    Args:
        encoder (dict): Config of the encoder, a :class:`TextViT`.
        norm (str): ``'layer'``: over the channels of each token (the
            paper's). ``'instance'``: over the tokens of each image, channel
            by channel. Most of what differs between layer-normed tokens is
            the look of whole images, not their text; this takes out what the
            tokens of an image have in common.

    Raises:
        UserError: If ``norm`` is unknown.
    """

    def __init__(self, encoder: dict, norm: str = 'layer') -> None:
        super().__init__()
        if norm not in NORMS:
            raise UserError(f'norm of a target must be one of {NORMS}, got '
                            f'{norm!r}')
        self.norm = norm
        self.encoder = MODELS.build(encoder)
        self.out_dims = self.encoder.embed_dims
        freeze_into_buffers(self.encoder)
        self.train(False)

    def train(self, mode: bool = True) -> 'FrozenEncoderTarget':
        """Stay in eval mode, whatever is asked."""
        return super().train(False)

    @torch.no_grad()
    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Compute the targets of whole, unmasked images.

        Args:
            images (torch.Tensor): Normalised images, (N, 3, H, W).

        Returns:
            torch.Tensor: Patch features after the encoder's final norm and
            the target's, without affine parameters, (N, L, C).
        """
        features = self.encoder(images)[:, 1:].float()
        if self.norm == 'instance':
            return F.instance_norm(features.transpose(1, 2)).transpose(1, 2)
        return F.layer_norm(features, features.shape[-1:])


@MODELS.register_module()
class MAERecTargetExtractor(FrozenEncoderTarget):
    """Features of a frozen MAE or MAERec encoder, the paper's target.

    Args:
        checkpoint (str, optional): File of the encoder's weights, in any
            format that :mod:`lmim.checkpoints` knows. Without it the model
            can be built, to load a whole LMIM checkpoint into, but
            ``init_weights`` refuses.
        encoder (dict): Config of the encoder; its shape must be the
            checkpoint's.
        **kwargs: ``norm`` of :class:`FrozenEncoderTarget`.
    """

    def __init__(self,
                 checkpoint: Optional[str] = None,
                 encoder: dict = dict(type='TextViT', arch='small'),
                 **kwargs: Any) -> None:
        super().__init__(encoder, **kwargs)
        self.checkpoint = checkpoint

    def init_weights(self) -> None:
        """Load the teacher.

        Raises:
            UserError: If no checkpoint is named.
            CheckpointError: If the checkpoint cannot be read or does not fit
                the encoder in every key.
        """
        if not self.checkpoint:
            raise UserError(
                'LMIM needs the weights of an MAE or MAERec encoder as its '
                'target, and none is named: set model.target_generator.'
                'checkpoint=FILE (train one with configs/pretrain/mae/), or '
                "use target_generator=dict(type='PixelTarget')")
        load_encoder_weights(self.encoder, self.checkpoint)
        self._is_init = True


@MODELS.register_module()
class RandomFeatureTarget(FrozenEncoderTarget):
    """Features of a frozen encoder that was never trained (an ablation).

    Args:
        encoder (dict): Config of the encoder.
        **kwargs: ``norm`` of :class:`FrozenEncoderTarget`.
    """

    def __init__(self,
                 encoder: dict = dict(type='TextViT', arch='small'),
                 **kwargs: Any) -> None:
        super().__init__(encoder, **kwargs)


def freeze_into_buffers(module: nn.Module) -> None:
    """Turn every parameter of a module into a buffer of the same name.

    Args:
        module (nn.Module): Changed in place, with all its children.
    """
    for child in module.modules():
        for name, parameter in list(child.named_parameters(recurse=False)):
            delattr(child, name)
            child.register_buffer(name, parameter.detach())
