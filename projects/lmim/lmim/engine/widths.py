"""The widths of the pictures that a recognizer reads, as one setting.

It is ``widths`` of the encoder in a config, a :class:`TextViT`. What follows
from it is set here: the test pipelines, and how a batch is read.
"""
import re
from typing import Any, Dict, Iterator, List, Optional, Tuple, Union

from mmocr.models.textrecog.recognizers import EncoderDecoderRecognizer
from mmocr.registry import MODELS

from lmim.checkpoints.config_text import dicts_in
from lmim.models.textrecog import AnyWidthRecognizer
from lmim.utils.errors import UserError

#: Where a config tells how pictures are prepared that are read.
PIPELINES = ('test_dataloader', 'val_dataloader', 'test_pipeline',
             'tta_pipeline')
ENCODERS = ('TextViT', 'MaskedViT', 'SimMIMViT', 'ContentViT')
#: The greatest width of 'auto', as so many of that of training. That is the
#: least: the reader, for one, reads narrower pictures worse.
AUTO = 3
#: MMOCR's parts that have a place for each column of one width.
FIXED = ('ABIVisionDecoder', 'MasterDecoder')
#: Height and width of images where no config tells them: the field's.
IMG_SIZE = (32, 128)


def set_widths(cfg: Any, width: str) -> None:
    """Let a recognizer's config read pictures of certain widths, in place.

    Args:
        cfg (dict or Config): The config, or its ``model`` alone in a dict.
        width (str): ``'auto'``: those of the encoder where it has
            ``widths``, else from the width that it was trained for to
            three times that; ``'MIN-MAX'``; or one width, ``'128'``.

    Raises:
        UserError: If it is none of these, the encoder cannot do it, or the
            test pipeline has no resize that can be changed.
    """
    vit = find_vit(cfg.get('model'))
    if vit is None:
        raise UserError(
            f'width {width} needs an encoder that takes several widths, a '
            f'{ENCODERS[0]}, and the backbone of this config is another: '
            'leave --width out')
    bounds = re.fullmatch(r'(\d+)(?:-(\d+))?', str(width).strip())
    if bounds:
        low = int(bounds[1])
        vit['widths'] = (low, int(bounds[2] or low))
    elif str(width) != 'auto':
        raise UserError(f"width is 'auto', MIN-MAX, such as 64-384, or one "
                        f'number, and not {width!r}')
    elif not vit.get('widths'):
        trained = _size(vit)[1]
        vit['widths'] = (trained, AUTO * trained)
    changed = fit_widths(cfg)
    loader = cfg.get('test_dataloader') or cfg.get('test_pipeline')
    if loader and not changed:
        raise UserError(
            f'width {width}: the test pipeline has no dict(type="Resize", '
            'scale=(width, height)) of the size of the encoder, nor a '
            'RescaleToHeight, that could be changed')


def fit_widths(cfg: Any) -> bool:
    """Let what reads pictures follow the ``widths`` of the encoder, in place.

    A ``Resize`` of the encoder's size becomes MMOCR's ``RescaleToHeight``,
    and the recognizer an :class:`AnyWidthRecognizer`. Without ``widths``,
    nothing is done.

    Returns:
        bool: Whether a pipeline follows them.

    Raises:
        UserError: If another part of the model has one width.
    """
    model = cfg.get('model')
    vit = find_vit(model)
    if vit is None or not vit.get('widths'):
        return False
    if tuple(vit['widths']) != (_size(vit)[1], ) * 2:
        for part in dicts_in(model):
            if str(part.get('type')).rpartition('.')[2] in FIXED:
                raise UserError(
                    f'{part["type"]} has a place for each column of pictures '
                    f'{_size(vit)[1]} wide, and reads no others: leave width '
                    'out, or take another recognizer, such as those of '
                    'configs/textrecog/ctc or transformer')
    kind = MODELS.get(str(model['type'])) if 'type' in model else None
    if (isinstance(kind, type) and issubclass(kind, EncoderDecoderRecognizer)
            and not issubclass(kind, AnyWidthRecognizer)):
        model['type'] = 'AnyWidthRecognizer'
    steps = list(_steps(cfg, vit))
    for step in steps:
        step.update(rescaling(vit))
    return bool(steps)


def find_vit(model: Any) -> Optional[Dict[str, Any]]:
    """The config of the :class:`TextViT` in that of a model, if it has one."""
    backbone = model.get('backbone') if isinstance(model, dict) else None
    return next((part for part in dicts_in(backbone) if str(
        part.get('type')).rpartition('.')[2] in ENCODERS), None)


def rescaling(vit: Dict[str, Any]) -> Dict[str, Any]:
    """The transform that a ViT with ``widths`` needs."""
    low, high = vit['widths']
    return dict(type='RescaleToHeight', height=_size(vit)[0], min_width=low,
                max_width=high, width_divisor=_columns(vit))


def _steps(cfg: Any, vit: Dict[str, Any]) -> Iterator[Dict[str, Any]]:
    """The transforms of test pipelines that bring pictures to a ViT's size.

    Of a ``Resize``, what ``RescaleToHeight`` has not is left out.
    """
    height, width = _size(vit)
    parts: List[Dict[str, Any]] = [
        part for name in PIPELINES for part in dicts_in(cfg.get(name))]
    for part in parts:
        kind = str(part.get('type')).rpartition('.')[2]
        if kind == 'RescaleToHeight' and part.get('height') == height:
            yield part
        if (kind == 'Resize' and not part.get('keep_ratio')
                and tuple(part.get('scale') or ()) == (width, height)):
            part.pop('scale')
            yield part


def _size(vit: Dict[str, Any]) -> Tuple[int, int]:
    size: Union[int, Tuple[int, int]] = vit.get('img_size') or IMG_SIZE
    return (size, size) if isinstance(size, int) else (size[0], size[1])


def _columns(vit: Dict[str, Any]) -> int:
    """The columns of a patch."""
    patch = vit.get('patch_size') or 4
    return patch if isinstance(patch, int) else patch[1]
