"""What is in a checkpoint file, and files with the same."""
from pathlib import Path
from typing import Any, Dict, List, NamedTuple, Optional, Union

import torch
from mmengine.config import Config

from lmim.utils.atomic import whole_file
from lmim.utils.errors import CheckpointError
from lmim.version import __version__
from .config_text import check_types, parse_config, write_config
from .dictionaries import CHARACTERS, describe_dictionary
from .formats import CheckpointFormat, detect_format, to_ours
from .reading import SUFFIX, find_weights, read_checkpoint, save_safetensors


class Checkpoint(NamedTuple):
    """What is in a checkpoint file.

    ``meta`` is what is told about the weights, plain values only: ``cfg`` is
    the text of the config, ``dictionary`` the characters.
    """
    path: str
    weights: Dict[str, torch.Tensor]  # by their own names
    meta: Dict[str, Any]
    wraps: str = 'state_dict'  # the key under which the weights are, or ''
    kind: Optional[CheckpointFormat] = None  # of the names, if it is known
    others: List[str] = []  # what else is in the file
    skipped: List[str] = []  # what would have been executed

    def by_our_names(self) -> Dict[str, torch.Tensor]:
        """The weights by our names, or by their own in an unknown format."""
        return self.weights if self.kind is None else to_ours(self.weights)

    def by_module_names(self) -> Dict[str, torch.Tensor]:
        """The weights as a whole model of this project names them.

        They are our names, but for a recognizer that reads the encoder as a
        feature map: its encoder is a part of the backbone.
        """
        mapped = self.kind is not None and self.kind.key == 'feature-map'
        return self.weights if mapped else self.by_our_names()

    def model_config(self) -> Optional[Dict[str, Any]]:
        """The config of the model, read as plain data, if the file holds it.

        Raises:
            CheckpointError: If the config is more than data.
        """
        text = self.meta.get('cfg')
        if not isinstance(text, str):
            return None
        model = parse_config(text, self.path).get('model')
        if not isinstance(model, dict):
            return None
        check_types(model, self.path)
        return model

    def characters(self) -> Optional[List[str]]:
        """The characters of the dictionary, where the file holds them."""
        held = self.meta.get('dictionary')
        found = held.get(CHARACTERS) if isinstance(held, dict) else None
        if isinstance(found, list) and all(isinstance(c, str) for c in found):
            return found
        return None


def open_checkpoint(path: Union[str, Path, Checkpoint],
                    skip_code: bool = False) -> Checkpoint:
    """Read a checkpoint of any format, unless it is one already.

    ``skip_code`` skips what would have to be executed instead of refusing.

    Raises:
        FileNotFoundError: If there is no such file.
        CheckpointError: If it cannot be read or holds no weights.
    """
    if isinstance(path, Checkpoint):
        return path
    skipped: List[str] = []
    content = read_checkpoint(path, skipped if skip_code else None)
    weights, wraps = find_weights(content, path)
    meta = content.get('meta')
    others = [str(key) for key in content
              if wraps and key not in (wraps, 'meta')]
    told = plain(meta) if isinstance(meta, dict) else {}
    for key in ('epoch', 'iter'):  # where the field's other code keeps them
        if wraps and isinstance(content.get(key), int):
            told.setdefault(key, content[key])
    try:
        kind: Optional[CheckpointFormat] = detect_format(weights)
    except CheckpointError:
        kind = None  # which is for the caller to judge
    if kind is not None and kind.completed is not None:
        weights = kind.completed(weights)
    return Checkpoint(str(path), weights, told, wraps, kind, others,
                      list(dict.fromkeys(skipped)))


def add_config(meta: Dict[str, Any], config: Union[str, Path]) -> Config:
    """Put a config of the user's, with a model, and its dictionary in meta."""
    cfg = Config.fromfile(config)
    if not isinstance(cfg.get('model'), dict):
        raise CheckpointError(f'config {config} has no model')
    meta['cfg'] = write_config(cfg.to_dict())
    meta.pop('dictionary', None)
    complete_dictionary(meta, cfg.model.to_dict())
    return cfg


def complete_dictionary(meta: Dict[str, Any],
                        model: Optional[Dict[str, Any]]) -> None:
    """Add the characters that the config names by a file, if it is there."""
    if model is not None and 'dictionary' not in meta:
        dictionary = describe_dictionary(model)
        if dictionary is not None:
            meta['dictionary'] = dictionary


def write_checkpoint(checkpoint: Checkpoint, path: Union[str, Path],
                     overwrite: bool = False) -> None:
    """Write a checkpoint, whole or not at all, to ``path``, not its own.

    ``.safetensors`` is written by that library, anything else by
    ``torch.save``.

    Raises:
        FileExistsError: If there is a file that may not be overwritten.
        CheckpointError: If the library safetensors is needed and missing.
    """
    path = Path(path)
    weights = {name: value.detach()
               for name, value in checkpoint.weights.items()}
    meta = dict(checkpoint.meta, lmim_version=__version__)
    with whole_file(path, overwrite) as partial:
        if path.suffix == SUFFIX:
            key = checkpoint.kind.key if checkpoint.kind else ''
            save_safetensors(partial, weights, meta, key)
        elif checkpoint.wraps:
            torch.save({'meta': meta, checkpoint.wraps: weights}, partial)
        else:
            torch.save(weights, partial)


#: Types of values that loading allows; beside them None.
PLAIN = (bool, int, float, str, dict, list, tuple)


def plain(value: Any) -> Any:
    """The part of a value that is of plain types, which loading allows."""
    if isinstance(value, dict):
        return {plain(key): plain(item) for key, item in value.items()
                if isinstance(key, (str, int))
                and isinstance(item, (*PLAIN, type(None)))}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value
                if isinstance(item, (*PLAIN, type(None)))]
    for kind in PLAIN[:4]:  # also from NumPy's and torch's own
        if isinstance(value, kind):
            return kind(value)
    return None
