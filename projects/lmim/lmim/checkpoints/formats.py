"""Names of weights in the field's checkpoints, and in ours.

Ours are those of the modules: ``backbone.`` (mmpretrain's names of a ViT),
``target_generator.encoder.``, ``neck.``, ``encoder.`` and ``decoder.``.
"""
import re
from typing import Dict, Iterable, List, NamedTuple, Optional, Tuple

import torch

from .naming import NameTable, Row

#: What our names of an encoder start with.
ENCODER = 'backbone.'
_TEACHER = 'target_generator.encoder.'

#: timm's (and MAE's) names of a block to mmpretrain's.
_BLOCK: List[Row] = [
    ('norm1.{p}', 'ln1.{p}'),
    ('attn.qkv.{p}', 'attn.qkv.{p}'),
    ('attn.proj.{p}', 'attn.proj.{p}'),
    ('norm2.{p}', 'ln2.{p}'),
    ('mlp.fc1.{p}', 'ffn.layers.0.0.{p}'),
    ('mlp.fc2.{p}', 'ffn.layers.1.{p}'),
]


def _under(theirs: str, ours: str, rows: List[Row]) -> List[Row]:
    return [(theirs + old, ours + new) for old, new in rows]


def _same(theirs: str, ours: str, names: List[str]) -> List[Row]:
    return _under(theirs, ours, [(name, name) for name in names])


#: timm's (and MAE's) names of a ViT to mmpretrain's.
_VIT: List[Row] = [
    ('cls_token', 'cls_token'),
    ('pos_embed', 'pos_embed'),
    ('patch_embed.proj.{p}', 'patch_embed.projection.{p}'),
    *_under('blocks.{n}.', 'layers.{n}.', _BLOCK),
    ('norm.{p}', 'ln1.{p}'),
]
#: What the decoders of MAE and of LMIM's pre-training share.
_NECK = _same('', 'neck.', [
    'mask_token', 'decoder_pos_embed', 'decoder_embed.{p}', 'decoder_norm.{p}',
    'decoder_pred.{p}'
])
_LMIM_NECK = _NECK + _same('', 'neck.', [
    'decoder_embed2.{p}',
    *(f'decoder_blocks.{{n}}.{name}' for name in (
        'self_attn.in_proj_{p}', 'self_attn.out_proj.{p}',
        'multihead_attn.in_proj_{p}', 'multihead_attn.out_proj.{p}',
        'linear1.{p}', 'linear2.{p}', 'norm1.{p}', 'norm2.{p}', 'norm3.{p}'))
])
#: A text decoder of MMOCR's transformer layers.
_TEXT_DECODER = _same('decoder.', 'decoder.', [
    'trg_word_emb.weight', 'position_enc.position_table', 'layer_norm.{p}',
    'classifier.{p}',
    *(f'layer_stack.{{n}}.{name}' for name in (
        'norm1.{p}', 'norm2.{p}', 'norm3.{p}', 'self_attn.{q}.weight',
        'enc_attn.{q}.weight', 'mlp.w_1.{p}', 'mlp.w_2.{p}'))
])


class CheckpointFormat(NamedTuple):
    """A checkpoint format.

    Attributes:
        key (str): What a command line calls it.
        name (str): What messages call it.
        marker (str): A pattern that a name of this format matches, and no
            name of the formats after it in :data:`FORMATS`.
        names (NameTable): Its names and ours.
        wraps (str): The key of a file under which the weights are, or ''.
        prefix (str): What its names of an encoder start with.
        aside (str): A pattern of names that are no part of what is
            converted, such as a classifier's.
        needs (Tuple[str, ...]): Parts, by what our names of them start with,
            without which it is not this format.
        start_rows (int, optional): How many rows the embedding of characters
            has beyond the classes: LMIM's start symbol is no class.
    """
    key: str
    name: str
    marker: str
    names: NameTable
    wraps: str = 'model'
    prefix: str = ''
    aside: str = '(?!)'
    needs: Tuple[str, ...] = (ENCODER, )
    start_rows: Optional[int] = None


