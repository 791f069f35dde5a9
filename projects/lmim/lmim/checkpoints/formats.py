"""Names of weights in the field's checkpoints, and in ours.

Each format is a list of (pattern, replacement) pairs from its names to ours.
Ours are those of the modules: ``backbone.`` (mmpretrain's names of a ViT),
``target_generator.encoder.``, ``neck.``, ``encoder.`` and ``decoder.``.
"""
import re
from typing import Dict, Iterable, List, NamedTuple, Tuple

import torch

Rules = List[Tuple[str, str]]

#: timm's (and MAE's) names of a ViT to mmpretrain's.
_VIT: Rules = [
    (r'patch_embed\.proj\.', 'patch_embed.projection.'),
    (r'blocks\.(\d+)\.norm([12])\.', r'layers.\1.ln\2.'),
    (r'blocks\.(\d+)\.attn\.', r'layers.\1.attn.'),
    (r'blocks\.(\d+)\.mlp\.fc1\.', r'layers.\1.ffn.layers.0.0.'),
    (r'blocks\.(\d+)\.mlp\.fc2\.', r'layers.\1.ffn.layers.1.'),
    (r'norm\.', 'ln1.'),
    (r'(cls_token|pos_embed)$', r'\1'),
]


def _vit_under(prefix: str, ours: str) -> Rules:
    return [(re.escape(prefix) + old, ours + new) for old, new in _VIT]


class CheckpointFormat(NamedTuple):
    """A checkpoint format.

    Attributes:
        name (str): What messages call it.
        marker (str): A pattern that a name of this format matches, and no
            name of the formats after it in :data:`FORMATS`.
        rules (Rules): Patterns of whole names and what they become.
    """
    name: str
    marker: str
    rules: Rules


FORMATS = [
    CheckpointFormat(
        'LMIM pre-training (authors)', r'model_maeenc\.',
        _vit_under('model_maeenc.', 'backbone.') +
        _vit_under('model_maeenc_momentum.', 'target_generator.encoder.') +
        [(r'(mask_token|decoder_)', r'neck.\1')]),
    CheckpointFormat(
        'LMIM fine-tuned (authors)', r'encoder\.patch_embed\.proj\.',
        _vit_under('encoder.', 'backbone.') + [
            (r'linear_norm\.0\.', 'encoder.projection.'),
            (r'linear_norm\.1\.', 'encoder.norm.'),
            (r'decoder\.', 'decoder.'),
        ]),
    CheckpointFormat(
        'MAERec fine-tuned', r'backbone\.patch_embed\.proj\.',
        _vit_under('backbone.', 'backbone.') + [(r'decoder\.', 'decoder.')]),
    CheckpointFormat(
        'MAE, MAERec or timm ViT', r'patch_embed\.proj\.',
        _vit_under('', 'backbone.') +
        [(r'(mask_token|decoder_)', r'neck.\1')]),
    CheckpointFormat('LMIM for MMOCR', r'backbone\.patch_embed\.projection\.',
                     [(r'', '')]),
    CheckpointFormat('mmpretrain ViT', r'patch_embed\.projection\.',
                     [(r'', 'backbone.')]),
]


def detect_format(names: List[str]) -> CheckpointFormat:
    """Recognise a checkpoint by its names.

    Args:
        names (List[str]): Names of the weights.

    Returns:
        CheckpointFormat: The format.

    Raises:
        ValueError: If no known format has such names.
    """
    for kind in FORMATS:
        if any(re.match(kind.marker, name) for name in names):
            return kind
    known = '; '.join(kind.name for kind in FORMATS)
    raise ValueError(f'no format that is known has such names: '
                     f'{sorted(names)[:8]} ... Known are: {known}')


def names_to_ours(names: Iterable[str]) -> Dict[str, str]:
    """Find out what our modules call the weights of a checkpoint.

    Args:
        names (Iterable[str]): All names of the weights, in any known format.

    Returns:
        Dict[str, str]: Our name for each. A name that no rule of the format
        knows stays as it is.

    Raises:
        ValueError: If the format is not known.
    """
    names = list(names)
    rules = detect_format(names).rules
    return {name: _rename(name, rules) for name in names}


def to_ours(
        weights: Dict[str, torch.Tensor]) -> Dict[str, torch.Tensor]:
    """Rename the weights of any known format as our modules call them.

    Args:
        weights (Dict[str, torch.Tensor]): Weights by their own names.

    Returns:
        Dict[str, torch.Tensor]: The same tensors by our names.

    Raises:
        ValueError: If the format is not known.
    """
    ours = names_to_ours(weights)
    return {ours[name]: value for name, value in weights.items()}


def _rename(name: str, rules: Rules) -> str:
    for pattern, replacement in rules:
        renamed, count = re.subn('^' + pattern, replacement, name, count=1)
        if count:
            return renamed
    return name
