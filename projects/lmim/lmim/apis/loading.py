"""The one way from a checkpoint to a model.

Whatever the format of a checkpoint (see :mod:`lmim.checkpoints.formats`), it
becomes an encoder (:func:`load_encoder`), a recognizer
(:func:`load_recognizer`) or a model of pre-training (:func:`load_pretrained`)
here, with all its weights or not at all.
"""
import copy
import math
import tempfile
from pathlib import Path
from typing import (Any, Dict, List, NamedTuple, Optional, Sequence, Tuple,
                    Union)

import torch
from mmengine.config import Config, ConfigDict
from mmocr.models.textrecog.recognizers import BaseRecognizer
from mmocr.registry import MODELS
from mmpretrain.models import VisionTransformer
from torch import nn

from lmim.checkpoints import (Checkpoint, CheckpointError,
                              load_encoder_weights, open_checkpoint)
from lmim.checkpoints.config_text import dicts_in, parse_config
from lmim.checkpoints.dictionaries import dictionaries_of, read_dict_file
from lmim.checkpoints.loading import (compare, encoder_sizes,
                                      refuse_not_finite)
from lmim.datasets.known_sets import read_config
from lmim.engine.widths import IMG_SIZE, find_vit, fit_widths, set_widths
from lmim.models.backbones import TextViT
from lmim.models.layers import use_cpu_kernels
from lmim.models.selfsup import SelfSup
from lmim.utils.errors import UserError
from lmim.utils.log import quiet

PathLike = Union[str, Path]
#: Settings of a ViT that decide on what it computes; others train it.
SETTINGS = ('arch', 'img_size', 'widths', 'patch_size', 'stem', 'pos_embed',
            'rotary', 'layer_cfgs', 'qkv_bias', 'norm_cfg', 'patch_cfg',
            'pre_norm', 'final_norm', 'with_cls_token')
#: The characters that a TextTransformerDecoder has positions for, at least.
LONGEST = 200
#: What comes with the package; see :func:`reader_path`.
READER = Path(__file__).parents[1] / 'weights' / 'reader.safetensors'
#: What weights of a head of glyphs begin with, and one that reads with it.
GLYPHS, FUSED = 'glyph_head.', 'glyph_head.update.weight'
#: How to name a config.
FITTING = ('--config CONFIG (`lmim checkpoint inspect` tells which ones fit)')


class ModelConfig(NamedTuple):
    """The config of a checkpoint's model.

    That of a checkpoint is plain data: only its ``model`` was seen to hold
    nothing but known components.
    """
    cfg: Config  # the whole config
    model: Dict[str, Any]  # that of the model
    name: str  # what messages call it
    given: bool  # whether it is the user's own


AnyConfig = Union[PathLike, Config, ModelConfig, None]


def find_config(opened: Checkpoint,
                config: AnyConfig = None) -> Optional[ModelConfig]:
    """Find the config of a checkpoint: the user's, or what it carries.

    The user's is run as any config. None where neither is there.

    Raises:
        FileNotFoundError: If there is no such config file.
        CheckpointError: If it has no model, or the checkpoint's is more than
            known data.
    """
    if isinstance(config, ModelConfig):
        return config
    if config is not None:
        return given_config(config)
    model = opened.model_config()
    if model is None:
        return None
    return ModelConfig(Config(parse_config(opened.meta['cfg'], opened.path)),
                       model, f'the config in {opened.path}', False)


def needed_config(opened: Checkpoint,
                  config: AnyConfig = None) -> ModelConfig:
    """As :func:`find_config`; a CheckpointError where neither is there."""
    found = find_config(opened, config)
    if found is None:
        kind = f' ({opened.kind.name})' if opened.kind else ''
        raise CheckpointError(
            f'checkpoint {opened.path}{kind} carries no config of a model: '
            f'name the one that it was trained with, {FITTING}')
    return found


