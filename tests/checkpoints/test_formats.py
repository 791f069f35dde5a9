"""Names of weights in the field's checkpoints."""
import re

import pytest

from lmim.checkpoints import (FORMATS, CheckpointError, detect_format,
                              names_to_ours, register_format)
from tests.checkpoints.tiny import weights_of


@pytest.mark.parametrize('kind, names', [
    ('LMIM pre-training (authors)', {
        'model_maeenc.cls_token': 'backbone.cls_token',
        'model_maeenc.patch_embed.proj.weight':
        'backbone.patch_embed.projection.weight',
        'model_maeenc_momentum.blocks.11.attn.qkv.bias':
        'target_generator.encoder.layers.11.attn.qkv.bias',
        'model_maeenc.blocks.0.norm2.weight': 'backbone.layers.0.ln2.weight',
        'decoder_blocks.1.multihead_attn.in_proj_weight':
        'neck.decoder_blocks.1.multihead_attn.in_proj_weight',
        'decoder_embed2.bias': 'neck.decoder_embed2.bias',
        'mask_token': 'neck.mask_token',
    }),
    ('LMIM fine-tuned (authors)', {
        'encoder.patch_embed.proj.bias':
        'backbone.patch_embed.projection.bias',
        'encoder.blocks.3.mlp.fc1.weight':
        'backbone.layers.3.ffn.layers.0.0.weight',
        'linear_norm.0.weight': 'encoder.projection.weight',
        'linear_norm.1.bias': 'encoder.norm.bias',
        'decoder.trg_word_emb.weight': 'decoder.trg_word_emb.weight',
    }),
    ('MAERec fine-tuned', {
        'backbone.patch_embed.proj.bias':
        'backbone.patch_embed.projection.bias',
        'backbone.norm.weight': 'backbone.ln1.weight',
        'decoder.classifier.bias': 'decoder.classifier.bias',
    }),
    ('MAE or MAERec pre-training', {
        'patch_embed.proj.weight': 'backbone.patch_embed.projection.weight',
        'blocks.7.mlp.fc2.bias': 'backbone.layers.7.ffn.layers.1.bias',
        'norm.bias': 'backbone.ln1.bias',
        'decoder_pos_embed': 'neck.decoder_pos_embed',
        'decoder_blocks.0.mlp.fc1.bias':
        'neck.decoder_blocks.0.ffn.layers.0.0.bias',
    }),
    ('timm ViT', {
        'patch_embed.proj.bias': 'backbone.patch_embed.projection.bias',
        'head.weight': 'head.weight',
    }),
    ('LMIM for MMOCR', {
        'backbone.patch_embed.projection.weight':
        'backbone.patch_embed.projection.weight',
        'neck.mask_token': 'neck.mask_token',
    }),
    ('mmpretrain ViT', {
        'patch_embed.projection.weight':
        'backbone.patch_embed.projection.weight',
        'layers.0.ln1.bias': 'backbone.layers.0.ln1.bias',
    }),
])
def test_names_become_ours(kind, names):
    assert detect_format(list(names)).name == kind
    assert names_to_ours(names) == names


@pytest.mark.parametrize('key', ['lmim-pretrain', 'lmim-finetune', 'maerec',
                                 'mae', 'timm'])
def test_formats_of_methods_exclude_each_other(key):
    """So the order in which methods are imported does not matter."""
    names = weights_of(key)
    found = [kind.key for kind in FORMATS.values() if not kind.generic
             and all(any(re.match(marker, name) for name in names)
                     for marker in kind.markers)]
    assert found == ([] if key == 'timm' else [key])


def test_a_key_is_registered_once():
    with pytest.raises(ValueError, match='checkpoint format mae already'):
        register_format(FORMATS['mae'])


def test_unknown_names_are_refused():
    with pytest.raises(CheckpointError, match='layer1.conv.*Known are'):
        detect_format(['layer1.conv.weight'])
