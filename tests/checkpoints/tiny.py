"""Tiny checkpoints of every format, with names of other hands.

Those of LMIM's published code are the reference files'. The others are
written down here, name by name, or are a library's own.
"""
import os
from pathlib import Path
from typing import Dict, List

import numpy as np
import torch
from mmocr.registry import MODELS
from mmpretrain.models import VisionTransformer
from torch import Tensor

from lmim.checkpoints import Checkpoint, detect_format
from tests.data.make_reference import PRETRAIN, RECOGNIZER, VIT

DATA = Path(__file__).resolve().parents[1] / 'data'
DIMS, DEPTH, PATCHES = 12, 2, 16
#: The encoder's tensors: 4 + 12 a block + 2 of the last norm.
ENCODER = 4 + 12 * DEPTH + 2
MAE = dict(
    type='MIM',
    backbone=dict(VIT, type='MaskedViT'),
    neck=dict(type='MAEDecoder', in_dims=DIMS, embed_dims=16, num_layers=1,
              num_heads=2, grid=(2, 8)),
    target_generator=dict(type='PixelTarget'))
#: MAERec's text decoder is MMOCR's of NRTR.
MAEREC = dict(
    RECOGNIZER,
    encoder=None,
    decoder=dict(
        type='NRTRDecoder', n_layers=1, d_embedding=DIMS, n_head=2,
        d_model=DIMS, d_inner=48, d_k=6, d_v=6, max_seq_len=7,
        dictionary=dict(
            RECOGNIZER['decoder']['dictionary'],  # type: ignore[index]
            with_start=True, same_start_end=True)))


def layer(name: str, out: int, into: int) -> Dict[str, List[int]]:
    """Shapes of a linear layer."""
    return {f'{name}.weight': [out, into], f'{name}.bias': [out]}


def norm(name: str, dims: int) -> Dict[str, List[int]]:
    """Shapes of a layer norm."""
    return {f'{name}.weight': [dims], f'{name}.bias': [dims]}


def block(name: str, dims: int) -> Dict[str, List[int]]:
    """Shapes of a block of timm's ViT."""
    return {
        **norm(f'{name}.norm1', dims),
        **layer(f'{name}.attn.qkv', 3 * dims, dims),
        **layer(f'{name}.attn.proj', dims, dims),
        **norm(f'{name}.norm2', dims),
        **layer(f'{name}.mlp.fc1', 4 * dims, dims),
        **layer(f'{name}.mlp.fc2', dims, 4 * dims),
    }


def timm_vit(prefix: str = '') -> Dict[str, List[int]]:
    """Shapes of timm's ViT."""
    shapes = {
        'cls_token': [1, 1, DIMS],
        'pos_embed': [1, 1 + PATCHES, DIMS],
        'patch_embed.proj.weight': [DIMS, 3, 4, 4],
        'patch_embed.proj.bias': [DIMS],
        **norm('norm', DIMS),
    }
    for depth in range(DEPTH):
        shapes.update(block(f'blocks.{depth}', DIMS))
    return {prefix + name: shape for name, shape in shapes.items()}


def mae() -> Dict[str, List[int]]:
    """Shapes of MAE's pre-training model."""
    return {
        **timm_vit(),
        'mask_token': [1, 1, 16],
        'decoder_pos_embed': [1, 1 + PATCHES, 16],
        **layer('decoder_embed', 16, DIMS),
        **block('decoder_blocks.0', 16),
        **norm('decoder_norm', 16),
        **layer('decoder_pred', 48, 16),
    }


def maerec() -> Dict[str, List[int]]:
    """Shapes of MAERec's recognizer, 94 characters and 3 tokens."""
    start = 'decoder.layer_stack.0.'
    projections = ('linear_q', 'linear_k', 'linear_v', 'fc')
    return {
        **timm_vit('backbone.'),
        'decoder.trg_word_emb.weight': [97, DIMS],
        'decoder.position_enc.position_table': [1, 200, DIMS],
        **norm(start + 'norm1', DIMS),
        **norm(start + 'norm2', DIMS),
        **norm(start + 'norm3', DIMS),
        **{f'{start}{kind}.{name}.weight': [DIMS, DIMS]
           for kind in ('self_attn', 'enc_attn') for name in projections},
        **layer(start + 'mlp.w_1', 48, DIMS),
        **layer(start + 'mlp.w_2', DIMS, 48),
        **norm('decoder.layer_norm', DIMS),
        **layer('decoder.classifier', 97, DIMS),
    }


def random(shapes: Dict[str, List[int]]) -> Dict[str, Tensor]:
    """Weights of these shapes."""
    generator = torch.Generator().manual_seed(0)
    return {name: torch.randn(shape, generator=generator)
            for name, shape in shapes.items()}


def built(cfg: dict) -> Dict[str, Tensor]:
    """Weights of one of our models."""
    torch.manual_seed(0)
    model = MODELS.build(dict(cfg, _scope_='mmocr'))
    return random({name: list(value.shape)
                   for name, value in model.state_dict().items()})


def write_encoder(cfg: dict, path: Path) -> str:
    """Save an encoder of a config as a run of pre-training does."""
    encoder = MODELS.build(dict(cfg, init_cfg=None, _scope_='mmocr'))
    encoder.init_weights()
    torch.save({'state_dict': {f'backbone.{name}': value for name, value
                               in encoder.state_dict().items()}}, path)
    return str(path)


def published(kind: str) -> Dict[str, Tensor]:
    """Weights by the names of LMIM's published code."""
    with np.load(DATA / f'reference_{kind}.npz') as file:
        return {name[len('state.'):]: torch.from_numpy(file[name])
                for name in file.files if name.startswith('state.')}


def weights_of(kind: str) -> Dict[str, Tensor]:
    """Weights in a format."""
    makers = {
        'lmim-pretrain': lambda: published('pretrain'),
        'lmim-finetune': lambda: published('recognizer'),
        'mae': lambda: random(mae()),
        'maerec': lambda: random(maerec()),
        'timm': lambda: random(timm_vit()),
        'mmpretrain': lambda: VisionTransformer(
            VIT['arch'], img_size=(8, 32), patch_size=4).state_dict(),
        'our LMIM': lambda: built(PRETRAIN),
        'our MAE': lambda: built(MAE),
        'our recognizer': lambda: built(RECOGNIZER),
        'our MAERec': lambda: built(MAEREC),
    }
    return makers[kind]()


def checkpoint(weights: Dict[str, Tensor], **about: object) -> Checkpoint:
    """Weights as if they were read from a file."""
    return Checkpoint('in.pth', weights, {},
                      kind=detect_format(weights))._replace(**about)


class Runs:
    """Loading this with care for nothing would make a folder."""

    def __init__(self, path: Path) -> None:
        self.path = str(path)

    def __reduce__(self) -> tuple:
        return os.mkdir, (self.path, )


def assert_same(one: Dict[str, Tensor], other: Dict[str, Tensor]) -> None:
    """Same names, same values to the bit."""
    assert one.keys() == other.keys()
    for name, value in one.items():
        assert value.dtype == other[name].dtype
        assert torch.equal(value, other[name]), name
