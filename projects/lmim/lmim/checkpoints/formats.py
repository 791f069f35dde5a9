"""Formats of checkpoints: a registry of tables of names.

Our names are those of the modules: ``backbone.`` (mmpretrain's names of a
ViT), ``target_generator.encoder.``, ``neck.``, ``encoder.`` and ``decoder.``.
The format of a method's published checkpoints is registered beside the
method, as in :mod:`lmim.models.selfsup.mim`; those of no method are here.
"""
import re
from typing import (Callable, Dict, Iterable, List, NamedTuple, Optional,
                    Pattern, Sequence, Tuple)

import torch

from lmim.utils.errors import CheckpointError, UserError

#: A row of a table: a name in a format, and what our modules call it.
Row = Tuple[str, str]

Weights = Dict[str, torch.Tensor]

#: What our names of an encoder, and of the teacher's, start with.
ENCODER = 'backbone.'
#: Of pre-training alone: no encoder of whole images has it.
MASK_TOKEN = 'mask_token'
#: What parts an encoder's tokens in style and content: not all have it.
SPLIT = 'split'
#: Parts of an encoder that are left aside where it has no such part.
ASIDE = (MASK_TOKEN, SPLIT)
TEACHER = 'target_generator.encoder.'

#: What may stand in a name: a number, the parameter of a layer, a projection
#: of MMOCR's attention, and anything.
_PLACES = {
    'n': r'\d+',
    'p': 'weight|bias',
    'q': 'linear_q|linear_k|linear_v|fc',
    'rest': '.+',
}


class NameTable:
    """Names of weights in a format, and in our modules.

    Args:
        rows (Sequence[Row]): Pairs of names, theirs and ours. ``{n}``,
            ``{p}``, ``{q}`` and ``{rest}`` stand for what both have in their
            places.
    """

    def __init__(self, rows: Sequence[Row]) -> None:
        self.rows = rows
        self._to_ours = [(_pattern(theirs), ours) for theirs, ours in rows]
        self._to_theirs = [(_pattern(ours), theirs) for theirs, ours in rows]

    def ours(self, name: str) -> Optional[str]:
        """Our name for one of theirs, or None where the table has none."""
        return _translated(name, self._to_ours)

    def theirs(self, name: str) -> Optional[str]:
        """Their name for one of ours, or None where the table has none."""
        return _translated(name, self._to_theirs)

    def lacking(self, names: Iterable[str], part: str) -> List[str]:
        """Their names of the rows of a part that none of our names is in."""
        names = list(names)
        return [theirs for (_, ours), (pattern, theirs)
                in zip(self.rows, self._to_theirs)
                if ours.startswith(part)
                and not any(map(pattern.match, names))]


class CheckpointFormat(NamedTuple):
    """A checkpoint format."""
    key: str  # what a command line calls it
    name: str  # what messages call it
    #: Patterns, each of which matches the beginning of a name of this format.
    #: Formats of methods exclude each other by their markers.
    markers: Tuple[str, ...]
    names: NameTable  # its names and ours
    wraps: str = 'model'  # the key of a file under which weights are, or ''
    prefix: str = ''  # what its names of an encoder start with
    aside: str = '(?!)'  # names that are not converted, as a classifier's
    #: Parts, by what our names of them start with, that belong to it.
    needs: Tuple[str, ...] = (ENCODER, )
    #: How many rows the embedding of characters has beyond the classes:
    #: LMIM's start symbol is no class.
    start_rows: Optional[int] = None
    generic: bool = False  # asked after the formats of methods, in order
    written: bool = True  # whether checkpoints can be converted to it
    #: What makes weights, by their names, of those that a file holds in
    #: another form; twice it does no more than once.
    completed: Optional[Callable[[Weights], Weights]] = None
    #: What our names of the encoder that is fine-tuned start with.
    encoder: str = ENCODER


#: The formats by their keys; see :func:`register_format`.
FORMATS: Dict[str, CheckpointFormat] = {}


def register_format(kind: CheckpointFormat) -> None:
    """Let checkpoints of a format, whose key is new, be read and written."""
    if kind.key in FORMATS:
        raise UserError(f'there is a checkpoint format {kind.key} already')
    FORMATS[kind.key] = kind


def detect_format(names: Iterable[str]) -> CheckpointFormat:
    """Recognise the format of a checkpoint by the names of its weights.

    Raises:
        CheckpointError: If no known format has such names.
    """
    names = list(names)
    # Where several fit, the one that asks for more.
    for kind in sorted(FORMATS.values(), key=lambda kind: (
            kind.generic, -len(kind.markers))):
        if all(any(re.match(marker, name) for name in names)
               for marker in kind.markers):
            return kind
    known = '; '.join(kind.name for kind in FORMATS.values())
    raise CheckpointError(f'no format that is known has such names: '
                          f'{sorted(names)[:8]} ... Known are: {known}')


def names_to_ours(names: Iterable[str]) -> Dict[str, str]:
    """Find out what our modules call all weights of a checkpoint.

    A name that its format does not know stays as it is.

    Raises:
        CheckpointError: If the format is not known.
    """
    names = list(names)
    table = detect_format(names).names
    return {name: table.ours(name) or name for name in names}


