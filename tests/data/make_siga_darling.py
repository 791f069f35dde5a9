"""Write the project's own reference numbers of SIGA's losses and of DARLING.

After a verification against those of others:
python tests/data/make_siga_darling.py
"""
import sys
from pathlib import Path
from typing import Any, Dict

import numpy as np
import torch
from mmocr.registry import MODELS

import lmim  # noqa: F401
from lmim.checkpoints import FORMATS

if __package__:
    from .make_reference import drawn, record
else:
    from make_reference import drawn, record

HERE = Path(__file__).resolve().parent
SIGA = dict(embed_dims=24, glyph_channels=6, batch=2)
DARLING = dict(embed=12, depth=2, heads=3, decoder_dims=16, decoder_heads=2,
               head_dims=8, feedforward=20, reader_layers=1, painter_layers=2,
               batch=2, length=5)
CLASSES = 9
READERS = ('our', 'trba', 'glyph_middle', 'glyph_low', 'iter_middle',
           'iter_low', 'final')


def siga() -> Dict[str, Any]:
    """SIGA's losses on outputs by chance."""
    from reference_checks.common import Reference
    from reference_checks.siga import check_siga
    rng = np.random.default_rng(0)
    count, channels = SIGA['batch'], SIGA['glyph_channels']
    ref = Reference({})
    ref.update(meta=np.array(list(SIGA.values())),
               meta_names=np.array(list(SIGA)))
    for prefix in ('unit.', ''):
        attention = np.exp(3 * rng.standard_normal((count, 8, channels - 1)))
        seg = rng.standard_normal((count, 2, 8, 32))
        # The second picture's mask is the wrong way round.
        mask = seg[:, 1] > seg[:, 0]
        mask[1] = ~mask[1]
        given = dict(
            attention=attention / attention.sum(axis=1, keepdims=True),
            seg_logits=4 * seg, glyph_logits_middle=rng.standard_normal(
                (count, channels, 2, 8)),
            glyph_logits_low=rng.standard_normal((count, channels, 4, 16)))
        ref.update({prefix + name: value.astype(np.float32)
                    for name, value in given.items()})
        ref[f'{prefix}masks'] = (mask[:, None] if prefix else mask).astype(
            np.uint8)
        ref[f'{prefix}length'] = np.array([5, 3])
    ref['text'] = np.array([[0, 3, 2, 4, 3, 1], [0, 2, 2, 1, 0, 0]])
    for reader in READERS:
        ref[f'logits_{reader}'] = rng.standard_normal(
            (count, channels - 1, 6)).astype(np.float32)
    record(ref, check_siga)
    return dict(ref)


def darling() -> Dict[str, Any]:
    """DARLING's step: what the verification itself computes."""
    from reference_checks.common import Reference
    from reference_checks.darling import check_darling
    from reference_checks.lmim import any_dictionary
    width, length = DARLING['decoder_dims'], DARLING['length']
    layer = dict(embed_dims=width, num_heads=DARLING['decoder_heads'],
                 head_dims=DARLING['head_dims'], max_seq_len=length,
                 feedforward_channels=DARLING['feedforward'])
    with any_dictionary(CLASSES) as dictionary:
        model: Any = MODELS.build(dict(
            type='DARLING', _scope_='mmocr', backbone=dict(
                type='ContentViT', img_size=(8, 32), arch=dict(
                    embed_dims=DARLING['embed'], num_layers=DARLING['depth'],
                    num_heads=DARLING['heads'], feedforward_channels=24)),
            neck=dict(
                layer, type='PromptedPainter', in_dims=DARLING['embed'],
                num_layers=DARLING['painter_layers'], num_classes=CLASSES,
                padding_idx=CLASSES - 2, grid=(2, 8)),
            encoder=dict(type='LinearEncoder', in_dims=DARLING['embed'] // 2,
                         embed_dims=width),
            decoder=dict(layer, type='TextTransformerDecoder',
                         dictionary=dictionary,
                         num_layers=DARLING['reader_layers'],
                         module_loss=dict(type='WordLoss'))))
    names = FORMATS['darling'].names
    ref = Reference({})
    for name, value in drawn(model, 7).items():
        if not name.endswith('position_table'):
            ref[f'state.{names.theirs(name)}'] = value.numpy()
    rng = np.random.default_rng(1)
    end, padding = CLASSES - 3, CLASSES - 2
    ref.update(
        meta=np.array(list(DARLING.values())),
        meta_names=np.array(list(DARLING)),
        text_a=np.array([[0, 1, end, padding, padding], [5, 4, 3, 2, end]]),
        text_b=np.array([[3, end, padding, padding, padding],
                         [1, 1, 2, end, padding]]),
        **{f'image_{name}': rng.integers(
            256, size=(2, 3, 8, 32), dtype=np.uint8)
            for name in ('a', 'b', 'erased')})
    record(ref, check_darling)
    return dict(ref)


if __name__ == '__main__':
    sys.path.insert(0, str(HERE.parents[1] / 'tools'))
    torch.set_num_threads(1)
    np.savez_compressed(HERE / 'reference_siga.npz', **siga())
    np.savez_compressed(HERE / 'reference_darling.npz', **darling())
