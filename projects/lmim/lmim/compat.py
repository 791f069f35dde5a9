"""Make MMOCR 1.0.1 and mmpretrain 1.2.0 import and run on today's stack.

MMOCR's last release predates NumPy 2, torch 2.6 and OpenCV 5. Each function
below works around one measured failure, says why, and does nothing where the
failure does not occur, so that an older, fully compiled stack stays as it is.
:func:`install` runs them all; ``import lmim`` calls it before anything of
MMOCR is imported.
"""
import importlib
import importlib.util
import os
import sys
import types
import warnings
from typing import Any, Callable, Dict, List, Optional

import numpy as np
import torch

from .ops import deform_conv2d
from .safe_globals import allow_mmengine_checkpoints

#: No picture of more pixels is decoded: 8192 x 8192, of which OpenCV would
#: make 200 MB. A photograph has fewer, a word far fewer.
MAX_PIXELS = 2**26

_MISSING_MMCV = (
    'lmim needs mmcv, and this environment has none. Text recognition uses '
    "nothing compiled: `pip install 'mmcv-lite==2.0.1'` is enough. For text "
    'detection as well, install the full mmcv (2.0.x) that is built for your '
    'torch: https://mmcv.readthedocs.io/en/2.x/get_started/installation.html')
_MISSING_OP = (
    'mmcv.ops needs the compiled operator `{name}`, which this environment '
    'cannot load ({reason}). Nothing in text recognition uses it; for text '
    'detection install the full mmcv (2.0.x) that is built for your torch: '
    'https://mmcv.readthedocs.io/en/2.x/get_started/installation.html')


class _MissingExtension(types.ModuleType):
    """Stand-in for ``mmcv._ext``: importable, and refuses only when called."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(name, reason)
        self._reason = reason

    def __getattr__(self, name: str) -> Callable[..., None]:
        # ``inspect`` and test tools probe modules for names such as
        # ``__wrapped__``; one that answers those sends them in circles. No
        # operator's name begins with an underscore.
        if name.startswith('_'):
            raise AttributeError(f'module {self.__name__} has no {name}')

        def missing_op(*args: Any, **kwargs: Any) -> None:
            raise NotImplementedError(
                _MISSING_OP.format(name=name, reason=self._reason))

        return missing_op


def limit_image_size() -> None:
    """Let OpenCV refuse decompression bombs by their header.

    OpenCV reads the limit from the environment when it is imported, so this
    comes first. Where cv2 was imported earlier, its own limit of 2**30 pixels
    holds; a value that the user has set stays.
    """
    os.environ.setdefault('OPENCV_IO_MAX_IMAGE_PIXELS', str(MAX_PIXELS))


#: The names that were missing in this process's NumPy.
_NUMPY_NAMES: List[str] = []


def restore_numpy_names() -> List[str]:
    """Give NumPy back the names that imgaug 0.4.0 and mmocr 1.0.1 read.

    imgaug reads ``np.sctypes`` at import (gone in NumPy 2), ``np.bool`` in
    ``OneOf`` and ``SomeOf`` (gone in NumPy 1.24 to 1.26, back in 2) and
    ``np.complex`` in ``Clouds`` and ``Fog`` (gone since 1.24); two of MMOCR's
    text detection files use ``np.int0`` (gone in NumPy 2). Returns the names
    that were missing and are there now.
    """
    names: Dict[str, Any] = {
        'bool': np.bool_,
        'complex': complex,
        'int0': np.intp,
        'sctypes': {
            'int': [np.int8, np.int16, np.int32, np.int64],
            'uint': [np.uint8, np.uint16, np.uint32, np.uint64],
            'float': [np.float16, np.float32, np.float64, np.longdouble],
            'complex': [np.complex64, np.complex128, np.clongdouble],
            'others': [bool, object, bytes, str, np.void],
        },
    }
    with warnings.catch_warnings():  # NumPy warns of names that it will drop
        warnings.simplefilter('ignore')
        missing = [name for name in names if not hasattr(np, name)]
    for name in missing:
        setattr(np, name, names[name])
    _NUMPY_NAMES.extend(missing)
    return list(_NUMPY_NAMES)


#: Keeps the operator definitions alive: torch drops them with the library.
_LIBRARIES: List[torch.library.Library] = []


def provide_torchvision_ops() -> bool:
    """Let torchvision import where its C extension does not load.

    Beside a CPU build of torch, PyPI's torchvision cannot load its extension,
    and ``import torchvision`` then dies on describing ``torchvision::nms``,
    which the extension would have defined. Defining the two schemas is
    enough; nothing here calls them. Returns whether they were defined here.
    """
    try:
        import torchvision  # noqa: F401
    except ImportError:
        return False  # not installed: MMOCR's own import says so
    except RuntimeError as error:
        if 'torchvision::nms' not in str(error):
            raise
    else:
        return bool(_LIBRARIES)
    for name in [m for m in sys.modules if m.split('.')[0] == 'torchvision']:
        del sys.modules[name]  # half imported
    library = torch.library.Library('torchvision', 'DEF')
    for op in ('nms', 'qnms'):
        library.define(f'{op}(Tensor dets, Tensor scores, '
                       'float iou_threshold) -> Tensor')
    _LIBRARIES.append(library)
    importlib.import_module('torchvision')
    return True


def skip_mmpretrain_multimodal() -> bool:
    """Let mmpretrain import beside a transformers that is too new for it.

    mmpretrain imports its vision-language models wherever transformers is
    installed, and those read names that transformers 5 no longer has. They
    are then skipped, as mmpretrain itself does without transformers. Returns
    whether they are skipped here.
    """
    name = 'mmpretrain.utils.dependency'
    if name in sys.modules:
        return bool(getattr(sys.modules[name], '_skipped_by_lmim', False))
    package = importlib.util.find_spec('mmpretrain')
    if (package is None or not package.submodule_search_locations
            or importlib.util.find_spec('transformers') is None):
        return False
    try:
        from transformers.modeling_utils import (  # noqa: F401
            GenerationConfig, GenerationMixin, apply_chunking_to_forward)
        return False
    except Exception:  # a broken transformers may raise anything at import
        pass
    # The flag has to be down before mmpretrain's own first import reads it,
    # so its module is loaded by its path, ahead of the package.
    spec = importlib.util.spec_from_file_location(
        name,
        os.path.join(package.submodule_search_locations[0], 'utils',
                     'dependency.py'))
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    vars(module).update(WITH_MULTIMODAL=False, _skipped_by_lmim=True)
    sys.modules[name] = module
    return True


def provide_mmcv_ext() -> bool:
    """Let ``mmcv.ops`` import where mmcv's compiled extension is not usable.

    mmdet, hence mmocr, imports ``mmcv.ops``. mmcv-lite ships it without
    ``mmcv._ext``, and the full mmcv's extension does not load beside another
    torch than it was built for; the latter is also warned of. Returns whether
    the stand-in is in place.

    Raises:
        ImportError: If there is no mmcv at all.
    """
    name = 'mmcv._ext'
    if name in sys.modules:
        return isinstance(sys.modules[name], _MissingExtension)
    if importlib.util.find_spec('mmcv') is None:
        raise ImportError(_MISSING_MMCV)
    importlib.import_module('mmcv')  # an error of its own is not hidden
    try:
        importlib.import_module(name)
        return False
    except ModuleNotFoundError:
        reason = 'mmcv-lite has no operators'
    except ImportError as error:
        reason = f'mmcv is built for another torch: {error}'
        warnings.warn(
            f'{name} does not load, text recognition goes on without it: '
            f'{reason}',
            stacklevel=2)
    module = _MissingExtension(name, reason)
    module.__spec__ = importlib.util.spec_from_loader(name, loader=None)
    sys.modules[name] = module
    return True


def provide_mmcv_deform_conv() -> bool:
    """Let mmcv's DCN and DCNv2 compute where their operators are not there.

    Their layers stay mmcv's, and so do the names of their weights. MMOCR's
    and mmdet's backbones then train and read on a CPU, DBNet's with DCNv2
    among them. Returns whether the operators are ours here.
    """
    if not isinstance(sys.modules.get('mmcv._ext'), _MissingExtension):
        return False
    names = dict(deform_conv2d=_deform_conv2d,
                 modulated_deform_conv2d=_modulated_deform_conv2d)
    # As they are imported from each other, too.
    for module in ('ops', 'ops.deform_conv', 'ops.modulated_deform_conv',
                   'ops.saconv'):
        there = vars(importlib.import_module(f'mmcv.{module}'))
        there.update({name: ours for name, ours in names.items()
                      if name in there})
    return True


def _deform_conv2d(input: torch.Tensor, offset: torch.Tensor,
                   weight: torch.Tensor, stride: Any = 1, padding: Any = 0,
                   dilation: Any = 1, *args: Any,
                   **kwargs: Any) -> torch.Tensor:
    """Called as mmcv's: groups follow from the shapes."""
    return deform_conv2d(input, offset, weight, None, stride, padding,
                         dilation)


