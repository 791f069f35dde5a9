"""The models that are measured, as the configs have them."""
import logging
from pathlib import Path
from typing import Any, Dict

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

CONFIGS = Path(__file__).parents[2] / 'configs'
#: Configs of the recognizers, by their decoder.
RECOGNIZERS = {
    'autoregressive': '_base_/models/transformer_vit-small.py',
    'ctc': '_base_/models/ctc_vit-small.py',
    'parallel': 'textrecog/parallel/'
    'parallel_vit-small_8xb64-10e_union14m-l.py',
}


def build_pretrain(arch: str, device: str) -> Any:
    """LMIM with random weights; so has the teacher, which costs the same."""
    cfg = Config.fromfile(CONFIGS / '_base_/models/lmim_vit-small.py').model
    dims = TextViT.arch_zoo[arch]['embed_dims']
    cfg.backbone.arch = arch
    cfg.neck.update(in_dims=dims, out_dims=dims)
    cfg.target_generator = dict(
        type='RandomFeatureTarget',
        encoder=dict(cfg.target_generator.encoder, arch=arch))
    return _build(cfg, device)


def build_recognizer(kind: str, arch: str, device: str) -> Any:
    """One of :data:`RECOGNIZERS` with random weights."""
    cfg = Config.fromfile(CONFIGS / RECOGNIZERS[kind]).model
    dims = TextViT.arch_zoo[arch]['embed_dims']
    encoder = cfg.backbone.vit if kind == 'ctc' else cfg.backbone
    encoder.arch = arch
    encoder.pop('init_cfg')
    if kind == 'ctc':
        cfg.decoder.in_channels = dims
    else:
        cfg.encoder.in_dims = dims
    return _build(cfg, device)


def _build(cfg: Dict[str, Any], device: str) -> Any:
    torch.manual_seed(0)
    with quiet(logging.ERROR):
        model = MODELS.build(dict(cfg, _scope_='mmocr'))
        model.init_weights()
    return use_cpu_kernels(model).to(device)


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
