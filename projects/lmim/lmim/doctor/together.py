"""What works once lmim is imported."""
import importlib
import inspect
import io
import sys
from typing import Any, Dict

from . import shell
from .finding import Finding, Say, note, ok, wrong
from .stores import check_stores

SECTION = 'imports'
#: What mmcv's compiled operators are for (MMOCR 1.0.1).
OPERATORS = ('no recognizer needs them; text detectors such as PANet, PSENet, '
             'DRRG, Mask R-CNN and those with deformable convolutions do')
#: One of each kind that a config names.
COMPONENTS = {'MODELS': ('LMIM', 'MaskedViT', 'TextViT', 'LMIMDecoder'),
              'DATASETS': ('TextImageDataset', ),
              'TRANSFORMS': ('GuidanceView', )}


def check_together(options: Dict[str, Any], say: Say) -> None:
    """Look at work-arounds, operators, registries, checkpoints and data.

    Args:
        options (Dict[str, Any]): ``data_root`` and ``configs``, as of
            :func:`.stores.check_stores`.
        say (Callable): Takes the findings.
    """
    from lmim import compat
    done = compat.install()
    for name, workaround in compat.WORKAROUNDS.items():
        say(told_workaround(name, workaround, done[name]))
    say(operators())
    say(components())
    say(arrays())
    say(checkpoints())
    check_stores(options, say)


def told_workaround(name: str, workaround: Any, done: Any) -> Finding:
    """What a work-around of lmim.compat is for, and whether it is active."""
    purpose = (inspect.getdoc(workaround) or '').split('\n')[0]
    purpose = purpose.rstrip('.').replace('``', '')
    title = f'work-around {name}'
    if not done:
        return ok(SECTION, title, f'not needed ({purpose})')
    reason = ''
    if name == 'mmcv_ext':
        reason = f': {sys.modules["mmcv._ext"].__doc__}'
    elif isinstance(done, list) and all(isinstance(x, str) for x in done):
        reason = f': {", ".join(done)}'
    return ok(SECTION, title, f'active ({purpose}){reason}')


def operators() -> Finding:
    """Whether mmcv's compiled operators are there."""
    from lmim import compat
    if isinstance(sys.modules['mmcv._ext'], compat._MissingExtension):
        return ok(SECTION, 'mmcv operators', f'none; {OPERATORS}')
    try:
        import torch
        nms = importlib.import_module('mmcv.ops').nms
        boxes = torch.tensor([[0., 0., 2., 2.], [0., 0., 2., 2.]])
        kept = nms(boxes, torch.tensor([0.9, 0.8]), 0.5)[1].tolist()
    except Exception as error:  # a mismatch shows in many ways
        return note(SECTION, 'mmcv operators', f'there, but not working: '
                    f'{error}; {OPERATORS}')
    if kept != [0]:
        return note(SECTION, 'mmcv operators', f'nms keeps {kept} of two '
                    f'equal boxes; {OPERATORS}')
    return ok(SECTION, 'mmcv operators', 'compiled; nms ran')


def components() -> Finding:
    """Whether configs find what lmim registers."""
    registry = importlib.import_module('mmocr.registry')
    absent = [f'{kind}.{name}' for kind, names in COMPONENTS.items()
              for name in names if getattr(registry, kind).get(name) is None]
    if absent:
        return wrong(SECTION, 'registries', f'missing: {", ".join(absent)}',
                     f'{shell.python()} -c "import lmim.models"')
    return ok(SECTION, 'registries', "lmim's components are in MMOCR's")


def arrays() -> Finding:
    """Whether torch and OpenCV take NumPy's arrays."""
    import cv2
    import numpy as np
    import torch
    picture = np.arange(48, dtype=np.uint8).reshape(4, 4, 3)
    try:
        back = torch.from_numpy(picture).numpy()
        done, data = cv2.imencode('.png', picture)
        read = np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR))
    except Exception as error:
        return wrong(SECTION, 'arrays', f'torch or OpenCV does not take those '
                     f'of NumPy {np.__version__}: {error}',
                     shell.install('numpy<2'))
    if not (np.array_equal(back, picture) and np.array_equal(read, picture)):
        return wrong(SECTION, 'arrays', 'a picture does not come back from '
                     'OpenCV as it was', shell.install('--force-reinstall',
                                                       'opencv-python'))
    return ok(SECTION, 'arrays', 'torch and OpenCV take those of NumPy')


def checkpoints() -> Finding:
    """Whether what MMEngine saves can be loaded with torch's check on."""
    import numpy as np
    import torch
    from lmim import safe_globals
    from mmengine.logging import HistoryBuffer
    buffer = HistoryBuffer([1., 2.], [1, 1])
    file = io.BytesIO()
    torch.save(dict(history=buffer, best=np.float64(0.5)), file)
    file.seek(0)
    try:
        best = safe_globals.load(file)['best']  # type: ignore[arg-type]
    except Exception as error:
        return wrong(SECTION, 'checkpoints', "MMEngine's do not load: "
                     f'{error}', shell.install('mmengine==0.10.7'))
    assert best == 0.5
    return ok(SECTION, 'checkpoints', "MMEngine's load, torch's check of "
              'their content is on')
