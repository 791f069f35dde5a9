"""What the checks of DiG and SSM share: a moving average, and its keys."""
import re
from typing import Any, Dict, Iterator

import torch

from .common import ABSOLUTE, Check, Reference, build

#: Of keys and queries: batch norms of few rows enlarge what is rounded, and
#: CPUs differ in it (2.4e-5 with AVX2).
PROJECTED = 5e-5


def in_training(ref: Reference, cfg: dict,
                weights: Dict[str, torch.Tensor]) -> Any:
    """A model in training mode, whose average has moved once.

    The files leave out the running statistics of batch norms, DiG's the
    positions, and SSM's the average's last layer, which makes no keys.
    """
    model = build(dict(cfg, ema=dict(
        type='ExponentialMovingAverage',
        momentum=1 - float(ref['momentum']))))
    missing, unexpected = model.load_state_dict(weights, strict=False)
    lost = [name for name in missing if not re.search(
        r'\.running_(mean|var)$|\.steps$|\.pos_embed$|^ema.*decoder_pred\.',
        name)]
    if lost or unexpected:
        raise RuntimeError(f'weights: {lost}, {unexpected}')
    model.ema.steps += 1
    model.move_average(0, 1)
    return model.train()


def compare_all(ref: Reference,
                outputs: Dict[str, torch.Tensor]) -> Iterator[Check]:
    """Compare outputs: losses as they are, tensors by their largest value."""
    for name, value in outputs.items():
        yield ref.compare(
            name, value, PROJECTED if name[:2] in ('q_', 'k_') else ABSOLUTE,
            scaled=value.dim() > 0)


def norms_by_their_names(model: Any,
                         ours: Dict[str, str]) -> Dict[str, torch.Tensor]:
    """The trained weights by the names of a reference, for their norms."""
    named = dict(model.named_parameters())
    return {theirs: named[own] for theirs, own in ours.items()
            if own in named and named[own].requires_grad}
