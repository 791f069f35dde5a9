"""The guidance view of LMIM."""
from typing import Any, Dict, Tuple

import cv2
import numpy as np
from mmcv.transforms import BaseTransform
from numpy import ndarray

from mmocr.registry import TRANSFORMS

from lmim.utils.errors import UserError

from . import guidance_color as color
from . import guidance_ops as warps
from .guidance_levels import GuidanceRanges, ranges_of


def _uniform(low: float, high: float) -> float:
    # A sixth of the time of np.random.uniform, and there are a dozen a view.
    return low + (high - low) * np.random.random_sample()


@TRANSFORMS.register_module()
class GuidanceView(BaseTransform):
    """Draw the guidance view: the same text in another appearance.

    LMIM (arXiv 2503.18746), section on linguistics alignment. Some of ten
    operations, in random order, on the picture as it was decoded; then the
    resize; then colour jitter and greyscale. The text stays whole and can be
    read. Put it before ``Resize``: it takes ``img`` and leaves it as it is.

    Required Keys:

    - img ((H, W, 3) or (H, W) or (H, W, 1), uint8, BGR)

    Added Keys:

    - guidance_img ((height, width, 3), uint8, BGR)

    Args:
        level (str): 'weak' (crop and rotate), 'medium' (the paper's choice)
            or 'strong'. Defaults to 'medium'.
        img_size (Tuple[int, int]): (height, width) of the view. Defaults to
            (32, 128).
        max_side (int): Larger pictures are averaged down to this side first:
            it bounds the cost, and at 32x128 nothing of it can be seen.
            Defaults to 1024.
        overrides: Ranges that differ from the level's, such as
            ``rotate=(-10, 10)``, or ``solarize=None`` to leave one out; see
            :class:`.guidance_levels.GuidanceRanges` for all.

    Raises:
        UserError: If there is no such level, or a range is no pair.
        TypeError: If an option does not exist.
    """

    def __init__(self,
                 level: str = 'medium',
                 img_size: Tuple[int, int] = (32, 128),
                 max_side: int = 1024,
                 **overrides: Any) -> None:
        self.level = level
        self.img_size = (int(img_size[0]), int(img_size[1]))
        self.max_side = max_side
        self.ranges: GuidanceRanges = ranges_of(level, overrides)
        self._operations = [
            getattr(self, f'_{name}') for name in self.ranges.enabled
        ]

    def transform(self, results: Dict) -> Dict:
        """Add the view; ``img`` is left as it is."""
        img = self._as_color(results)
        for operation in self._choose():
            img = operation(img)
        img = warps.resize(img, self.img_size)
        results['guidance_img'] = self._recolor(img)
        return results

    def _choose(self) -> list:
        """Some of the operations, at least ``min_ops``, in random order."""
        total = len(self._operations)
        if total == 0:
            return []
        count = np.random.randint(min(self.ranges.min_ops, total), total + 1)
        order = np.random.permutation(total)[:count]
        return [self._operations[i] for i in order]

    def _as_color(self, results: Dict) -> ndarray:
        """The picture as (H, W, 3), not too large.

        Raises:
            UserError: If it is no picture of uint8, has an alpha channel,
                or has no pixels.
        """
        img = results['img']
        shape = img.shape
        if img.dtype != np.uint8 or img.ndim not in (2, 3) or img.size == 0:
            raise UserError(
                f'GuidanceView got an array {shape} {img.dtype} as picture '
                f'({results.get("img_path")}); it takes (H, W, 3) uint8 with '
                'at least one pixel. Put it before transforms that '
                'normalise.')
        if img.ndim == 2 or shape[2] == 1:
            img = cv2.cvtColor(img, cv2.COLOR_GRAY2BGR)
        elif shape[2] != 3:
            raise UserError(
                f'GuidanceView got a picture with {shape[2]} channels '
                f'({results.get("img_path")}); decode it with '
                "color_type='color', which leaves the alpha channel out.")
        longest = max(shape[:2])
        if longest > self.max_side:
            scale = self.max_side / longest
            size = (max(1, round(shape[1] * scale)),
                    max(1, round(shape[0] * scale)))
            img = cv2.resize(img, size, interpolation=cv2.INTER_AREA)
        return img

    def _draw(self, name: str) -> float:
        return _uniform(*getattr(self.ranges, name))

    def _contrast(self, img: ndarray) -> ndarray:
        return color.contrast(img, self._draw('contrast'))

    def _blur(self, img: ndarray) -> ndarray:
        return color.blur(img, self._draw('blur'))

    def _crop_vertical(self, img: ndarray) -> ndarray:
        return warps.crop(img, self._draw('crop_vertical'),
                          self._draw('crop_vertical'), 0, 0)

    def _crop_horizontal(self, img: ndarray) -> ndarray:
        return warps.crop(img, 0, 0, self._draw('crop_horizontal'),
                          self._draw('crop_horizontal'))

    def _sharpen(self, img: ndarray) -> ndarray:
        return color.sharpen(img, self._draw('sharpen'),
                             self._draw('sharpen_lightness'))

    def _rotate(self, img: ndarray) -> ndarray:
        return warps.rotate(img, self._draw('rotate'))

    def _piecewise_affine(self, img: ndarray) -> ndarray:
        # imgaug's grid: 2 to 4 rows and columns.
        rows, columns = np.random.randint(2, 5, size=2)
        scale = self._draw('piecewise_affine')
        return warps.piecewise_affine(
            img, np.random.normal(0, scale, (rows, columns, 2)))

    def _perspective(self, img: ndarray) -> ndarray:
        scale = self._draw('perspective')
        jitter = np.abs(np.random.normal(0, scale, (4, 2)))
        # More than a fifth from each side leaves too little of the picture.
        return warps.perspective(img, np.minimum(jitter, 0.2))

    def _solarize(self, img: ndarray) -> ndarray:
        above = np.random.random_sample() < 0.5
        return color.solarize(img, self._draw('solarize'), above)

    def _grayscale(self, img: ndarray) -> ndarray:
        return color.grayscale(img, self._draw('grayscale'))

    def _recolor(self, img: ndarray) -> ndarray:
        """Colour jitter and greyscale of the resized view."""
        if np.random.random_sample() < self.ranges.color_jitter_prob:
            jitters = list(zip(_JITTERS, self.ranges.color_jitter))
            for i in np.random.permutation(len(jitters)):
                (jitter, centre), width = jitters[i]
                if width > 0:
                    img = jitter(img, _uniform(centre - width, centre + width))
        if np.random.random_sample() < self.ranges.gray_prob:
            img = color.grayscale(img, 1.0)
        return img

    def __repr__(self) -> str:
        return (f'{self.__class__.__name__}(level={self.level!r}, '
                f'img_size={self.img_size}, {self.ranges})')


#: Each jitter, and the value at which it changes nothing.
_JITTERS = ((color.jitter_brightness, 1), (color.jitter_contrast, 1),
            (color.jitter_saturation, 1), (color.jitter_hue, 0))
