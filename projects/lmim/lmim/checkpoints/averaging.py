"""The mean of the weights of several checkpoints."""
from pathlib import Path
from typing import Dict, List, NamedTuple, Optional, Sequence, Union

import torch

from lmim.utils.errors import CheckpointError, some
from .contents import Checkpoint, open_checkpoint


class Average(NamedTuple):
    """Averaged weights.

    Attributes:
        checkpoint (Checkpoint): The result; all but the weights is the last
            checkpoint's.
        from_last (List[str]): Weights of whole numbers that differ, and are
            the last checkpoint's.
    """
    checkpoint: Checkpoint
    from_last: List[str]


def average(paths: Sequence[Union[str, Path]]) -> Average:
    """Average the weights of checkpoints of one model.

    Sums are of double precision. One checkpoint is in memory at a time.

    Args:
        paths (Sequence[str or Path]): At least two files.

    Returns:
        Average: The result.

    Raises:
        FileNotFoundError: If a file is not there.
        CheckpointError: If there are fewer than two, or their weights differ
            in names, shapes or types, or are not finite.
    """
    if len(paths) < 2:
        raise CheckpointError('an average needs two checkpoints or more')
    sums: Dict[str, torch.Tensor] = {}
    from_last: List[str] = []
    first: Optional[Checkpoint] = None
    for path in paths:
        current = open_checkpoint(path)
        if first is None:
            first = current
            sums = {
                name: value.double() if _is_averaged(value) else value
                for name, value in current.weights.items()
            }
            _check_finite(current)
            continue
        _check_same(first, current)
        _check_finite(current)
        for name, value in current.weights.items():
            if _is_averaged(value):
                sums[name] += value.double()
            elif not torch.equal(sums[name], value):
                from_last.append(name)
                sums[name] = value
    weights = {
        name: (sums[name] / len(paths)).to(value.dtype)
        if _is_averaged(value) else sums[name]
        for name, value in current.weights.items()
    }
    meta = dict(current.meta, averaged=[Path(path).name for path in paths])
    return Average(current._replace(weights=weights, meta=meta),
                   sorted(set(from_last)))


def _is_averaged(value: torch.Tensor) -> bool:
    return value.is_floating_point()


def _check_same(first: Checkpoint, other: Checkpoint) -> None:
    """Raise where two checkpoints are not of one model."""
    names = first.weights.keys() ^ other.weights.keys()
    if names:
        raise CheckpointError(
            f'{first.path} and {other.path} are of different models: only '
            f'one of them has {some(sorted(names))}')
    for name, value in first.weights.items():
        given = other.weights[name]
        if (given.shape, given.dtype) != (value.shape, value.dtype):
            raise CheckpointError(
                f'{first.path} and {other.path} are of different models: '
                f'{name} is {_kind(value)} in one and {_kind(given)} in the '
                'other')


def _check_finite(checkpoint: Checkpoint) -> None:
    """Raise where a weight is not finite: so would be the average."""
    bad = not_finite(checkpoint.weights)
    if bad:
        raise CheckpointError(
            f'{checkpoint.path} has weights that are not finite: {some(bad)}'
            '. Leave it out')


def not_finite(weights: Dict[str, torch.Tensor]) -> List[str]:
    """The names of weights with infinite or undefined values."""
    return [
        name for name, value in weights.items()
        if value.is_floating_point() and not torch.isfinite(value).all()
    ]


def _kind(value: torch.Tensor) -> str:
    return f'{tuple(value.shape)} {str(value.dtype)[len("torch."):]}'
