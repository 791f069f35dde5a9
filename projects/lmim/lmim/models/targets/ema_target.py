"""Targets that a moving average of the encoder itself computes."""
from copy import deepcopy
from typing import Any, List, Optional

import torch
from mmocr.registry import MODELS

from lmim.utils.errors import UserError

from .feature_targets import FeatureTarget, over_tokens

OUTPUTS = ('final', 'ffn', 'block')


@MODELS.register_module()
class EMATarget(FeatureTarget):
    """Patch features of a moving average of the encoder in training.

    No teacher has to be trained before: after each step of the optimizer
    :class:`~lmim.engine.hooks.MovingAverageHook` moves every weight by
    ``average += momentum * (weight - average)``. The average begins as the
    encoder is when training begins; ``momentum=0`` keeps it so. It is saved
    and resumed with the model, as buffers in eval mode, for which MMEngine's
    ``ExponentialMovingAverage`` of parameters does not serve.

    Nothing ties these targets to the pixels, and features that are all alike
    fulfil them: ``pixel_weight`` of :class:`MIM` is an anchor.

    Args:
        momentum (float): Part of the encoder that the average takes in with
            the first step. 0.004 is I-JEPA's '0.996'.
        end_momentum (float): With the last; in between the momentum changes
            linearly. 0 is I-JEPA's '1'.
        anneal_steps (int, optional): Steps after which ``end_momentum`` is
            reached. Defaults to those of the run, so that the last step takes
            in almost nothing. data2vec 2.0: 100,000 from 2e-4 to 1e-5.
        layers (int): Targets are the mean over so many of the last blocks.
        outputs (str, optional): ``'final'``: the tokens after the encoder's
            final norm, then ``norm`` (I-JEPA's; one layer). ``'ffn'``, before
            the residual is added, or ``'block'``: outputs of the blocks, each
            channel normalised over the tokens before the mean, then ``norm``
            (data2vec 2.0). Defaults to ``'final'`` for one layer, ``'ffn'``
            for more.
        **kwargs: ``norm`` of :class:`FeatureTarget`.

    Raises:
        UserError: If an option is out of its range.
    """

    steps: torch.Tensor

    def __init__(self,
                 momentum: float = 0.004,
                 end_momentum: float = 0.,
                 anneal_steps: Optional[int] = None,
                 layers: int = 1,
                 outputs: Optional[str] = None,
                 **kwargs: Any) -> None:
        outputs = outputs or ('final' if layers == 1 else 'ffn')
        if outputs not in OUTPUTS or outputs == 'final' and layers != 1:
            raise UserError(
                f'outputs of an EMATarget must be one of {OUTPUTS}, and '
                f"'final' goes with layers=1; got {outputs!r} and layers="
                f'{layers}')
        for name, value in (('momentum', momentum),
                            ('end_momentum', end_momentum)):
            if not 0 <= value <= 1:
                raise UserError(f'{name} of an EMATarget must lie between 0 '
                                f'and 1, got {value}')
        super().__init__(**kwargs)
        self.momentum, self.end_momentum = momentum, end_momentum
        self.anneal_steps = anneal_steps
        self.layers, self.outputs = layers, outputs
        self.register_buffer('steps', torch.tensor(0))
        self._begun = False

    def follow(self, encoder: Any) -> None:
        """Take the encoder whose average is to be kept.

        Args:
            encoder (MaskedViT): It does not become a
                submodule: it is the algorithm's.

        Raises:
            UserError: If it has fewer blocks than are to be averaged.
        """
        if not 1 <= self.layers <= len(encoder.layers):
            raise UserError(
                f'the encoder has {len(encoder.layers)} blocks: set model.'
                f'target_generator.layers to 1 ... {len(encoder.layers)}, '
                f'not {self.layers}')
        self._encoder = (encoder, )
        self.use_encoder(deepcopy(encoder))

    def init_weights(self) -> None:
        """Nothing: the average begins as a copy."""

    def encode(self, images: torch.Tensor) -> torch.Tensor:
        """Run the average, a masked ViT too, on whole images."""
        return self.encoder(images, mask=False)

    def begin_average(self) -> None:
        """Copy the encoder, unless a checkpoint gave its average."""
        if self.steps == 0:
            self._move(1.)
        self._begun = True

    def move_average(self, step: int, total_steps: int) -> None:
        """Draw the average towards the encoder, after a step.

        Args:
            step (int): Steps of the optimizer before this one.
            total_steps (int): Steps of the whole run.
        """
        self._move(self.momentum_at(step, total_steps))

    def momentum_at(self, step: int, total_steps: int) -> float:
        """The momentum at a step, from 0, of a run of ``total_steps``."""
        done = min(step / (self.anneal_steps or total_steps), 1.)
        return self.momentum + done * (self.end_momentum - self.momentum)

    @torch.no_grad()
    def _move(self, momentum: float) -> None:
        weights = self._encoder[0].state_dict()
        for name, average in self.encoder.state_dict().items():
            average.lerp_(weights[name], momentum)
        self.steps += 1

    @torch.no_grad()
    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Compute the targets of whole, unmasked images.

        Args:
            images (torch.Tensor): Normalised images, (N, 3, H, W).

        Returns:
            torch.Tensor: (N, L, C).

        Raises:
            UserError: If the encoder is trained and its average not begun.
        """
        if self._encoder[0].training and not self._begun:
            raise UserError(
                'EMATarget is moved by a hook that this run does not have: '
                "add moving_average=dict(type='MovingAverageHook') to "
                'default_hooks')
        if self.outputs == 'final':
            return super().forward(images)
        outputs = map(over_tokens, self.block_outputs(images))
        return self.normalise(torch.stack(list(outputs)).mean(dim=0))

    @torch.no_grad()
    def block_outputs(self, images: torch.Tensor) -> List[torch.Tensor]:
        """What ``outputs`` names of each of the ``layers``, (N, L, C)."""
        found: List[torch.Tensor] = []
        handles = [
            (block if self.outputs == 'block' else block.ffn.gamma2
             ).register_forward_hook(lambda *args: found.append(args[-1]))
            for block in self.encoder.layers[-self.layers:]
        ]
        try:
            self.encode(images)
        finally:
            for handle in handles:
                handle.remove()
        # Images may go through the encoder in several parts.
        return [self.patches_of(torch.cat(found[number::self.layers]))
                for number in range(self.layers)]
