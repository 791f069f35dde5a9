"""What is done with a picture before a graph, and at its beginning."""
from typing import Any, Dict, List, NamedTuple, Optional, Tuple

from mmengine.config import Config
from mmocr.models.textrecog.data_preprocessors import TextRecogDataPreprocessor

from lmim.apis.preprocessing import find_pipeline, kind_of_step, loads
from lmim.models.selfsup.base import PREPROCESSOR
from lmim.utils.errors import UserError

from .onnx_reader import INTERPOLATIONS

_ONLY = ('what is exported takes pictures that OpenCV resizes to one size: '
         'dict(type="Resize", scale=(128, 32)), then PackTextRecogInputs. '
         'Name a config with such a test pipeline: --config CONFIG')


class PixelFacts(NamedTuple):
    """From OpenCV's picture to a model's input."""
    height: int  # rows and columns that pictures are resized to
    width: int
    interpolation: str  # how, one of INTERPOLATIONS
    mean: Tuple[float, ...]  # of channels, what is subtracted
    std: Tuple[float, ...]  # of channels, what is divided by then
    rgb: bool  # whether the model takes red first


def facts_of_recognizer(model: Any, cfg: Config) -> PixelFacts:
    """How a recognizer's pictures are prepared, with its test pipeline.

    Raises:
        UserError: If its pictures are prepared in a way that the reader
            cannot follow.
    """
    height, width, interpolation = _resize(find_pipeline(cfg.to_dict()) or [])
    vit = getattr(model.backbone, 'vit', model.backbone)
    if tuple(vit.img_size) != (height, width):
        raise UserError(
            f'the test pipeline resizes pictures to {height}x{width}, and '
            'the encoder is for {}x{} (height x width): name a config in '
            'which they agree, --config CONFIG'.format(*vit.img_size))
    preparer = model.data_preprocessor
    if type(preparer) is not TextRecogDataPreprocessor:
        raise UserError(
            f'the model normalises by {type(preparer).__name__}, which the '
            'reader cannot follow: it knows TextRecogDataPreprocessor')
    step = preparer.pad_size_divisor
    if height % step or width % step:
        raise UserError(
            f'the model pads pictures of {height}x{width} to multiples of '
            f'{step} (pad_size_divisor), which the reader does not')
    mean, std = (0., ), (1., )
    if preparer._enable_normalize:
        mean, std = (tuple(values.flatten().tolist())
                     for values in (preparer.mean, preparer.std))
    return PixelFacts(height, width, interpolation, mean, std,
                      preparer._channel_conversion)


def facts_of_encoder(vit: Any, model: Optional[Dict[str, Any]]) -> PixelFacts:
    """How the pictures of a ``TextViT`` are prepared.

    Where there is no config of its model, or no word on it there, pixels are
    those of this project's and MAERec's pre-training.
    """
    about: Dict[str, Any] = (
        (model or {}).get('data_preprocessor') or PREPROCESSOR)
    mean, std = (tuple(map(float, about.get(name) or (default, )))
                 for name, default in (('mean', 0), ('std', 1)))
    height, width = vit.img_size
    return PixelFacts(height, width, 'bilinear', mean, std,
                      bool(about.get('bgr_to_rgb') or about.get('to_rgb')))


def _resize(pipeline: List[Dict[str, Any]]) -> Tuple[int, int, str]:
    """Height, width and interpolation of a test pipeline."""
    if any(step.get('color_type', 'color') != 'color' for step in pipeline):
        raise UserError(f'the model reads grey pictures; {_ONLY}')
    steps = [step for step in pipeline if not loads(step)]
    kinds = [kind_of_step(step) for step in steps]
    if sorted(kinds) != ['PackTextRecogInputs', 'Resize']:
        raise UserError(
            f'the test pipeline is {", ".join(kinds) or "missing"}; {_ONLY}')
    about = steps[kinds.index('Resize')]
    scale = about.get('scale') or 0
    width, height = (scale, scale) if isinstance(scale, int) else scale
    how = about.get('interpolation', 'bilinear')
    if (not width or about.get('keep_ratio') or how not in INTERPOLATIONS
            or about.get('backend', 'cv2') != 'cv2'):
        raise UserError(f'the test pipeline has {about}; {_ONLY}')
    return int(height), int(width), how
