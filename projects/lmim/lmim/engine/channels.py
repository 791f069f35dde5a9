"""Whether a recognizer takes as many channels as its encoder gives."""
from typing import Any, Dict, Optional

from mmengine.config import Config
from mmpretrain.models import VisionTransformer

from lmim.models.backbones import TextViT
from lmim.utils.errors import UserError

from .widths import find_vit


def check_channels(cfg: Config) -> None:
    """Refuse a recognizer whose parts have other channels than its encoder.

    torch would tell of shapes of matrices, in the first step.

    Args:
        cfg (Config): With a TextViT or another ViT of this project as
            backbone, or in it. Others are left alone, and so are parts that
            do not say what they take, by ``in_dims`` or ``in_channels``.

    Raises:
        UserError: If a part takes another number, with the option that gives
            it the right one.
    """
    model: Any = cfg.get('model') or {}
    given = _given(model)
    place = 'encoder' if model.get('encoder') else 'decoder'
    part = model.get(place)
    if given is None or not isinstance(part, dict) or 'decoder' not in model:
        return
    for name in ('in_dims', 'in_channels'):
        taken = part.get(name)
        if isinstance(taken, int) and taken != given:
            half = ('. A ContentViT gives half of its channels, or all of '
                    'them, half being zeros, with padded=True'
                    if _halves(find_vit(model) or {}) else '')
            raise UserError(
                f'the backbone gives {given} channels, and model.{place} '
                f'takes {taken}: set model.{place}.{name}={given}{half}')


def _given(model: Dict[str, Any]) -> Optional[int]:
    """Channels that the backbone gives; None where that is not known."""
    vit = find_vit(model)
    if vit is None:
        return None
    backbone = model['backbone']
    if backbone is not vit and backbone.get('out_channels'):
        return int(backbone['out_channels'])
    arch = vit.get('arch', 'small')
    if not isinstance(arch, dict):
        arch = next((zoo[arch] for zoo in (
            TextViT.arch_zoo, VisionTransformer.arch_zoo) if arch in zoo), {})
    dims = arch.get('embed_dims')
    return dims // 2 if dims and _halves(vit) else dims


def _halves(vit: Dict[str, Any]) -> bool:
    """Whether a ViT gives half of its channels."""
    return (str(vit.get('type')).rpartition('.')[2] == 'ContentViT'
            and not vit.get('padded'))