def to_ours(weights: Dict[str, torch.Tensor]) -> Dict[str, torch.Tensor]:
    """Rename the weights of any known format as our modules call them."""
    completed = detect_format(weights).completed
    weights = completed(weights) if completed else weights
    ours = names_to_ours(weights)
    return {ours[name]: value for name, value in weights.items()}


def under(theirs: str, ours: str, rows: List[Row]) -> List[Row]:
    """Rows with something before both names."""
    return [(theirs + old, ours + new) for old, new in rows]


def same(theirs: str, ours: str, names: List[str]) -> List[Row]:
    """Rows of names that differ in what stands before them alone."""
    return under(theirs, ours, [(name, name) for name in names])


def _translated(name: str,
                rows: List[Tuple[Pattern[str], str]]) -> Optional[str]:
    for pattern, other in rows:
        match = pattern.match(name)
        if match:
            return other.format(**match.groupdict())
    return None


def _pattern(template: str) -> Pattern[str]:
    text = re.escape(template)
    for place, what in _PLACES.items():
        text = text.replace(re.escape('{%s}' % place), f'(?P<{place}>{what})')
    return re.compile(text + r'\Z')


#: timm's names of a block (MAE's too) to mmpretrain's.
BLOCK: List[Row] = [
    ('norm1.{p}', 'ln1.{p}'),
    ('attn.qkv.{p}', 'attn.qkv.{p}'),
    ('attn.proj.{p}', 'attn.proj.{p}'),
    ('norm2.{p}', 'ln2.{p}'),
    ('mlp.fc1.{p}', 'ffn.layers.0.0.{p}'),
    ('mlp.fc2.{p}', 'ffn.layers.1.{p}'),
]
#: timm's names of a ViT (MAE's too) to mmpretrain's.
VIT: List[Row] = [
    ('cls_token', 'cls_token'),
    ('pos_embed', 'pos_embed'),
    ('patch_embed.proj.{p}', 'patch_embed.projection.{p}'),
    *under('blocks.{n}.', 'layers.{n}.', BLOCK),
    ('norm.{p}', 'ln1.{p}'),
]
#: A text decoder of MMOCR's transformer layers.
TEXT_DECODER = same('decoder.', 'decoder.', [
    'trg_word_emb.weight', 'position_enc.position_table', 'layer_norm.{p}',
    'classifier.{p}',
    *(f'layer_stack.{{n}}.{name}' for name in (
        'norm1.{p}', 'norm2.{p}', 'norm3.{p}', 'self_attn.{q}.weight',
        'enc_attn.{q}.weight', 'mlp.w_1.{p}', 'mlp.w_2.{p}'))
])
#: The same behind a projection, as LMIM and DiG fine-tune.
PROJECTED_DECODER = [
    ('linear_norm.0.{p}', 'encoder.projection.{p}'),
    ('linear_norm.1.{p}', 'encoder.norm.{p}'), *TEXT_DECODER]


def _flat_freqs(weights: Weights) -> Weights:
    """Frequencies of all heads in one axis, where timm's have two."""
    return {name: value.flatten(2) if name.endswith('freqs') else value
            for name, value in weights.items()}


for _kind in (
        CheckpointFormat(
            'timm', 'timm ViT', (r'patch_embed\.proj\.', ),
            NameTable(under('', ENCODER, VIT)),
            wraps='',
            aside=r'head(_dist)?\.|fc_norm\.|pre_logits\.',
            generic=True),
        CheckpointFormat(
            'rope-vit', 'RoPE-ViT',
            (r'patch_embed\.proj\.', r'(rope\.)?freqs$|blocks\.0\.gamma_1$'),
            NameTable(under('', ENCODER, [
                *VIT, ('freqs', 'rotary.freqs'),
                ('rope.freqs', 'rotary.freqs'),
                ('blocks.{n}.gamma_1', 'layers.{n}.attn.gamma1.weight'),
                ('blocks.{n}.gamma_2', 'layers.{n}.ffn.gamma2.weight')])),
            wraps='model',
            aside=r'head\.',
            generic=True,
            written=False,
            completed=_flat_freqs),
        CheckpointFormat(
            'mmpretrain-classifier', 'mmpretrain ViT with a classifier',
            (r'head\.(layers|fc)\.', ),
            NameTable([(ENCODER + '{rest}', ENCODER + '{rest}')]),
            wraps='state_dict',
            prefix='backbone.',
            aside=r'head\.',
            needs=('head.', ),
            generic=True,
            written=False),
        CheckpointFormat(
            'feature-map', 'LMIM for MMOCR, its encoder as a feature map',
            (r'backbone\.vit\.patch_embed\.projection\.', ),
            NameTable([('backbone.vit.{rest}', ENCODER + '{rest}'),
                       ('backbone.link.{rest}', 'link.{rest}'),
                       ('{rest}', '{rest}')]),
            wraps='state_dict',
            prefix='backbone.vit.',
            generic=True),
        CheckpointFormat(
            'ours', 'LMIM for MMOCR',
            (r'backbone\.patch_embed\.projection\.', ),
            NameTable([('{rest}', '{rest}')]),
            wraps='state_dict',
            prefix='backbone.',
            needs=(),
            generic=True),
        CheckpointFormat(
            'mmpretrain', 'mmpretrain ViT', (r'patch_embed\.projection\.', ),
            NameTable(same('', ENCODER, [ours for _, ours in VIT])),
            wraps='state_dict',
            generic=True)):
    register_format(_kind)
