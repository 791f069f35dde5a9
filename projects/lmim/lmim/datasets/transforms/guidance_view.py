"""The guidance view of LMIM, and other views that keep the text."""
from dataclasses import dataclass, fields, replace
from functools import partial
from typing import Any, Dict, List, Optional, Tuple

import cv2
import numpy as np
from mmcv.transforms import BaseTransform
from numpy import ndarray

from mmocr.registry import TRANSFORMS

from lmim.utils.errors import UserError
from . import guidance_ops as ops

#: Lowest and highest value; drawn uniformly.
Range = Tuple[float, float]
Change = partial
NamedChange = Tuple[str, Change]


@dataclass(frozen=True)
class GuidanceRanges:
    """Ranges of the ten operations and of the colour changes after them.

    The defaults are the paper's medium level. An operation whose range is
    None is left out.
    """

    #: Factor of the distance of each value from mid-grey.
    contrast: Optional[Range] = (0.5, 1.0)
    #: Standard deviation of the Gaussian, in pixels of the picture.
    blur: Optional[Range] = (0.5, 1.5)
    #: Part of the height that is cut off the top, and off the bottom.
    crop_vertical: Optional[Range] = (0.0, 0.1)
    #: Part of the width that is cut off the left, and off the right.
    crop_horizontal: Optional[Range] = (0.0, 0.02)
    #: Weight of the sharpened picture.
    sharpen: Optional[Range] = (0.0, 0.5)
    #: Brightness of the sharpened picture: 1 keeps that of the picture.
    sharpen_lightness: Range = (0.0, 0.5)
    #: Degrees.
    rotate: Optional[Range] = (-15.0, 15.0)
    #: Standard deviation by which points of a grid are moved, in parts of
    #: the picture's height and width.
    piecewise_affine: Optional[Range] = (0.03, 0.05)
    #: Standard deviation by which corners are moved, in the same parts.
    perspective: Optional[Range] = (0.02, 0.06)
    #: Threshold above, or below, which values are inverted.
    solarize: Optional[Range] = (32.0, 128.0)
    #: Weight of the grey picture.
    grayscale: Optional[Range] = (0.0, 1.0)
    #: At least so many of the operations are done, or all where there are
    #: fewer.
    min_ops: int = 3
    #: At most so many; None is all.
    max_ops: Optional[int] = None
    #: Largest change of brightness, contrast, saturation (parts) and hue
    #: (turns), after the resize.
    color_jitter: Tuple[float, float, float, float] = (0.4, 0.4, 0.2, 0.1)
    color_jitter_prob: float = 0.8
    #: Probability that all colour is taken away in the end.
    gray_prob: float = 0.2
    #: Probability of an affine change of the resized view, in its frame.
    affine_prob: float = 0.0
    #: Its factor of each axis.
    affine_scale: Range = (0.6, 1.1)
    #: By how much it moves, in parts of width and height.
    affine_shift: Range = (-0.02, 0.02)
    #: By how many degrees it turns, and leans columns and rows.
    affine_rotate: Range = (-10.0, 10.0)
    affine_shear_x: Range = (-45.0, 45.0)
    affine_shear_y: Range = (-10.0, 10.0)

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if field.type is Range or (field.name in OPERATIONS
                                       and value is not None):
                _check_range(field.name, value)
        if self.min_ops < 0 or (self.max_ops or self.min_ops) < self.min_ops:
            raise UserError(
                'GuidanceView(min_ops=..., max_ops=...) are numbers of '
                f'operations, the smaller first, not {self.min_ops} and '
                f'{self.max_ops}.')

    @property
    def enabled(self) -> Tuple[str, ...]:
        """Tuple[str, ...]: The operations that have a range."""
        return tuple(name for name in OPERATIONS
                     if getattr(self, name) is not None)


OPERATIONS = ('contrast', 'blur', 'crop_vertical', 'crop_horizontal',
              'sharpen', 'rotate', 'piecewise_affine', 'perspective',
              'solarize', 'grayscale')
#: Those that change where things are.
GEOMETRIC = ('crop_vertical', 'crop_horizontal', 'rotate', 'piecewise_affine',
             'perspective')


def _check_range(name: str, value: Any) -> None:
    if len(value) != 2 or value[0] > value[1]:
        raise UserError(f'GuidanceView({name}=...) is a pair (lowest, '
                        f'highest), or None to leave it out, not {value!r}.')


_COLOR = GuidanceRanges(
    crop_vertical=None, crop_horizontal=None, rotate=None,
    piecewise_affine=None, perspective=None, min_ops=0)

