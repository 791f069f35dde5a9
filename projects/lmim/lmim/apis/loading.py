"""A recognizer from its checkpoint, ready to read."""
from pathlib import Path
from typing import Any, Dict, List, Optional, Tuple, Union

from mmengine.config import Config, ConfigDict
from mmocr.models.textrecog.recognizers import BaseRecognizer
from torch import nn

from lmim.checkpoints import Checkpoint, CheckpointError, open_checkpoint
from lmim.checkpoints.building import build_model, compare_with_model
from lmim.checkpoints.config_text import parse_config
from lmim.checkpoints.dictionaries import dictionaries_of, read_characters


def load_recognizer(checkpoint: Union[str, Path],
                    config: Optional[Union[str, Path, Config]] = None,
                    device: str = 'cpu') -> Tuple[nn.Module, Config]:
    """Build a recognizer and load its weights, all of them.

    Args:
        checkpoint (str or Path): The file. One of this project's carries its
            config and dictionary; nothing that it holds is executed, and
            nothing that its config names is imported.
        config (str, Path or Config, optional): The config instead of that
            in the file, for checkpoints that have none. It is the user's
            own, and is run as any config.
        device (str): Where the model goes. Defaults to 'cpu'.

    Returns:
        Tuple[nn.Module, Config]: The model in eval mode, and the config.
        That of a checkpoint is plain data: only its ``model`` was seen to
        hold nothing but known components.

    Raises:
        FileNotFoundError: If checkpoint, config or dictionary do not exist.
        CheckpointError: If there is no config, or it does not fit the
            weights, or is none of a recognizer.
    """
    opened = open_checkpoint(checkpoint)
    if config is None:
        cfg, model = _own_config(opened)
        told = f'the config in {checkpoint}'
    else:
        cfg, model, told = _given_config(config)
    characters = _characters(opened, model, told, config is not None)
    try:
        recognizer = build_model(model, characters, empty=False)
    except CheckpointError:
        raise
    # What a component says of arguments that it does not know or like.
    except (KeyError, TypeError, ValueError, AttributeError,
            AssertionError) as error:
        raise CheckpointError(
            f'the model of {told} cannot be built: {error}') from error
    if not isinstance(recognizer, BaseRecognizer):
        raise CheckpointError(
            f'{told} is of {type(recognizer).__name__}, which reads no text. '
            'A pre-trained encoder has to be fine-tuned first: take the '
            'checkpoint of a run with a config of configs/textrecog')
    weights = opened.by_module_names()
    report = compare_with_model(recognizer, weights, opened.path)
    if not report.is_full:
        raise CheckpointError(
            f'{told} does not fit {report}.{report.details()}\nName the '
            'config that it was trained with: --config CONFIG '
            '(`python tools/checkpoint.py inspect` tells which ones fit)')
    recognizer.load_state_dict(weights)
    return recognizer.to(device).eval(), cfg


def dictionary_of(model: nn.Module) -> List[str]:
    """The characters that a recognizer knows, in the order of its classes.

    Args:
        model (nn.Module): The recognizer.

    Returns:
        List[str]: They; tokens such as the end are left out. Empty for a
        recognizer without a dictionary.
    """
    decoder: Any = getattr(model, 'decoder', None)
    dictionary = getattr(decoder, 'dictionary', None)
    if dictionary is None:
        return []
    tokens = {
        getattr(dictionary, name, None)
        for name in ('start_idx', 'end_idx', 'padding_idx', 'unknown_idx')
    }
    return [char for number, char in enumerate(dictionary.dict)
            if number not in tokens]


def _own_config(opened: Checkpoint) -> Tuple[Config, Dict[str, Any]]:
    """The config that a checkpoint carries, and its model's."""
    model = opened.model_config()
    if model is None:
        kind = f' ({opened.kind.name})' if opened.kind else ''
        raise CheckpointError(
            f'checkpoint {opened.path}{kind} holds no config of a model: '
            'name the one that it was trained with, --config CONFIG '
            '(`python tools/checkpoint.py inspect` tells which ones fit)')
    return Config(parse_config(opened.meta['cfg'], opened.path)), model


def _given_config(
    config: Union[str, Path, Config]
) -> Tuple[Config, Dict[str, Any], str]:
    """The user's config, its model's, and what messages call it."""
    told = 'the config'
    if not isinstance(config, Config):
        if not Path(config).is_file():
            raise FileNotFoundError(f'config {config} does not exist')
        told = f'config {config}'
        config = Config.fromfile(config)
    model = config.get('model')
    if not isinstance(model, ConfigDict):
        raise CheckpointError(
            f'{told} has no model: name one of configs/textrecog')
    return config, model.to_dict(), told


def _characters(opened: Checkpoint, model: Dict[str, Any], told: str,
                given: bool) -> Optional[List[str]]:
    """The dictionary: the checkpoint's, or else that of the config's file.

    Raises:
        FileNotFoundError: If there is neither.
        CheckpointError: If the user's config has another than the checkpoint.
    """
    held = opened.characters()
    files = [part['dict_file'] for part in dictionaries_of(model)]
    if held is None:
        for path in files:
            if not Path(path).is_file():
                raise FileNotFoundError(
                    f'checkpoint {opened.path} carries no dictionary, and '
                    f'{path}, which {told} names, does not exist. Put it '
                    'there, or name a config whose dict_file is there: '
                    '--config CONFIG')
        return None
    for path in files:
        if given and Path(path).is_file() and read_characters(path) != held:
            raise CheckpointError(
                f'checkpoint {opened.path} carries a dictionary of '
                f'{len(held)} characters, and {path}, which {told} names, '
                'is another: with that, texts would come out wrong. Name the '
                'config that it was trained with, or none')
    return held
