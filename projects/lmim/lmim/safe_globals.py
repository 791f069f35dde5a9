"""What ``torch.load(weights_only=True)`` may find in MMEngine's checkpoints.

Since torch 2.6 only weights are read by default. Checkpoints of MMEngine 0.10
also hold ``HistoryBuffer`` objects (the smoothed log values) and the NumPy
arrays and scalars in them. Exactly these are allowed here; the check itself
stays on, for a file may come from anybody.
"""
from functools import lru_cache
from typing import Any, Callable, List

import numpy as np
import torch


def _statistics_method(owner: Any, name: Any) -> Callable[..., Any]:
    """What a checkpoint may look up: HistoryBuffer's four own statistics."""
    from mmengine.logging import HistoryBuffer
    if owner is not HistoryBuffer or name not in ('min', 'max', 'mean',
                                                  'current'):
        raise ValueError(
            f'The checkpoint looks up {name!r} of {owner!r}; only the '
            'statistics of a HistoryBuffer may be looked up while loading. '
            'Do not load this file unless you trust where it comes from.')
    return vars(HistoryBuffer)[name]


def _named(function: Callable[..., Any], path: str) -> Callable[..., Any]:
    """``function`` under the dotted path that checkpoints know it by."""

    def alias(*args: Any) -> Any:
        return function(*args)

    alias.__module__, alias.__qualname__ = path.rsplit('.', 1)
    alias.__name__ = alias.__qualname__
    return alias


@lru_cache(maxsize=None)
def _checkpoint_types() -> List[Any]:
    """The types and functions beyond torch's own in MMEngine checkpoints."""
    from mmengine.logging import HistoryBuffer
    kinds = ('?', 'i1', 'i2', 'i4', 'i8', 'u1', 'u2', 'u4', 'u8', 'f2', 'f4',
             'f8')
    dtypes = {type(np.dtype(kind)) for kind in kinds}
    # The reconstructors of an array and of a scalar, by public means.
    reconstruct: Any = np.empty(0).__reduce__()[0]
    scalar: Any = np.float64(0).__reduce__()[0]
    allowed: List[Any] = [HistoryBuffer, np.ndarray, np.dtype]
    allowed += sorted(dtypes, key=lambda dtype: dtype.__name__)
    # A file names them by the NumPy that wrote it: 1.x or 2.x.
    for module in ('numpy.core.multiarray', 'numpy._core.multiarray'):
        allowed.append(_named(reconstruct, f'{module}._reconstruct'))
        allowed.append(_named(scalar, f'{module}.scalar'))
    # HistoryBuffer pickles its four methods as ``getattr(HistoryBuffer,
    # 'min')``. Python's ``getattr`` would open every class to a file, so the
    # name is answered by a function that knows these four only.
    allowed.append(_named(_statistics_method, 'builtins.getattr'))
    return allowed


def allow_mmengine_checkpoints() -> List[Any]:
    """Let ``torch.load(weights_only=True)`` read MMEngine's checkpoints.

    Files written under NumPy 1 and under NumPy 2 are read alike. Nothing that
    runs content of the file is allowed.

    Returns:
        List[Any]: What was allowed; empty before torch 2.4, which has no such
        list and reads these files with ``weights_only=False``.
    """
    allow = getattr(torch.serialization, 'add_safe_globals', None)
    if allow is None:
        return []
    allow(_checkpoint_types())
    return list(_checkpoint_types())
