"""What each level of the guidance view may do to a picture, as data."""
from dataclasses import dataclass, fields, replace
from typing import Any, Dict, Optional, Tuple

from lmim.utils.errors import UserError

#: Lowest and highest value; drawn uniformly.
Range = Tuple[float, float]


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
    #: Largest change of brightness, contrast, saturation (parts) and hue
    #: (turns), after the resize.
    color_jitter: Tuple[float, float, float, float] = (0.4, 0.4, 0.2, 0.1)
    color_jitter_prob: float = 0.8
    #: Probability that all colour is taken away in the end.
    gray_prob: float = 0.2

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if field.name in OPERATIONS and value is not None:
                _check_range(field.name, value)
        _check_range('sharpen_lightness', self.sharpen_lightness)
        if self.min_ops < 0:
            raise UserError('GuidanceView(min_ops=...) is a number of '
                            f'operations, not {self.min_ops}.')

    @property
    def enabled(self) -> Tuple[str, ...]:
        """Tuple[str, ...]: The operations that have a range."""
        return tuple(name for name in OPERATIONS
                     if getattr(self, name) is not None)


OPERATIONS = ('contrast', 'blur', 'crop_vertical', 'crop_horizontal',
              'sharpen', 'rotate', 'piecewise_affine', 'perspective',
              'solarize', 'grayscale')


def _check_range(name: str, value: Any) -> None:
    if len(value) != 2 or value[0] > value[1]:
        raise UserError(f'GuidanceView({name}=...) is a pair (lowest, '
                        f'highest), or None to leave it out, not {value!r}.')


#: The paper gives medium in full; of weak it says 'geometric only (crop,
#: rotate)', of strong 'medium with larger ranges'. The ranges of strong are
#: ours, chosen so that words of the common sets can still be read.
LEVELS: Dict[str, GuidanceRanges] = {
    'weak':
    GuidanceRanges(
        contrast=None,
        blur=None,
        sharpen=None,
        piecewise_affine=None,
        perspective=None,
        solarize=None,
        grayscale=None,
        color_jitter_prob=0.0,
        gray_prob=0.0),
    'medium':
    GuidanceRanges(),
    'strong':
    GuidanceRanges(
        contrast=(0.3, 1.3),
        blur=(0.5, 2.0),
        crop_vertical=(0.0, 0.12),
        crop_horizontal=(0.0, 0.03),
        sharpen=(0.0, 0.8),
        sharpen_lightness=(0.0, 0.8),
        rotate=(-30.0, 30.0),
        piecewise_affine=(0.04, 0.07),
        perspective=(0.04, 0.1),
        solarize=(16.0, 192.0),
        min_ops=4,
        color_jitter=(0.6, 0.6, 0.4, 0.2)),
}


def ranges_of(level: str, overrides: Dict[str, Any]) -> GuidanceRanges:
    """The ranges of a level, some of them changed.

    Args:
        level (str): 'weak', 'medium' or 'strong'.
        overrides (Dict[str, Any]): Fields of :class:`GuidanceRanges`.

    Raises:
        UserError: If there is no such level, or a range is no pair.
        TypeError: If there is no such field.
    """
    if level not in LEVELS:
        raise UserError(f'GuidanceView(level={level!r}): there is no such '
                        f'level; take one of {list(LEVELS)}.')
    known = [field.name for field in fields(GuidanceRanges)]
    unknown = sorted(set(overrides) - set(known))
    if unknown:
        raise TypeError(f'GuidanceView has no option {unknown}; the options '
                        f'are level, img_size and {known}.')
    return replace(LEVELS[level], **overrides)