#: The paper gives medium in full; of weak it says 'geometric only (crop,
#: rotate)', of strong 'medium with larger ranges'. The ranges of strong are
#: ours, chosen so that words of the common sets can still be read. Sequence
#: is SeqCLR's (arXiv 2012.10873, appendix): little is moved along the word,
#: so that equal places of two views hold the same characters. Up to 40 % of
#: the height cut off both sides can cut text away; it is as published. Dig is
#: DiG's augmented view (arXiv 2207.00193), which cuts off as much. Color moves
#: nothing; ccd is CCD's irregular view (arXiv 2211.00288): the same, and its
#: affine change. CCD's own colours have weather and noise besides.
LEVELS: Dict[str, GuidanceRanges] = {
    'weak': GuidanceRanges(
        contrast=None, blur=None, sharpen=None, piecewise_affine=None,
        perspective=None, solarize=None, grayscale=None,
        color_jitter_prob=0.0, gray_prob=0.0),
    'medium': GuidanceRanges(),
    'strong': GuidanceRanges(
        contrast=(0.3, 1.3), blur=(0.5, 2.0), crop_vertical=(0.0, 0.12),
        crop_horizontal=(0.0, 0.03), sharpen=(0.0, 0.8),
        sharpen_lightness=(0.0, 0.8), rotate=(-30.0, 30.0),
        piecewise_affine=(0.04, 0.07), perspective=(0.04, 0.1),
        solarize=(16.0, 192.0), min_ops=4, color_jitter=(0.6, 0.6, 0.4, 0.2)),
    'sequence': GuidanceRanges(
        crop_vertical=(0.0, 0.4), rotate=None, piecewise_affine=(0.02, 0.03),
        perspective=(0.01, 0.02), solarize=None, grayscale=None, min_ops=1,
        max_ops=5, color_jitter_prob=0.0, gray_prob=0.0),
    'dig': GuidanceRanges(
        crop_vertical=(0.0, 0.3), crop_horizontal=(0.0, 0.1),
        rotate=(-10.0, 10.0), piecewise_affine=(0.03, 0.04),
        perspective=(0.05, 0.1), min_ops=2, max_ops=5),
    'color': _COLOR,
    'ccd': replace(_COLOR, affine_prob=0.7),
}


def _ranges_of(level: str, overrides: Dict[str, Any]) -> GuidanceRanges:
    """The ranges of a level, some of them changed."""
    if level not in LEVELS:
        raise UserError(f'GuidanceView(level={level!r}): there is no such '
                        f'level; take one of {list(LEVELS)}.')
    known = [field.name for field in fields(GuidanceRanges)]
    unknown = sorted(set(overrides) - set(known))
    if unknown:
        raise TypeError(f'GuidanceView has no option {unknown}; the options '
                        'are level, img_size, max_side, with_warp, key and '
                        f'{known}.')
    return replace(LEVELS[level], **overrides)


def _uniform(low: float, high: float) -> float:
    # A sixth of the time of np.random.uniform, and there are a dozen a view.
    return low + (high - low) * np.random.random_sample()


#: Operations whose arguments are drawn from their range alone.
_SIMPLE: Dict[str, Any] = {
    'contrast': (ops.contrast, 'factor'),
    'blur': (ops.blur, 'sigma'),
    'crop_vertical': (ops.crop, 'top', 'bottom'),
    'crop_horizontal': (ops.crop, 'left', 'right'),
    'rotate': (ops.rotate, 'degrees'),
    'grayscale': (ops.grayscale, 'alpha'),
}
#: Each jitter, and the value at which it changes nothing.
_JITTERS = ((ops.jitter_brightness, 1), (ops.jitter_contrast, 1),
            (ops.jitter_saturation, 1), (ops.jitter_hue, 0))