def given_config(config: Union[PathLike, Config]) -> ModelConfig:
    """The user's own config; see :func:`find_config`."""
    name = 'the config'
    if not isinstance(config, Config):
        if not Path(config).is_file():
            raise FileNotFoundError(f'config {config} does not exist')
        name = f'config {config}'
        config = read_config(str(config))
    model = config.get('model')
    if not isinstance(model, ConfigDict):
        raise CheckpointError(f'{name} has no model: name one of '
                              'configs/pretrain or configs/textrecog')
    return ModelConfig(config, model.to_dict(), name, True)


def without_pretrained(model: Dict[str, Any]) -> Dict[str, Any]:
    """A copy of a model's config that loads nothing from other files."""
    model = copy.deepcopy(model)
    for part in list(dicts_in(model)):
        loads = part.get('init_cfg')
        loads = [loads] if isinstance(loads, dict) else loads
        if loads:
            part['init_cfg'] = [cfg for cfg in loads
                                if cfg.get('type') != 'Pretrained'] or None
    return model


def build_model(model: Dict[str, Any],
                characters: Optional[Sequence[str]] = None,
                empty: bool = True) -> nn.Module:
    """Build the model of a config.

    Args:
        model (Dict[str, Any]): Its config. What it would load is left out.
        characters (Sequence[str], optional): The characters of its
            dictionaries. Defaults to those of the files it names.
        empty (bool): Whether shapes are enough; then no memory is used where
            the model allows it.

    Raises:
        CheckpointError: If the file of a dictionary is not there.
    """
    model = without_pretrained(model)
    with tempfile.TemporaryDirectory() as folder:
        for part in dictionaries_of(model):
            if characters is None and not Path(part['dict_file']).is_file():
                raise CheckpointError(
                    f'dictionary {part["dict_file"]} of the config does not '
                    'exist: put it there, or change dict_file')
            path = Path(folder) / 'characters.txt'
            path.write_text('\n'.join(
                read_dict_file(part['dict_file']) if characters is None
                else characters), encoding='utf-8')
            part['dict_file'] = str(path)
        cfg = dict(model, _scope_=model.get('_scope_', 'mmocr'))
        if empty:
            try:
                with torch.device('meta'):
                    return MODELS.build(cfg)
            except (RuntimeError, AttributeError):
                # MMOCR's position tables, and torch before 2.0, cannot.
                pass
        return MODELS.build(cfg)


def load_encoder(checkpoint: Union[PathLike, Checkpoint],
                 config: AnyConfig = None,
                 width: Optional[str] = None) -> TextViT:
    """Build the encoder of a checkpoint of any known format, in eval mode.

    Args:
        checkpoint (str, Path or Checkpoint): This project's, the authors',
            MAERec's, timm's ...
        config (str, Path, Config or ModelConfig, optional): A config of its
            model, instead of that in the file. Where there is none, its
            sizes are read off the weights.
        width (str, optional): As of :func:`load_recognizer`.

    Raises:
        FileNotFoundError: If a file does not exist.
        CheckpointError: If it holds no encoder that is known, the weights do
            not match in full, or a config is needed.
    """
    opened = open_checkpoint(checkpoint)
    found = find_config(opened, config)
    settings = (_settings_of_weights(opened) if found is None else
                encoder_settings(found))
    settings = dict(settings, type='TextViT', _scope_='mmocr')
    if width is not None:
        set_widths(dict(model=dict(backbone=settings)), width)
    vit = MODELS.build(settings)
    with quiet():
        load_encoder_weights(vit, opened)
    return use_cpu_kernels(vit).eval()


def encoder_settings(config: ModelConfig) -> Dict[str, Any]:
    """Those of :data:`SETTINGS` that a model's config has of a TextViT.

    Raises:
        CheckpointError: If its backbone is another.
    """
    vit = find_vit(config.model)
    if vit is not None:
        return {name: vit[name] for name in SETTINGS if name in vit}
    backbone = config.model.get('backbone') or {}
    raise CheckpointError(
        f'the backbone of {config.name} is {backbone.get("type")}, '
        'and not a TextViT, the encoder of this project. For a ViT of another '
        'name give a config that has it as TextViT: --config CONFIG')