FORMATS = [
    CheckpointFormat(
        'lmim-pretrain', 'LMIM pre-training (authors)', r'model_maeenc\.',
        NameTable(
            _under('model_maeenc.', ENCODER, _VIT) +
            _under('model_maeenc_momentum.', _TEACHER, _VIT) + _LMIM_NECK),
        prefix='model_maeenc.',
        needs=(ENCODER, _TEACHER, 'neck.')),
    CheckpointFormat(
        'lmim-finetune', 'LMIM fine-tuned (authors)',
        r'encoder\.patch_embed\.proj\.',
        NameTable(
            _under('encoder.', ENCODER, _VIT) +
            [('linear_norm.0.{p}', 'encoder.projection.{p}'),
             ('linear_norm.1.{p}', 'encoder.norm.{p}')] + _TEXT_DECODER),
        prefix='encoder.',
        needs=(ENCODER, 'encoder.', 'decoder.'),
        start_rows=1),
    CheckpointFormat(
        'maerec', 'MAERec fine-tuned', r'backbone\.patch_embed\.proj\.',
        NameTable(_under('backbone.', ENCODER, _VIT) + _TEXT_DECODER),
        wraps='state_dict',
        prefix='backbone.',
        needs=(ENCODER, 'decoder.'),
        start_rows=0),
    CheckpointFormat(
        'mae', 'MAE or MAERec pre-training',
        r'mask_token$|decoder_(embed|pos_embed|blocks|norm|pred)\b',
        NameTable(
            _under('', ENCODER, _VIT) + _NECK +
            _under('decoder_blocks.{n}.', 'neck.decoder_blocks.{n}.', _BLOCK)),
        aside=r'head\.|fc_norm\.|decoder_'),
    CheckpointFormat(
        'timm', 'timm ViT', r'patch_embed\.proj\.',
        NameTable(_under('', ENCODER, _VIT)),
        wraps='',
        aside=r'head(_dist)?\.|fc_norm\.|pre_logits\.'),
    CheckpointFormat(
        'mmpretrain-classifier', 'mmpretrain ViT with a classifier',
        r'head\.(layers|fc)\.',
        NameTable([(ENCODER + '{rest}', ENCODER + '{rest}')]),
        wraps='state_dict',
        prefix='backbone.',
        aside=r'head\.',
        needs=('head.', )),
    CheckpointFormat(
        'feature-map', 'LMIM for MMOCR, its encoder as a feature map',
        r'backbone\.vit\.patch_embed\.projection\.',
        NameTable([('backbone.vit.{rest}', ENCODER + '{rest}'),
                   ('backbone.link.{rest}', 'link.{rest}'),
                   ('{rest}', '{rest}')]),
        wraps='state_dict',
        prefix='backbone.vit.'),
    CheckpointFormat(
        'ours', 'LMIM for MMOCR', r'backbone\.patch_embed\.projection\.',
        NameTable([('{rest}', '{rest}')]),
        wraps='state_dict',
        prefix='backbone.',
        needs=()),
    CheckpointFormat(
        'mmpretrain', 'mmpretrain ViT', r'patch_embed\.projection\.',
        NameTable(_same('', ENCODER, [ours for _, ours in _VIT])),
        wraps='state_dict'),
]
#: The formats by their keys.
BY_KEY = {kind.key: kind for kind in FORMATS}


def detect_format(names: Iterable[str]) -> CheckpointFormat:
    """Recognise a checkpoint by its names.

    Args:
        names (Iterable[str]): Names of the weights.

    Returns:
        CheckpointFormat: The format.

    Raises:
        ValueError: If no known format has such names.
    """
    names = list(names)
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
        Dict[str, str]: Our name for each. A name that the format does not
        know stays as it is.

    Raises:
        ValueError: If the format is not known.
    """
    names = list(names)
    table = detect_format(names).names
    return {name: table.ours(name) or name for name in names}


def to_ours(weights: Dict[str, torch.Tensor]) -> Dict[str, torch.Tensor]:
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