#: What a jitter calls its value.
_ARGUMENT = {jitter: 'turns' if jitter is ops.jitter_hue else 'factor'
             for jitter, _ in _JITTERS}


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

    - guidance_img, or ``key`` ((height, width, 3), uint8, BGR)
    - guidance_warp ((height, width, 3), float32), with ``with_warp``: what
      bent the view. For each of its pixels x and y in the picture, from -1
      (left or upper edge) to 1, as ``grid_sample(align_corners=False)``
      takes them, and 1 where that is inside the picture, 0 outside, a part
      at its border.

    Args:
        level (str): 'weak' (crop and rotate), 'medium' (LMIM's choice),
            'strong', 'sequence' (SeqCLR's), 'dig' (DiG's), 'color' (nothing
            is moved) or 'ccd' (CCD's). Defaults to 'medium'.
        img_size (Tuple[int, int]): (height, width) of the view. Defaults to
            (32, 128).
        max_side (int): Larger pictures are averaged down to this side first:
            it bounds the cost, and at 32x128 nothing of it can be seen.
            Defaults to 1024.
        with_warp (bool): Whether to add ``guidance_warp``. Defaults to False.
        key (str): Where the view is put; ``'img'`` makes it the picture of
            all transforms that follow. Defaults to 'guidance_img'.
        overrides: Ranges that differ from the level's, such as
            ``rotate=(-10, 10)``, or ``solarize=None`` to leave one out; see
            :class:`GuidanceRanges` for all.

    Raises:
        UserError: If there is no such level, or a range is no pair.
        TypeError: If an option does not exist.
    """

    def __init__(self,
                 level: str = 'medium',
                 img_size: Tuple[int, int] = (32, 128),
                 max_side: int = 1024,
                 with_warp: bool = False,
                 key: str = 'guidance_img',
                 **overrides: Any) -> None:
        self.level = level
        self.key = key
        self.img_size = (int(img_size[0]), int(img_size[1]))
        self.max_side = max_side
        self.with_warp = with_warp
        self.ranges: GuidanceRanges = _ranges_of(level, overrides)

    def transform(self, results: Dict) -> Dict:
        """Add the view."""
        img = self._as_color(results)
        where = _places(img) if self.with_warp else None
        before, after = self.draw()
        for name, change in before:
            img = change(img)
            if where is not None and name in GEOMETRIC:
                where = change(where)
        img = ops.resize(img, self.img_size)
        where = None if where is None else ops.resize(where, self.img_size)
        for name, change in after:
            img = change(img)
            if where is not None and name == 'affine':
                where = change(where)
        results[self.key] = img
        if where is not None:
            results['guidance_warp'] = _warp(where)
        return results

    def draw(self) -> Tuple[List[NamedChange], List[NamedChange]]:
        """What is done to a picture before the resize, and after it."""
        before = [(name, self._draw(name)) for name in self._choose()]
        after: List[NamedChange] = []
        # Nothing is drawn where it never happens.
        if (self.ranges.affine_prob
                and np.random.random_sample() < self.ranges.affine_prob):
            after.append(('affine', self._draw_affine()))
        return before, after + [('color', change)
                                for change in self._draw_colors()]

    def _choose(self) -> List[str]:
        """Some of the operations, in random order."""
        names = self.ranges.enabled
        most = min(self.ranges.max_ops or len(names), len(names))
        if not names:
            return []
        count = np.random.randint(min(self.ranges.min_ops, most), most + 1)
        order = np.random.permutation(len(names))[:count]
        return [names[i] for i in order]

    def _as_color(self, results: Dict) -> ndarray:
        """The picture as (H, W, 3), not too large."""
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

    def _draw(self, name: str) -> Change:
        """One of the ten operations, with what it does drawn."""

        def draw(field: str = name) -> float:
            return _uniform(*getattr(self.ranges, field))

        if name in _SIMPLE:
            operation, *arguments = _SIMPLE[name]
            return partial(operation, **{key: draw() for key in arguments})
        if name == 'sharpen':
            return partial(ops.sharpen, alpha=draw(),
                           lightness=draw('sharpen_lightness'))
        if name == 'solarize':
            above = np.random.random_sample() < 0.5
            return partial(ops.solarize, threshold=draw(), above=above)
        if name == 'piecewise_affine':
            # imgaug's grid: 2 to 4 rows and columns.
            rows, columns = np.random.randint(2, 5, size=2)
            return partial(ops.piecewise_affine, shift=np.random.normal(
                0, draw(), (rows, columns, 2)))
        jitter = np.abs(np.random.normal(0, draw(), (4, 2)))
        # More than a fifth from each side leaves too little of the picture.
        return partial(ops.perspective, jitter=np.minimum(jitter, 0.2))

    def _draw_affine(self) -> Change:
        """An affine change, drawn."""
        ranges = self.ranges

        def pair(*fields: Range) -> Tuple[float, float]:
            return _uniform(*fields[0]), _uniform(*fields[-1])

        return partial(
            ops.affine, scale=pair(ranges.affine_scale),
            shift=pair(ranges.affine_shift),
            degrees=_uniform(*ranges.affine_rotate),
            shear=pair(ranges.affine_shear_x, ranges.affine_shear_y))

    def _draw_colors(self) -> List[Change]:
        """Colour jitter and greyscale of the resized view, drawn."""
        changes: List[Change] = []
        if np.random.random_sample() < self.ranges.color_jitter_prob:
            jitters = list(zip(_JITTERS, self.ranges.color_jitter))
            for i in np.random.permutation(len(jitters)):
                (jitter, centre), width = jitters[i]
                if width > 0:
                    value = _uniform(centre - width, centre + width)
                    changes.append(partial(jitter,
                                           **{_ARGUMENT[jitter]: value}))
        if np.random.random_sample() < self.ranges.gray_prob:
            changes.append(partial(ops.grayscale, alpha=1.0))
        return changes

    def __repr__(self) -> str:
        return (f'{self.__class__.__name__}(level={self.level!r}, '
                f'img_size={self.img_size}, {self.ranges})')


def _places(img: ndarray) -> ndarray:
    """The place of each pixel, x and y from -1 to 1, and 1: inside."""
    height, width = img.shape[:2]
    places = np.ones((height, width, 3), np.float32)
    places[..., 0] = (2 * np.arange(width) + 1) / width - 1
    places[..., 1] = ((2 * np.arange(height) + 1) / height - 1)[:, None]
    return places


def _warp(places: ndarray) -> ndarray:
    """Places that went through the geometry, as ``guidance_warp``."""
    # Beyond the picture all three are 0, and mixed with it at its border.
    inside = places[..., 2:].clip(0, 1)
    return np.concatenate(
        [places[..., :2] / np.maximum(places[..., 2:], 1e-3), inside], axis=2)
