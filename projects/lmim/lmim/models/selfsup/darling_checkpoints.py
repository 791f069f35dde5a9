"""Weights by the names of the description after which DARLING is built.

There are no published ones.
"""
from lmim.checkpoints.formats import (BLOCK, ENCODER, PROJECTED_DECODER,
                                      SPLIT, VIT, CheckpointFormat, NameTable,
                                      register_format, same, under)

_PARTED = f'{ENCODER}{SPLIT}.'

register_format(CheckpointFormat(
    'darling', 'after DARLING, style and content parted',
    (r'encoder\.patch_embed\.proj\.', r'decouple\.block\.',
     r'decouple\.norm\.'),
    NameTable(
        under('encoder.', ENCODER, VIT) +
        under('decouple.block.', f'{_PARTED}block.', BLOCK) +
        same('decouple.', _PARTED, ['norm.{p}']) + PROJECTED_DECODER +
        same('painter.', 'neck.', ['{rest}'])),
    wraps='', prefix='encoder.', written=False))
