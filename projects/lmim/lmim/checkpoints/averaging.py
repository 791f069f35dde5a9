"""The mean of the weights of several checkpoints."""
from pathlib import Path
from typing import Dict, List, NamedTuple, Sequence, Union

import torch

from lmim.utils.errors import CheckpointError, some
from .contents import Checkpoint, open_checkpoint


class Average(NamedTuple):
    """Averaged weights; all else is the last checkpoint's."""
    checkpoint: Checkpoint
    from_last: List[str]  # whole numbers that differ: the last one's, too


def average(paths: Sequence[Union[str, Path]]) -> Average:
    """Average the weights of checkpoints of one model, at least two files.

    Sums are of double precision. One checkpoint is in memory at a time.

    Raises:
        FileNotFoundError: If a file is not there.
        CheckpointError: If there are fewer than two, or their weights differ
            in names, shapes or types, or are not finite.
    """
    if len(paths) < 2:
        raise CheckpointError('an average needs two checkpoints or more')
    sums: Dict[str, torch.Tensor] = {}
    kinds: Dict[str, str] = {}
    from_last = set()
    for path in paths:
        current = open_checkpoint(path)
        bad = not_finite(current.weights)
        if bad:  # so would be the average
            raise CheckpointError(f'{path} has weights that are not finite: '
                                  f'{some(bad)}. Leave it out')
        found = {name: f'{tuple(value.shape)} {str(value.dtype)[6:]}'
                 for name, value in current.weights.items()}
        kinds = kinds or found
        differ = f'{paths[0]} and {path} are of different models: '
        if kinds.keys() != found.keys():
            raise CheckpointError(f'{differ}only one of them has '
                                  f'{some(sorted(kinds.keys() ^ found))}')
        for name, value in current.weights.items():
            if kinds[name] != found[name]:
                raise CheckpointError(
                    f'{differ}{name} is {kinds[name]} in one and '
                    f'{found[name]} in the other')
            if value.is_floating_point():
                sums[name] = sums.get(name, 0) + value.double()
            else:
                if not torch.equal(sums.get(name, value), value):
                    from_last.add(name)
                sums[name] = value
    weights = {name: (sums[name] / len(paths)).to(value.dtype)
               if value.is_floating_point() else sums[name]
               for name, value in current.weights.items()}
    meta = dict(current.meta, averaged=[Path(path).name for path in paths])
    return Average(current._replace(weights=weights, meta=meta),
                   sorted(from_last))


def not_finite(weights: Dict[str, torch.Tensor]) -> List[str]:
    """The names of weights with infinite or undefined values."""
    return [name for name, value in weights.items()
            if value.is_floating_point() and not value.isfinite().all()]
