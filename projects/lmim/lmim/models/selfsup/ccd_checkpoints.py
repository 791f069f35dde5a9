"""Checkpoints of CCD: published ones, and this project's.

What fine-tunes is the moving average's encoder.
"""
import re
from typing import List

import torch
import torch.nn.functional as F

from lmim.checkpoints.formats import (ENCODER, TEXT_DECODER, VIT,
                                      CheckpointFormat, NameTable, Row,
                                      Weights, register_format, under)
from .dig_checkpoints import TWIN

CLS = 'backbone.cls_token'
#: Nothing is computed with these.
UNUSED = re.compile(r'student\.segmentation\.conv_mla\.|'
                    r'(teacher\.)?backbone\.norm_seg\.')
PATCHES: List[Row] = [row for row in VIT if row[0] != 'cls_token']
PROJECTOR: List[Row] = [
    ('mlp.{n}.{p}', 'mlp.{n}.{p}'), ('last_layer.weight_v', 'prototypes'),
    ('last_layer.weight_g', 'gain')]
SEGMENTATION: List[Row] = [
    ('cls.{p}', 'classifier.{p}'),
    *((f'mlahead.head{number + 2}.{3 * layer + part}.{{rest}}',
       f'branches.{number}.{layer}.{name}.{{rest}}') for number in range(3)
      for layer in range(2) for part, name in enumerate(('conv', 'bn'))),
    *((f'unpool{number + 1}.{{n}}.{{rest}}',
       f'enlarging.{number}.{{n}}.{{rest}}') for number in range(2))]


def resample_positions(positions: torch.Tensor) -> torch.Tensor:
    """The positions that patches of 32x128 really get, (1, 256, C).

    Those stored are read as a square of 16x16 and resampled in each pass, by
    factors that are a little larger than the grid needs.
    """
    square = positions.unflatten(1, (16, 16)).permute(0, 3, 1, 2)
    return F.interpolate(
        square.float(), scale_factor=(8.1 / 16, 32.1 / 16), mode='bicubic'
    ).flatten(2).transpose(1, 2)


def _completed(weights: Weights) -> Weights:
    """With the positions that patches get, without what is not used.

    [CLS] is not, and tells that positions are as they are stored.
    """
    weights = {name: value for name, value in weights.items()
               if not UNUSED.match(name)}
    for name in [name for name in weights if name.endswith(CLS)]:
        del weights[name]
        name = name.replace('cls_token', 'pos_embed')
        weights[name] = resample_positions(weights[name])
    return weights


def _completed_reader(weights: Weights) -> Weights:
    """With classes as MMOCR's dictionary has them, too.

    Theirs are characters, unknown, start and end in one, and padding, which
    is not predicted. Ours: characters, end, padding, unknown; and the start
    as a row of the embedding.
    """
    if CLS not in weights:
        return weights
    weights = _completed(weights)
    rows = len(weights['decoder.trg_word_emb.weight'])
    chars = list(range(rows - 3))
    unknown, end, padding = range(rows - 3, rows)
    order = [*chars, end, padding, unknown]
    embedding = weights['decoder.trg_word_emb.weight']
    weights['decoder.trg_word_emb.weight'] = embedding[[*order, end]]
    for name, never in (('weight', 0.), ('bias', -1e4)):
        name = f'decoder.classifier.{name}'
        value = weights[name]
        value = torch.cat([value, torch.full_like(value[:1], never)])
        weights[name] = value[order]
    return weights


register_format(CheckpointFormat(
    'ccd-pretrain', 'CCD pre-training (authors)',
    (r'student\.backbone\.patch_embed\.proj\.',
     r'teacher\.backbone\.patch_embed\.proj\.'),
    NameTable(
        under('student.backbone.', ENCODER, PATCHES) +
        [('student.backbone.norm_seg.{n}.{p}', 'neck.norms.{n}.{p}')] +
        under('student.segmentation.', 'neck.', SEGMENTATION) +
        under('student.head.', 'projector.', PROJECTOR) +
        under('teacher.backbone.', TWIN + ENCODER, PATCHES) +
        under('teacher.head.', TWIN + 'projector.', PROJECTOR)),
    wraps='',
    prefix='teacher.backbone.',
    written=False, completed=_completed, encoder=TWIN + ENCODER))
register_format(CheckpointFormat(
    'ccd-finetune', 'CCD fine-tuned (authors)',
    (r'backbone\.patch_embed\.proj\.', r'encoder\.fc1\.'),
    NameTable(
        under('backbone.', ENCODER, PATCHES) +
        [('encoder.fc1.{p}', 'encoder.projection.0.{p}'),
         ('encoder.fc2.{p}', 'encoder.projection.2.{p}')] + TEXT_DECODER),
    wraps='net',
    prefix='backbone.',
    needs=(ENCODER, 'encoder.', 'decoder.'),
    written=False, completed=_completed_reader))
register_format(CheckpointFormat(
    'ccd', 'CCD of LMIM for MMOCR',
    (r'backbone\.patch_embed\.projection\.', r'distillation_head\.center',
     r'ema\.module\.backbone\.'),
    NameTable([('{rest}', '{rest}')]),
    wraps='state_dict',
    prefix=TWIN + ENCODER,
    needs=(),
    written=False, encoder=TWIN + ENCODER))
