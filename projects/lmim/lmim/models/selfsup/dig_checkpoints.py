"""Published checkpoints of DiG, pre-trained and fine-tuned."""
from typing import List

import torch

from lmim.checkpoints.formats import (ENCODER, PROJECTED_DECODER, VIT,
                                      CheckpointFormat, NameTable, Row,
                                      Weights, register_format, under)
from ..layers import build_sincos_1d

#: What our names of the moving average start with.
TWIN = 'ema.module.'
#: Of 32x128 in patches of 4x4, all that is published.
NUM_PATCHES = 256
VIT_ROWS = [*VIT, ('mask_token', 'mask_token')]


def mlp_rows(theirs: str, ours: str) -> List[Row]:
    """Rows of a batch-norm MLP: theirs is numbered with the ReLUs."""
    return under(theirs, ours, [
        (f'{3 * number + norm}.{{rest}}', f'{name}{number}.{{rest}}')
        for number in range(3) for norm, name in ((0, 'fc'), (1, 'bn'))])


def _completed(weights: Weights) -> Weights:
    """The encoders with a joint bias, positions, and a final norm.

    Keys have no bias, and positions are not stored. In pre-training there is
    no final norm: a fresh one is what the published fine-tuning begins with.
    A recognizer's first layer is stored a second time, under no prefix.
    """
    weights = {name: value for name, value in weights.items()
               if not name.startswith('patch_embed.')}
    for name in [name for name in weights if name.endswith('.q_bias')]:
        query = weights.pop(name)
        value = weights.pop(name.replace('.q_', '.v_'))
        weights[name.replace('q_bias', 'qkv.bias')] = torch.cat(
            [query, torch.zeros_like(query), value])
    for prefix in ('encoder.', 'momentum_encoder.'):
        bias = weights.get(f'{prefix}patch_embed.proj.bias')
        if bias is not None and f'{prefix}pos_embed' not in weights:
            weights[f'{prefix}pos_embed'] = build_sincos_1d(
                NUM_PATCHES, len(bias))[:, 1:]
            weights.setdefault(f'{prefix}norm.weight', torch.ones_like(bias))
            weights.setdefault(f'{prefix}norm.bias', torch.zeros_like(bias))
    return weights


register_format(CheckpointFormat(
    'dig-pretrain', 'DiG pre-training (authors)',
    (r'encoder\.patch_embed\.proj\.', r'encoder\.mask_token',
     r'pix_decoder\.'),
    NameTable(
        under('encoder.', ENCODER, VIT_ROWS) +
        under('momentum_encoder.', TWIN + ENCODER, VIT_ROWS) +
        [('pix_decoder.{rest}', 'neck.layers.{rest}')] +
        mlp_rows('encoder_projection_layer.', 'projector.mlp.') +
        mlp_rows('momentum_projection_layer.', TWIN + 'projector.mlp.') +
        mlp_rows('pix_projector.', 'token_projector.mlp.') +
        mlp_rows('pix_projector_m.', TWIN + 'token_projector.mlp.') +
        mlp_rows('predictor.', 'contrast_head.predictor.')),
    prefix='encoder.', written=False, completed=_completed))
register_format(CheckpointFormat(
    'dig-finetune', 'DiG fine-tuned (authors)',
    (r'encoder\.patch_embed\.proj\.', r'encoder\.blocks\.0\.attn\.q_bias',
     r'linear_norm\.'),
    NameTable(
        under('encoder.', ENCODER, VIT) + PROJECTED_DECODER),
    prefix='encoder.',
    needs=(ENCODER, 'encoder.', 'decoder.'),
    written=False, completed=_completed))
