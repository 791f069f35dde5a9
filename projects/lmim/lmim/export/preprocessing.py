"""What is done with a picture before a graph, and at its beginning."""
from typing import Any, Dict, List, NamedTuple, Optional, Sequence, Tuple

from mmengine.config import Config
from mmocr.models.textrecog.data_preprocessors import TextRecogDataPreprocessor

from lmim.apis.preprocessing import find_pipeline, kind_of_step, loads
from lmim.models.selfsup.base import PREPROCESSOR
from lmim.utils.errors import UserError

from .onnx_reader import INTERPOLATIONS

_ONLY = ('what is exported takes pictures that OpenCV resizes to one size: '
         'dict(type="Resize", scale=(128, 32)), or, with widths of the '
         'encoder, to one height (RescaleToHeight), then PackTextRecogInputs. '
         'Name a config with such a test pipeline: --config CONFIG')


class PixelFacts(NamedTuple):
    """From OpenCV's picture to a model's input."""
    height: int  # rows and columns that pictures are resized to
    width: int
    interpolation: str  # how, one of INTERPOLATIONS
    mean: Tuple[float, ...]  # of channels, what is subtracted
    std: Tuple[float, ...]  # of channels, what is divided by then
    rgb: bool  # whether the model takes red first
    #: Of pictures as wide as their shape says: the least width, the greatest,
    #: and the step between them.
    widths: Optional[Tuple[int, int, int]] = None


def facts_of_recognizer(model: Any, cfg: Config) -> PixelFacts:
    """How a recognizer's pictures are prepared, with its test pipeline.

    Raises:
        UserError: If its pictures are prepared in a way that the reader
            cannot follow.
    """
    vit = getattr(model.backbone, 'vit', model.backbone)
    told, interpolation = _resize(find_pipeline(cfg.to_dict()) or [])
    wanted = vit.img_size[0], *(vit.widths or [vit.img_size[1]] * 2)
    if told not in ((*wanted, vit.patch_size[1]), (*wanted, 1)):
        raise UserError(
            'the test pipeline resizes pictures to {}, and the encoder is '
            'for {} (height x width): name a config in which they agree, '
            '--config CONFIG'.format(_named(told), _named(wanted)))
    height, width, widths = _sizes_of(vit)
    preparer = model.data_preprocessor
    if type(preparer) is not TextRecogDataPreprocessor:
        raise UserError(
            f'the model normalises by {type(preparer).__name__}, which the '
            'reader cannot follow: it knows TextRecogDataPreprocessor')
    step = preparer.pad_size_divisor
    if height % step or width % step or (widths and widths[2] % step):
        raise UserError(
            f'the model pads pictures of {height}x{width} to multiples of '
            f'{step} (pad_size_divisor), which the reader does not')
    mean, std = (0., ), (1., )
    if preparer._enable_normalize:
        mean, std = (tuple(values.flatten().tolist())
                     for values in (preparer.mean, preparer.std))
    return PixelFacts(height, width, interpolation, mean, std,
                      preparer._channel_conversion, widths)


def _sizes_of(vit: Any) -> Tuple[int, int, Optional[Tuple[int, int, int]]]:
    """Height, width and widths of :class:`PixelFacts`, of a ``TextViT``."""
    height, width = vit.img_size
    least, most = vit.widths or (width, width)
    if least == most:
        return height, least, None
    return height, width, (least, most, vit.patch_size[1])


def _named(size: Sequence[int]) -> str:
    """A height, a least and a greatest width, and what else follows."""
    height, least, most = size[:3]
    return f'{height}x{least}' + f'-{most}' * (least != most)


def facts_of_encoder(vit: Any, model: Optional[Dict[str, Any]]) -> PixelFacts:
    """How the pictures of a ``TextViT`` are prepared.

    Where there is no config of its model, or no word on it there, pixels are
    those of this project's and MAERec's pre-training.
    """
    about: Dict[str, Any] = (
        (model or {}).get('data_preprocessor') or PREPROCESSOR)
    mean, std = (tuple(map(float, about.get(name) or (default, )))
                 for name, default in (('mean', 0), ('std', 1)))
    height, width, widths = _sizes_of(vit)
    return PixelFacts(height, width, 'bilinear', mean, std,
                      bool(about.get('bgr_to_rgb') or about.get('to_rgb')),
                      widths)


def _resize(pipeline: List[Dict[str, Any]]
            ) -> Tuple[Tuple[int, int, int, int], str]:
    """What a test pipeline makes of pictures, and its interpolation.

    It is their height, the least width and the greatest, and the step between
    widths, 1 where there is one.
    """
    if any(step.get('color_type', 'color') != 'color' for step in pipeline):
        raise UserError(f'the model reads grey pictures; {_ONLY}')
    steps = [step for step in pipeline if not loads(step)]
    kinds = [kind_of_step(step) for step in steps]
    if sorted(kinds) not in (['PackTextRecogInputs', 'Resize'],
                             ['PackTextRecogInputs', 'RescaleToHeight']):
        raise UserError(
            f'the test pipeline is {", ".join(kinds) or "missing"}; {_ONLY}')
    about = steps[1 - kinds.index('PackTextRecogInputs')]
    scale = about.get('scale') or 0
    width, height = (scale, scale) if isinstance(scale, int) else scale
    size = height, width, width, 1
    if 'height' in about:  # a RescaleToHeight
        size = (about['height'], about.get('min_width') or 0,
                about.get('max_width') or 0, about.get('width_divisor', 1))
    how = about.get('interpolation', 'bilinear')
    if (not all(size) or about.get('keep_ratio') or how not in INTERPOLATIONS
            or about.get('resize_type', 'Resize') != 'Resize'
            or about.get('backend', 'cv2') != 'cv2'):
        raise UserError(f'the test pipeline has {about}; {_ONLY}')
    return size, how