def _modulated_deform_conv2d(
        input: torch.Tensor, offset: torch.Tensor, mask: torch.Tensor,
        weight: torch.Tensor, bias: Optional[torch.Tensor] = None,
        stride: Any = 1, padding: Any = 0, dilation: Any = 1, *args: Any,
        **kwargs: Any) -> torch.Tensor:
    """Called as mmcv's."""
    return deform_conv2d(input, offset, weight, bias, stride, padding,
                         dilation, mask)


#: Whether the hook is there: it cannot be taken back.
_FORK_HOOK: List[bool] = []


def use_one_thread_after_fork() -> None:
    """Let a forked process compute, on one thread of its own.

    The threads of OpenMP that a process has computed with are not there in a
    child that it forks (multiprocessing.Pool, gunicorn), which waits for them
    for ever; PyTorch alone does the same. torch.set_num_threads after the
    fork sets more again where the parent had not computed.
    """
    if not _FORK_HOOK and hasattr(os, 'register_at_fork'):
        os.register_at_fork(after_in_child=lambda: torch.set_num_threads(1))
        _FORK_HOOK.append(True)


#: In this order; what each is for is the first line of its description.
WORKAROUNDS: Dict[str, Callable[[], Any]] = {
    'numpy_names': restore_numpy_names,
    'torchvision_ops': provide_torchvision_ops,
    'mmpretrain_multimodal': skip_mmpretrain_multimodal,
    'mmcv_ext': provide_mmcv_ext,
    'mmcv_deform_conv': provide_mmcv_deform_conv,
    'safe_globals': allow_mmengine_checkpoints,
}


def install() -> Dict[str, Any]:
    """Apply every work-around that is needed; again, it changes nothing.

    Returns what each work-around did, by its name: a false value means that
    it was not needed.

    Raises:
        ImportError: If mmcv is not installed.
    """
    limit_image_size()
    use_one_thread_after_fork()
    return {name: apply() for name, apply in WORKAROUNDS.items()}
