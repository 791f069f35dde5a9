"""What loading may find in MMEngine's checkpoints, and nothing else.

Since torch 2.6 only weights are read by default. Checkpoints of MMEngine 0.10
also hold ``HistoryBuffer`` objects (the smoothed log values) and the NumPy
arrays and scalars in them. Exactly these are allowed here; the check itself
stays on, for a file may come from anybody.
"""
import os
import pickle
from functools import lru_cache
from types import ModuleType
from typing import Any, Callable, Dict, List, Optional, Sequence, Union
from unittest import mock

import numpy as np
import torch
from mmengine.logging import HistoryBuffer
from torch import _weights_only_unpickler


def _statistics_method(owner: Any, name: Any) -> Callable[..., Any]:
    """What a checkpoint may look up: HistoryBuffer's four own statistics."""
    if owner is not HistoryBuffer or name not in ('min', 'max', 'mean',
                                                  'current'):
        raise pickle.UnpicklingError(
            f'The checkpoint looks up {name!r} of {owner!r}; only the '
            'statistics of a HistoryBuffer may be looked up while loading. '
            'Do not load this file unless you trust where it comes from.')
    return vars(HistoryBuffer)[name]


def _latin1(text: Any, encoding: Any) -> bytes:
    """How pickle writes bytes: torch 2.4 does not allow it by itself."""
    if encoding != 'latin1':
        raise pickle.UnpicklingError(
            f'The checkpoint asks for the codec {encoding!r}; pickled bytes '
            "only use 'latin1'.")
    return text.encode(encoding)


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
    kinds = ('?', 'i1', 'i2', 'i4', 'i8', 'u1', 'u2', 'u4', 'u8', 'f2', 'f4',
             'f8')
    dtypes = {type(np.dtype(kind)) for kind in kinds}
    # The reconstructors of an array and of a scalar, by public means.
    reconstruct: Any = np.empty(0).__reduce__()[0]
    scalar: Any = np.float64(0).__reduce__()[0]
    # bytes() is how pickle writes the data of an empty array.
    allowed: List[Any] = [HistoryBuffer, np.ndarray, np.dtype, bytes]
    allowed += sorted(dtypes, key=lambda dtype: dtype.__name__)
    # A file names them by the NumPy that wrote it: 1.x or 2.x.
    for module in ('numpy.core.multiarray', 'numpy._core.multiarray'):
        allowed.append(_named(reconstruct, f'{module}._reconstruct'))
        allowed.append(_named(scalar, f'{module}.scalar'))
    # HistoryBuffer pickles its four methods as ``getattr(HistoryBuffer,
    # 'min')``. Python's ``getattr`` would open every class to a file, so the
    # name is answered by a function that knows these four only.
    allowed.append(_named(_statistics_method, 'builtins.getattr'))
    allowed.append(_named(_latin1, '_codecs.encode'))
    return allowed


def allow_mmengine_checkpoints() -> List[Any]:
    """Let ``torch.load(weights_only=True)`` read MMEngine's checkpoints.

    Files written under NumPy 1 and under NumPy 2 are read alike. Nothing that
    runs content of the file is allowed. Returns what was allowed: nothing
    before torch 2.4, which has no such list.
    """
    allow = getattr(torch.serialization, 'add_safe_globals', None)
    if allow is None:
        return []
    known = torch.serialization.get_safe_globals()
    allow([entry for entry in _checkpoint_types() if entry not in known])
    return list(_checkpoint_types())


def load(path: Union[str, os.PathLike],
         map_location: Any = 'cpu',
         also: Sequence[type] = (),
         skipped: Optional[List[str]] = None) -> Any:
    """``torch.load(weights_only=True)`` with MMEngine's types, on any torch.

    Args:
        path (str | os.PathLike): A file written by ``torch.save``.
        map_location (Any): As of ``torch.load``. Defaults to ``'cpu'``.
        also (Sequence[type]): Further harmless types that this file may hold.
        skipped (List[str], optional): Do not refuse what is not allowed, but
            put a :class:`Skipped` in its place, and its name in this list.
            Nothing of the file is run.

    Raises:
        pickle.UnpicklingError: If the file holds anything that is not
            allowed; the error names it.
    """
    before_2_5 = not hasattr(torch.serialization, 'safe_globals')
    if before_2_5 or skipped is not None:
        return _restricted_load(path, map_location, also, skipped)
    # What is allowed for one call is taken off the list after it, even where
    # it was there before.
    known = set(allow_mmengine_checkpoints())
    with torch.serialization.safe_globals([t for t in also if t not in known]):
        return torch.load(path, map_location=map_location, weights_only=True)


class Skipped:
    """Stands where a file has something that is not allowed; does nothing."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        pass

    # What a pickle may ask of an object that it has made.
    __call__ = __setstate__ = __setitem__ = append = extend = add = __init__


def _restricted_load(path: Union[str, os.PathLike], map_location: Any,
                     also: Sequence[type],
                     skipped: Optional[List[str]] = None) -> Any:
    """``torch.load`` with a ``pickle`` that finds only what is allowed.

    torch before 2.5 cannot be told of further types for one call, and before
    2.4 of none. Its own list of allowed names is taken over.
    """
    allowed: Dict[str, Any] = dict(
        _weights_only_unpickler._get_allowed_globals())
    for entry in (*_checkpoint_types(), *also):
        allowed[f'{entry.__module__}.{entry.__qualname__}'] = entry
    if skipped is not None:
        noted = skipped

        def looked_up(*args: Any) -> Any:
            try:
                return _statistics_method(*args)
            except (pickle.UnpicklingError, TypeError):
                noted.append('builtins.getattr')
                return Skipped()

        allowed['builtins.getattr'] = looked_up

    class Unpickler(pickle.Unpickler):
        """Looks names up in ``allowed`` instead of importing them."""

        def find_class(self, module: str, name: str) -> Any:
            if module == '__builtin__':  # as Python 2 called it
                module = 'builtins'
            path = f'{module}.{name}'
            if path in allowed:
                return allowed[path]
            if skipped is None:
                raise pickle.UnpicklingError(
                    f'Weights only load failed: GLOBAL {path} is not allowed')
            skipped.append(path)
            return type(name, (Skipped, ), {})

    restricted: Any = ModuleType('restricted_pickle')
    vars(restricted).update(
        vars(pickle), Unpickler=Unpickler,
        load=lambda file, **kwargs: Unpickler(file, **kwargs).load())
    def refuse(*args: Any, **kwargs: Any) -> None:
        raise pickle.UnpicklingError('it is a program of TorchScript')

    # torch 1.13 takes ``pickle_module`` and then uses its own ``pickle``.
    with mock.patch.object(torch.serialization, 'pickle', restricted), \
            mock.patch.object(torch.jit, 'load', refuse):
        return torch.load(path, map_location=map_location,
                          pickle_module=restricted, weights_only=False)