def encoder_shape(config: ModelConfig) -> Dict[str, Tuple[int, int]]:
    """``img_size`` and ``patch_size`` of an encoder, each height and width."""
    settings = encoder_settings(config)
    height, width = settings.get('img_size', IMG_SIZE)
    patch = settings.get('patch_size', 4)
    rows, columns = (patch, patch) if isinstance(patch, int) else patch
    return dict(img_size=(height, width), patch_size=(rows, columns))


def _settings_of_weights(opened: Checkpoint) -> Dict[str, Any]:
    """The settings of a ViT as its weights tell them.

    Heads leave no trace in weights, and with another number of them the
    encoder computes something else: only known sizes are taken.
    """
    sizes = encoder_sizes(opened.by_our_names())
    if not sizes:
        raise CheckpointError(
            f'checkpoint {opened.path} holds no encoder that is known: '
            '`lmim checkpoint inspect` tells what is in it')
    patch = tuple(sizes.pop('patch_size'))
    count = sizes.pop('num_patches', None)
    archs = [*TextViT.arch_zoo.values(), *VisionTransformer.arch_zoo.values()]
    known = [arch for arch in archs if sizes.items() <= arch.items()]
    ask = ('Name the config that it was trained with, or one with arch, '
           'img_size and patch_size of its encoder: --config CONFIG')
    if not known:
        raise CheckpointError(
            f'checkpoint {opened.path} carries no config, and its weights do '
            f'not tell how many heads its encoder has ({sizes}). {ask}')
    if count is None:
        raise CheckpointError(
            f'checkpoint {opened.path} carries no config, and its weights do '
            f'not tell what positions its encoder has. {ask}')
    if math.prod(size // step for size, step in zip(IMG_SIZE, patch)) != count:
        raise CheckpointError(
            f'checkpoint {opened.path} carries no config, and has positions '
            f'for {count} patches of {patch[0]}x{patch[1]}, which images of '
            f'{IMG_SIZE[0]}x{IMG_SIZE[1]} do not have. {ask}')
    # Positions are loaded; a grid that is no square has no other.
    return dict(arch=dict(known[0]), img_size=IMG_SIZE, patch_size=patch,
                pos_embed='grid',
                with_cls_token='backbone.cls_token' in opened.by_our_names())


def reader_path() -> Path:
    """The recognizer that comes with this package, the *reader*.

    It is read wherever no checkpoint is named. Its card is docs/reader.md.

    Raises:
        FileNotFoundError: If this installation lacks the file.
    """
    if not READER.is_file():
        raise FileNotFoundError(
            f'{READER}, the reader that comes with lmim, is not there: '
            'install lmim again, or name a checkpoint')
    return READER


def load_recognizer(checkpoint: Union[PathLike, Checkpoint, None] = None,
                    config: Optional[Union[PathLike, Config]] = None,
                    device: str = 'cpu',
                    language: Optional[str] = None,
                    width: Optional[str] = None,
                    max_length: Optional[int] = None
                    ) -> Tuple[nn.Module, Config]:
    """Build a recognizer and load its weights, all of them.

    Args:
        checkpoint (str, Path or Checkpoint, optional): The file, or what was
            read of it. One of this project's carries its config and
            dictionary; nothing that it holds is executed, and nothing that
            its config names is imported. Defaults to :func:`reader_path`.
        config (str, Path or Config, optional): The config instead of that
            in the file, for checkpoints that have none. It is the user's
            own, and is run as any config.
        device (str): Where the model goes. Defaults to 'cpu'.
        language (str, optional): Whose letters a CTC recognizer heeds, as of
            :class:`~lmim.models.textrecog.CTCLanguagePostprocessor`, or
            'none'. Defaults to what the config says.
        width (str, optional): Of the pictures it reads, as of
            :func:`lmim.engine.widths.set_widths`. Defaults to what the config
            says.
        max_length (int, optional): The most characters of a word, as of
            :class:`~lmim.apis.TextRecognizer`.

    Returns:
        Tuple[nn.Module, Config]: The model in eval mode, and the config; see
        :class:`ModelConfig`.

    Raises:
        FileNotFoundError: If checkpoint, config or dictionary do not exist.
        CheckpointError: If there is no config, or it does not fit the
            weights, or is none of a recognizer.
    """
    opened = open_checkpoint(checkpoint or reader_path())
    found = without_glyphs(needed_config(opened, config))
    if language is not None:
        found = _with_language(found, language)
    found = _with_sizes(found, width, max_length)
    characters = _characters(opened, found)
    if not found.given:
        found.model.pop('pool', None)  # a file of whoever trained it
    try:
        recognizer = build_model(found.model, characters, empty=False)
    except UserError:
        raise
    # What a component says of arguments that it does not know or like.
    except (KeyError, TypeError, ValueError, AttributeError,
            AssertionError) as error:
        raise CheckpointError(
            f'the model of {found.name} cannot be built: {error}') from error
    if not isinstance(recognizer, BaseRecognizer):
        raise CheckpointError(
            f'{found.name} is of {type(recognizer).__name__}, which reads no '
            'text. A pre-trained encoder has to be fine-tuned first: take the '
            'checkpoint of a run with a config of configs/textrecog')
    weights = opened.by_module_names()
    if not hasattr(recognizer, 'glyph_head'):
        weights = without_glyph_weights(weights)
    _load_all(recognizer, opened, weights, found)
    return use_cpu_kernels(recognizer).to(device).eval(), found.cfg


def without_glyphs(config: ModelConfig) -> ModelConfig:
    """A config without a head of glyphs, where that is for training alone."""
    head = config.model.get('glyph_head')
    if not head or head.get('fused'):
        return config
    config = config._replace(cfg=copy.deepcopy(config.cfg),
                             model=copy.deepcopy(config.model))
    for model in (config.model, config.cfg.model):
        model.pop('glyph_head')
        model['type'] = 'EncoderDecoderRecognizer'
    return config


def without_glyph_weights(weights: Dict[str, torch.Tensor]
                          ) -> Dict[str, torch.Tensor]:
    """Weights without those of a head of glyphs, unless it reads, too."""
    if FUSED in weights:
        return weights
    return {name: value for name, value in weights.items()
            if not name.startswith(GLYPHS)}


def _with_language(config: ModelConfig, language: str) -> ModelConfig:
    """A config whose CTC decoder heeds a language, or none."""
    config = config._replace(cfg=copy.deepcopy(config.cfg),
                             model=copy.deepcopy(config.model))
    for model in (config.model, config.cfg.model):
        held = (model.get('decoder') or {}).get('postprocessor') or {}
        kind = str(held.get('type')).rpartition('.')[2]
        if not kind.startswith('CTC'):
            if language == 'none':
                continue
            raise CheckpointError(
                f'{config.name} is of no CTC recognizer (its postprocessor is '
                f'{held.get("type")}), and only those heed a language')
        model['decoder']['postprocessor'] = dict(
            held, type='CTCLanguagePostprocessor',
            language=None if language == 'none' else language)
    return config


def _with_sizes(config: ModelConfig, width: Optional[str],
                max_length: Optional[int]) -> ModelConfig:
    """A config that reads pictures of some widths, and words of a length."""
    config = config._replace(cfg=copy.deepcopy(config.cfg),
                             model=copy.deepcopy(config.model))
    for cfg in (config.cfg, dict(model=config.model)):
        if width is None:
            fit_widths(cfg)
        else:
            set_widths(cfg, width)
        if max_length is not None:
            _lengthen(cfg['model'].get('decoder') or {}, max_length)
    return config


def _lengthen(decoder: Dict[str, Any], max_length: int) -> None:
    """Let a decoder write longer words than it was trained for, or refuse."""
    kind = str(decoder.get('type')).rpartition('.')[2]
    if kind == 'CRNNDecoder' or max_length == decoder.get('max_seq_len'):
        return  # CTC writes as many as the picture has columns
    if kind != 'TextTransformerDecoder' or not 1 <= max_length <= LONGEST:
        raise CheckpointError(
            f'a word of at most {max_length} characters cannot be asked of '
            f'the {kind}: TextTransformerDecoder writes 1 to {LONGEST}, CTC '
            'as many as a picture has columns, and others have a place for '
            'each character that they were trained for: train with '
            f'model.decoder.max_seq_len={max_length}')
    decoder['max_seq_len'] = max_length


def load_pretrained(checkpoint: PathLike,
                    config: Optional[PathLike] = None,
                    target_checkpoint: Optional[PathLike] = None) -> nn.Module:
    """Build a model of pre-training with all its weights, in eval mode.

    Args:
        checkpoint (str or Path): Of a run of pre-training; the authors' too.
        config (str or Path, optional): The config, where the checkpoint
            carries none.
        target_checkpoint (str or Path, optional): The frozen encoder of the
            targets, where the checkpoint lacks it. This project's have it.

    Raises:
        FileNotFoundError: If a file does not exist.
        CheckpointError: If the weights do not fit the config, or some lack.
    """
    opened = open_checkpoint(checkpoint)
    found = needed_config(opened, config)
    model: Any = build_model(found.model, empty=False)
    if not isinstance(model, SelfSup):
        raise CheckpointError(
            f'{checkpoint} is a {type(model).__name__}, and no method of '
            'pre-training: take a checkpoint of pre-training '
            '(configs/pretrain)')
    weights = opened.by_our_names()
    frozen = getattr(model, 'target_generator', None)
    teacher = {f'target_generator.{name}': value for name, value
               in (frozen.state_dict() if frozen is not None else {}).items()}
    lacks = bool(teacher) and not teacher.keys() & weights.keys()
    _load_all(model, opened, {**weights, **teacher} if lacks else weights,
              found)
    if lacks:
        if target_checkpoint is None:
            raise CheckpointError(
                f'{checkpoint} does not hold the frozen encoder that makes '
                'the targets. Name its checkpoint: --target-checkpoint FILE')
        with quiet():
            load_encoder_weights(model.target_generator.encoder,
                                 str(target_checkpoint))
    return use_cpu_kernels(model).eval()


def dictionary_of(model: nn.Module) -> List[str]:
    """The characters that a recognizer knows, in the order of its classes.

    Tokens such as the end are left out. Empty without a dictionary.
    """
    dictionary = getattr(getattr(model, 'decoder', None), 'dictionary', None)
    if dictionary is None:
        return []
    tokens = {getattr(dictionary, f'{name}_idx', None)
              for name in ('start', 'end', 'padding', 'unknown')}
    return [char for number, char in enumerate(dictionary.dict)
            if number not in tokens]


def _load_all(model: nn.Module, opened: Checkpoint,
              weights: Dict[str, torch.Tensor], config: ModelConfig) -> None:
    """Load weights that fit a model in full, or raise."""
    report = compare(model, weights, opened.path)
    if not report.is_full:
        raise CheckpointError(
            f'{config.name} does not fit {report}.{report.details()}\nName '
            f'the config that it was trained with: {FITTING}')
    refuse_not_finite(model, weights, opened.path)
    model.load_state_dict(weights)


def _characters(opened: Checkpoint,
                config: ModelConfig) -> Optional[List[str]]:
    """The checkpoint's dictionary; None where the config's file is needed."""
    held = opened.characters()
    for part in dictionaries_of(config.model):
        path = part['dict_file']
        if held is None and not Path(path).is_file():
            raise FileNotFoundError(
                f'checkpoint {opened.path} carries no dictionary, and {path}, '
                f'which {config.name} names, does not exist. Put it there, or '
                'name a config whose dict_file is there: --config CONFIG')
        if (held is not None and config.given and Path(path).is_file()
                and read_dict_file(path) != held):
            raise CheckpointError(
                f'checkpoint {opened.path} carries a dictionary of '
                f'{len(held)} characters, and {path}, which {config.name} '
                'names, is another: with that, texts would come out wrong. '
                'Name the config that it was trained with, or none')
    return held
