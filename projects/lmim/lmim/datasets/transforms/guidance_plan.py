"""Guidance views that are drawn by workers and made on the device."""
from functools import partial
from typing import Any, Callable, Dict, List, Sequence, Tuple

import numpy as np
from numpy import ndarray

from mmocr.registry import TRANSFORMS

from . import guidance_ops as ops
from .guidance_view import GuidanceView

#: What is done to a picture on the device, by its number in a plan; 0 is
#: nothing.
STEPS = ('none', 'homography', 'bend', 'contrast', 'blur', 'sharpen',
         'solarize', 'grayscale', 'brightness', 'mean_contrast', 'hue')
#: Steps of a view at most: ten operations, an affine change, four jitters, no
#: colour.
MOST_STEPS = 16
#: A step's number, and what it is given: a grid of at most 4x4 points that
#: move along x and y, its rows and columns.
STEP_SIZE = 1 + 2 + 4 * 4 * 2

Size = Tuple[int, int]


def _frame(size: Size) -> ndarray:
    """From places in a frame, -1 to 1, to pixels, (3, 3)."""
    height, width = size
    return np.array([[width / 2, 0, (width - 1) / 2],
                     [0, height / 2, (height - 1) / 2], [0, 0, 1]])


def _look(matrix: ndarray, seen: Size, picture: Size) -> List[float]:
    """Where each place of a frame looks in the picture's, by pixels.

    ``matrix`` leads from pixels of what is seen to those of the picture, (2,
    3) or (3, 3).
    """
    height, width = picture
    found = matrix @ _frame(seen)
    last = found[2] if len(matrix) == 3 else _LAST
    return [*(2 * found[0] + (1 - width) * last) / width,
            *(2 * found[1] + (1 - height) * last) / height, *last]


_LAST = np.array([0., 0., 1.])
#: The functions of guidance_ops that are given to the device as they are.
_PLAIN = {
    ops.contrast: STEPS.index('contrast'), ops.sharpen: STEPS.index('sharpen'),
    ops.solarize: STEPS.index('solarize'),
    ops.grayscale: STEPS.index('grayscale'),
    ops.jitter_brightness: STEPS.index('brightness'),
    ops.jitter_contrast: STEPS.index('mean_contrast'),
    ops.jitter_hue: STEPS.index('hue')}
_HOMOGRAPHY, _BEND, _BLUR, _GRAYSCALE = map(STEPS.index, (
    'homography', 'bend', 'blur', 'grayscale'))


class _Plan:
    """Writes down what would be done to a picture of some size.

    Args:
        size (Tuple[int, int]): (height, width) of the picture.
        canvas (Tuple[int, int]): (height, width) on which it is done.
    """

    def __init__(self, size: Size, canvas: Size) -> None:
        self.size, self.canvas = size, canvas
        self.steps = np.zeros((MOST_STEPS, STEP_SIZE), np.float32)
        self.count = 0

    def add(self, change: partial) -> None:
        """Write down a function of guidance_ops with its arguments."""
        number = _PLAIN.get(change.func)
        if number is not None:
            self._write(number, list(change.keywords.values()))
        else:
            _WRITE[change.func](self, **change.keywords)

    def resize(self) -> None:
        """The picture gets the size of the canvas."""
        self.size = self.canvas

    def _write(self, step: int, values: Sequence[float]) -> None:
        row = self.steps[self.count]
        row[0] = step
        row[1:1 + len(values)] = values
        self.count += 1

    def _crop(self, **sides: float) -> None:
        y0, y1, x0, x1 = ops.crop_box(self.size, **sides)
        height, width = self.size
        self._write(_HOMOGRAPHY, [
            (x1 - x0) / width, 0, (x1 + x0) / width - 1,
            0, (y1 - y0) / height, (y1 + y0) / height - 1, 0, 0, 1])
        self.size = y1 - y0, x1 - x0

    def _rotate(self, degrees: float) -> None:
        matrix, seen = ops.rotation(self.size, degrees)
        self._write(_HOMOGRAPHY, _look(matrix, seen, self.size))
        self.size = seen

    def _perspective(self, jitter: ndarray) -> None:
        matrix = ops.perspective_matrix(self.size, jitter)
        self._write(_HOMOGRAPHY, _look(np.linalg.inv(matrix), self.size,
                                        self.size))

    def _affine(self, **changes: Any) -> None:
        matrix = np.vstack([ops.affine_matrix(self.size, **changes), _LAST])
        self._write(_HOMOGRAPHY, _look(np.linalg.inv(matrix), self.size,
                                        self.size))

    def _bend(self, shift: ndarray) -> None:
        shift = ops.within_frame(shift)
        self._write(_BEND, [*shift.shape[:2], *shift.ravel()])

    def _blur(self, sigma: float) -> None:
        # In pixels of the canvas, along y and x, and how far it reaches.
        scale = [here / there for here, there in zip(self.canvas, self.size)]
        reach = ops.blur_size(sigma) // 2
        self._write(_BLUR, [sigma * scale[0], sigma * scale[1],
                             reach * scale[0], reach * scale[1]])

    def _saturation(self, factor: float) -> None:
        self._write(_GRAYSCALE, [1 - factor])


_WRITE: Dict[Callable, Callable] = {
    ops.crop: _Plan._crop, ops.rotate: _Plan._rotate,
    ops.perspective: _Plan._perspective, ops.affine: _Plan._affine,
    ops.piecewise_affine: _Plan._bend, ops.blur: _Plan._blur,
    ops.jitter_saturation: _Plan._saturation}


@TRANSFORMS.register_module()
class GuidancePlan(GuidanceView):
    """Draw what a guidance view is; the device makes it.

    For a GPU that is quicker than its workers: they decode, resize, and draw
    numbers, and :class:`~lmim.models.layers.GuidanceViewPreprocessor` makes
    the view. From the same seed it draws what :class:`GuidanceView` draws.
    What differs is that the view is made of the resized picture, whose fine
    strokes have gone through one resize more: ``Resize`` to twice ``img_size``
    keeps them.

    Required Keys:

    - img ((H, W, 3) or (H, W) or (H, W, 1), uint8, BGR)

    Added Keys:

    - guidance_plan ((:data:`MOST_STEPS`, :data:`STEP_SIZE`), float32), for
      ``PackPretrainInputs(keys=('img', ), meta_keys=('guidance_plan', ))``

    Args:
        level, img_size, max_side, **overrides: Of :class:`GuidanceView`.
    """

    def transform(self, results: Dict) -> Dict:
        """Add the plan."""
        height, width = results['img'].shape[:2]
        scale = min(1., self.max_side / max(height, width))
        plan = _Plan((max(1, round(height * scale)),
                      max(1, round(width * scale))), self.img_size)
        before, after = self.draw()
        for _, change in before:
            plan.add(change)
        plan.resize()
        for _, change in after:
            plan.add(change)
        results['guidance_plan'] = plan.steps
        return results
