"""The models that are measured, as the configs have them, and their data."""
import logging
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config
from mmengine.optim import OptimWrapper, build_optim_wrapper
from mmengine.registry import DefaultScope
from mmocr.registry import MODELS
from torch import nn

from lmim.engine.launch import WRAPPERS
from lmim.models.backbones import TextViT
from lmim.models.layers import use_cpu_kernels
from lmim.utils.log import quiet

from .plain import make_plain

CONFIGS = Path(__file__).parents[2] / 'configs'
#: Configs of the recognizers, by their decoder.
RECOGNIZERS = {
    'autoregressive': '_base_/models/transformer_vit-small.py',
    'ctc': '_base_/models/ctc_vit-small.py',
    'parallel': 'textrecog/parallel/'
    'parallel_vit-small_8xb64-10e_union14m-l.py',
}
OTHERS = {
    'pretrain': '_base_/models/lmim_vit-small.py',
    'mae': '_base_/models/mae_vit-small.py',
    'in-context': 'textrecog/in_context/'
    'lmim-icl_vit-small_8xb64-5e_union14m-l.py',
}


def build(kind: str, arch: str, device: str, plain: bool = False) -> Any:
    """A model with random weights, which depend on its kind and size alone.

    Args:
        kind (str): 'pretrain', which is LMIM with a teacher of random
            weights, one of :data:`OTHERS`, or of :data:`RECOGNIZERS`.
        arch (str): Of the ViT.
        device (str): Where it goes.
        plain (bool): Of the libraries' own layers.
    """
    path = {**RECOGNIZERS, **OTHERS}[kind]
    cfg = Config.fromfile(CONFIGS / path).model
    encoder = cfg.backbone.get('vit', cfg.backbone)
    encoder.arch = arch
    encoder.pop('init_cfg', None)
    dims = TextViT.arch_zoo[arch]['embed_dims']
    if kind == 'pretrain':
        cfg.neck.update(in_dims=dims, out_dims=dims)
        # It costs the same as a trained one.
        cfg.target_generator = dict(
            type='RandomFeatureTarget',
            encoder=dict(cfg.target_generator.encoder, arch=arch))
    elif kind == 'mae':
        cfg.neck.in_dims = dims
    elif kind == 'ctc':
        cfg.decoder.in_channels = dims
    else:
        cfg.encoder.in_dims = dims
    torch.manual_seed(0)
    with quiet(logging.ERROR):
        model = MODELS.build(dict(cfg, _scope_='mmocr'))
        model.init_weights()
        if plain:
            weights = model.state_dict()
            make_plain(cfg)
            model = MODELS.build(dict(cfg, _scope_='mmocr'))
            model.load_state_dict(weights)
        else:
            use_cpu_kernels(model)
    return model.to(device)


def optimizer_of(model: nn.Module, schedule: str, precision: str,
                 **options: Any) -> OptimWrapper:
    """The optimizer of a schedule in configs/_base_/schedules.

    Other options are settings of the optimizer wrapper.
    """
    cfg = Config.fromfile(
        CONFIGS / '_base_/schedules' / f'{schedule}.py').optim_wrapper
    cfg.update(options, type=WRAPPERS[precision])
    with quiet(logging.ERROR), DefaultScope.overwrite_default_scope('mmocr'):
        return build_optim_wrapper(model, cfg)


def without_dropout(model: nn.Module) -> Any:
    """The model in training mode, with each kind of dropout at 0."""
    for part in model.train().modules():
        for name in ('p', 'drop_prob', 'attn_drop', 'dropout'):
            if isinstance(getattr(part, name, None), float):
                setattr(part, name, 0.)
    return model


def random_pictures(count: int, device: str) -> torch.Tensor:
    """Pictures as a loader gives them, uint8, BGR, (count, 3, 32, 128)."""
    generator = torch.Generator().manual_seed(count)
    return torch.randint(0, 256, (count, 3, 32, 128), dtype=torch.uint8,
                         generator=generator).to(device)
