"""Targets that a frozen encoder computes."""
from typing import Any, Optional

import torch
import torch.nn.functional as F
from mmengine.model import BaseModule
from mmocr.registry import MODELS
from torch import nn

from lmim.checkpoints import load_encoder_weights
from lmim.utils.errors import UserError

from .whitening import Whitening

#: How targets are normalised.
NORMS = ('layer', 'instance', 'instance-layer', 'whitened')


class FeatureTarget(BaseModule):
    """Normalised patch features of an encoder that gets no gradients.

    The encoder's weights are kept as buffers, not parameters: they are saved
    with the model, but no optimizer, gradient clipping or distributed
    reduction can come upon them. The encoder stays in eval mode.

    Args:
        norm (str): ``'layer'``: over the channels of each token (the
            paper's). ``'instance'``: over the tokens of each image, channel
            by channel. Most of what differs between layer-normed tokens is
            the look of whole images, not their text; this takes out what the
            tokens of an image have in common. ``'instance-layer'``: that,
            then over the channels of each token (data2vec 2.0).
            ``'whitened'``: by :class:`Whitening`.

    Raises:
        UserError: If ``norm`` is unknown.
    """

    def __init__(self, norm: str = 'layer') -> None:
        super().__init__()
        if norm not in NORMS:
            raise UserError(f'norm of a target must be one of {NORMS}, got '
                            f'{norm!r}')
        self.norm = norm

    def use_encoder(self, encoder: Any) -> None:
        """Make an encoder, which is changed, the one that is used."""
        self.encoder = encoder
        self.out_dims: int = encoder.embed_dims
        if self.norm == 'whitened':
            self.whitening = Whitening(self.out_dims)
        freeze_into_buffers(self.encoder)
        self.train(False)

    def train(self, mode: bool = True) -> 'FeatureTarget':
        """Stay in eval mode, all but the statistics of whitening."""
        super().train(False)
        if self.norm == 'whitened':
            self.whitening.train(mode)
        return self

    @torch.no_grad()
    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Compute the targets of whole, unmasked images.

        Args:
            images (torch.Tensor): Normalised images, (N, 3, H, W).

        Returns:
            torch.Tensor: Patch features after the encoder's final norm and
            the target's, without affine parameters, (N, L, C).
        """
        return self.normalise(self.patches_of(self.encode(images)))

    def encode(self, images: torch.Tensor) -> torch.Tensor:
        """Run the encoder on whole images, to tokens (N, 1 + L, C)."""
        return self.encoder(images)

    def patches_of(self, tokens: torch.Tensor) -> torch.Tensor:
        """Tokens without [CLS], in full precision also under AMP."""
        return tokens[:, self.encoder.num_extra_tokens:].float()

    def normalise(self, features: torch.Tensor) -> torch.Tensor:
        """Normalise features (N, L, C) as ``norm`` says."""
        if self.norm == 'whitened':
            return self.whitening(features)
        if self.norm in ('instance', 'instance-layer'):
            features = over_tokens(features)
        if self.norm in ('layer', 'instance-layer'):
            features = F.layer_norm(features, features.shape[-1:])
        return features


@MODELS.register_module()
class RandomFeatureTarget(FeatureTarget):
    """Features of a frozen encoder that was never trained (an ablation).

    Args:
        encoder (dict): Config of the encoder, a :class:`TextViT`.
        **kwargs: ``norm`` of :class:`FeatureTarget`.
    """

    def __init__(self,
                 encoder: dict = dict(type='TextViT', arch='small'),
                 **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.use_encoder(MODELS.build(encoder))


@MODELS.register_module()
class MAERecTargetExtractor(RandomFeatureTarget):
    """Features of a frozen MAE or MAERec encoder, the paper's target.

    Args:
        checkpoint (str, optional): File of the encoder's weights, in any
            format that :mod:`lmim.checkpoints` knows. Without it the model
            can be built, to load a whole LMIM checkpoint into, but
            ``init_weights`` refuses.
        **kwargs: ``norm``, and ``encoder``, whose shape must be the
            checkpoint's, of :class:`RandomFeatureTarget`.
    """

    def __init__(self,
                 checkpoint: Optional[str] = None,
                 **kwargs: Any) -> None:
        super().__init__(**kwargs)
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


def over_tokens(features: torch.Tensor) -> torch.Tensor:
    """Instance norm of features (N, L, C): each channel over the tokens."""
    return F.instance_norm(features.transpose(1, 2)).transpose(1, 2)


def freeze_into_buffers(module: nn.Module) -> None:
    """Turn every parameter of a module into a buffer of the same name.

    Args:
        module (nn.Module): Changed in place, with all its children.
    """
    for child in module.modules():
        for name, parameter in list(child.named_parameters(recurse=False)):
            delattr(child, name)
            child.register_buffer(name, parameter.detach())
