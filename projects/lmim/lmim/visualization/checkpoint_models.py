"""Models from checkpoints, to look into."""
from pathlib import Path
from typing import Any, Dict, List, Optional, Tuple, Union

from mmocr.registry import MODELS
from torch import nn

from lmim.checkpoints import (Checkpoint, CheckpointError, load_encoder,
                              open_checkpoint)
from lmim.checkpoints.building import build_model, compare_with_model
from lmim.checkpoints.facts import describe_encoder
from lmim.datasets.known_sets import read_config
from lmim.models.backbones import TextViT
from lmim.models.selfsup import SelfSup
from lmim.utils.log import quiet

PathLike = Union[str, Path]
#: What decides on the shape of an encoder, in its config.
SHAPE = ('arch', 'img_size', 'patch_size', 'pos_embed')
#: Where neither a config nor weights tell: the images of the field.
IMG_SIZE = (32, 128)
TEACHER = 'target_generator.'


def model_config(checkpoint: Optional[Checkpoint],
                 config: Optional[PathLike]) -> Dict[str, Any]:
    """The config of a model: the user's file, or what a checkpoint carries.

    Raises:
        FileNotFoundError: If there is no such config file.
        CheckpointError: If there is none, or it has no model.
    """
    model: Optional[Dict[str, Any]] = None
    if config is not None:
        if not Path(config).is_file():
            raise FileNotFoundError(f'config {config} does not exist')
        found = read_config(str(config)).get('model')
        model = found.to_dict() if found is not None else None
        if model is None:
            raise CheckpointError(f'config {config} has no model: name one '
                                  'of configs/pretrain or configs/textrecog')
    elif checkpoint is not None:
        model = checkpoint.model_config()
    if model is None:
        path = checkpoint.path if checkpoint else 'nothing'
        raise CheckpointError(
            f'checkpoint {path} carries no config of a model: name the one '
            'that it was trained with, --config CONFIG '
            '(`python tools/checkpoint.py inspect` tells which ones fit)')
    return model


def load_pretrained(checkpoint: PathLike,
                    config: Optional[PathLike] = None,
                    target_checkpoint: Optional[PathLike] = None) -> nn.Module:
    """Build a model of pre-training with all its weights.

    Args:
        checkpoint (str or Path): Of a run of MAE or LMIM; the authors' too.
        config (str or Path, optional): The config, where the checkpoint
            carries none.
        target_checkpoint (str or Path, optional): The frozen encoder of the
            targets, where the checkpoint lacks it. This project's have it.

    Returns:
        nn.Module: An :class:`~lmim.models.selfsup.MIM`, in eval mode.

    Raises:
        FileNotFoundError: If a file does not exist.
        CheckpointError: If the weights do not fit the config, or some lack.
    """
    opened = open_checkpoint(checkpoint)
    cfg = model_config(opened, config)
    if not issubclass(MODELS.get(cfg['type']), SelfSup):
        raise CheckpointError(
            f'{checkpoint} is a {cfg["type"]}, and no method of pre-training: '
            'take a checkpoint of pre-training (configs/pretrain)')
    model = build_model(cfg, empty=False)
    report = compare_with_model(model, opened.by_our_names(), str(checkpoint))
    missing = [name for name in report.missing if name.startswith(TEACHER)]
    if len(missing) < len(report.missing) or report.mismatched or (
            report.unexpected):
        raise CheckpointError(
            f'the config does not fit {report}.{report.details()}\nName the '
            'one that it was trained with: --config CONFIG')
    model.load_state_dict(opened.by_our_names(), strict=False)
    if missing:
        if target_checkpoint is None:
            raise CheckpointError(
                f'{checkpoint} does not hold the frozen encoder that makes '
                'the targets. Name its checkpoint: --target-checkpoint FILE')
        teacher: Any = model.target_generator
        with quiet():
            load_encoder(teacher.encoder, str(target_checkpoint))
    return model.eval()


def encoder_shape(
    model: Dict[str, Any], where: str
) -> Tuple[Tuple[int, int], Tuple[int, int], Optional[Dict[str, Any]]]:
    """Sizes of the encoder in the config of a model, and its masks.

    Args:
        model (Dict[str, Any]): Config of a model.
        where (str): Where it is from, for messages.

    Returns:
        tuple: Height and width of images; those of patches; the config of
        the mask generator, None where there is none.

    Raises:
        CheckpointError: If it has no ViT.
    """
    vit = _vit_config(model, where)
    size, patch = vit.get('img_size', IMG_SIZE), vit.get('patch_size', 4)
    height, width = (patch, patch) if isinstance(patch, int) else patch
    return ((size[0], size[1]), (height, width),
            model['backbone'].get('mask'))


def load_vit(checkpoint: PathLike,
             config: Optional[PathLike] = None) -> TextViT:
    """Build the encoder of a checkpoint of any format that is known.

    Args:
        checkpoint (str or Path): This project's, the authors', MAERec's ...
        config (str or Path, optional): A config of its shape, instead of
            that in the file or of what the weights tell.

    Returns:
        TextViT: In eval mode.

    Raises:
        FileNotFoundError: If a file does not exist.
        CheckpointError: If it holds no encoder that is understood.
    """
    opened = open_checkpoint(checkpoint)
    if config is not None or opened.model_config() is not None:
        shape = _vit_config(model_config(opened, config), str(checkpoint))
    else:
        shape = _shape_of(opened)
    encoder = MODELS.build(dict(shape, type='TextViT', _scope_='mmocr'))
    with quiet():
        load_encoder(encoder, str(checkpoint))
    return encoder.eval()


def _vit_config(model: Dict[str, Any], where: str) -> Dict[str, Any]:
    """The shape of the encoder in the config of a model."""
    backbone = model.get('backbone') or {}
    backbone = backbone.get('vit', backbone)
    if backbone.get('type', '').split('.')[-1] not in ('TextViT', 'MaskedViT'):
        raise CheckpointError(
            f'the encoder of {where} is a {backbone.get("type")}, and not a '
            'TextViT: its attention is unknown to this tool')
    return {key: backbone[key] for key in SHAPE if key in backbone}


def _shape_of(opened: Checkpoint) -> Dict[str, Any]:
    """The shape of an encoder, from its weights.

    Heads leave no trace in weights: known sizes have theirs, others 64
    channels each, as in the field.
    """
    facts = describe_encoder(opened.by_our_names(), None)
    if not facts:
        raise CheckpointError(f'{opened.path} holds no ViT: name a checkpoint '
                              'with an encoder')
    sizes = {
        key: facts[key]
        for key in ('embed_dims', 'num_layers', 'feedforward_channels')
    }
    known: List[dict] = [arch for arch in TextViT.arch_zoo.values()
                         if sizes.items() <= arch.items()]
    patch = facts['patch_size']
    count = IMG_SIZE[0] // patch[0] * (IMG_SIZE[1] // patch[1])
    if count != facts['num_patches']:
        raise CheckpointError(
            f'{opened.path} has positions for {facts["num_patches"]} patches '
            f'of {patch[0]}x{patch[1]}, and images of '
            f'{IMG_SIZE[0]}x{IMG_SIZE[1]} have {count}. Name a config with '
            'img_size and patch_size of the encoder: --config CONFIG')
    return dict(
        arch=known[0] if known else dict(
            sizes, num_heads=facts['embed_dims'] // 64),
        img_size=IMG_SIZE,
        patch_size=tuple(patch),
        # Loaded with the weights; a grid that is no square has no other.
        pos_embed='grid')
