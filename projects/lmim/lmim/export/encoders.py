"""The encoder of any checkpoint, as a graph."""
from pathlib import Path
from typing import Any, Dict, List, Optional

from mmengine.config import Config
from mmocr.registry import MODELS

from lmim.checkpoints import Checkpoint, load_encoder
from lmim.checkpoints.config_text import dicts_in
from lmim.checkpoints.facts import describe_encoder
from lmim.models.backbones import TextViT
from lmim.utils.errors import UserError

#: Settings of a ViT that decide on what it computes; others train it.
_SETTINGS = ('arch', 'img_size', 'patch_size', 'pos_embed', 'layer_cfgs',
             'qkv_bias', 'norm_cfg', 'patch_cfg', 'pre_norm', 'final_norm')
#: Height and width of the images where no config tells them.
_USUAL = (32, 128)


def build_encoder(opened: Checkpoint,
                  model: Optional[Dict[str, Any]]) -> TextViT:
    """Build the encoder of a checkpoint, with its weights.

    Args:
        opened (Checkpoint): The checkpoint, of any known format.
        model (Dict[str, Any], optional): The config of its model. Without
            one the sizes are read off the weights.

    Returns:
        TextViT: The encoder, in eval mode.

    Raises:
        UserError: If it is no ViT, or its sizes cannot be told.
        CheckpointError: If the weights do not match in full.
    """
    settings = _of_config(model) if model else _of_weights(opened)
    vit: Any = MODELS.build(dict(settings, type='TextViT', _scope_='mmocr'))
    load_encoder(vit, opened.path)
    return vit.eval()


def model_of(config: Optional[Path],
             opened: Checkpoint) -> Optional[Dict[str, Any]]:
    """The config of a checkpoint's model: the user's, or the file's own.

    Raises:
        FileNotFoundError: If there is no such config.
        UserError: If it has no model.
        CheckpointError: If the file's own is more than data.
    """
    if config is None:
        return opened.model_config()
    if not config.is_file():
        raise FileNotFoundError(f'config {config} does not exist')
    model = Config.fromfile(config).to_dict().get('model')
    if not isinstance(model, dict):
        raise UserError(f'config {config} has no model')
    return model


def _of_config(model: Dict[str, Any]) -> Dict[str, Any]:
    """The settings of the ViT in a model's config."""
    for part in dicts_in(model.get('backbone')):
        kind = str(part.get('type')).rpartition('.')[2]
        if kind in ('TextViT', 'MaskedViT'):
            return {name: part[name] for name in _SETTINGS if name in part}
    raise UserError(
        'the model has no TextViT, the encoder of this project: its backbone '
        f'is {(model.get("backbone") or {}).get("type")}. For a ViT of '
        'another name give a config that has it as TextViT: --config CONFIG')


def _of_weights(opened: Checkpoint) -> Dict[str, Any]:
    """The settings of a ViT as its weights tell them."""
    facts = describe_encoder(
        opened.by_our_names() if opened.kind else {}, None)
    if not facts:
        raise UserError(f'checkpoint {opened.path} holds no encoder that '
                          'is known: `python tools/checkpoint.py inspect` '
                          'tells what is in it')
    names: List[str] = [
        name for name, sizes in TextViT.arch_zoo.items()
        if all(facts.get(key) == sizes[key] for key in (
            'embed_dims', 'num_layers', 'feedforward_channels'))]
    patches = [side // step for side, step in zip(_USUAL,
                                                  facts['patch_size'])]
    if not names or patches[0] * patches[1] != facts['num_patches']:
        raise UserError(
            f'checkpoint {opened.path} carries no config, and its weights do '
            f'not tell all sizes of its encoder ({facts}). Name the config '
            'that it was trained with: --config CONFIG')
    return dict(arch=names[0], img_size=_USUAL, pos_embed='grid',
                patch_size=tuple(facts['patch_size']))
