"""Which configs a checkpoint fits, by names and shapes of its weights."""
import json
import warnings
from pathlib import Path
from typing import Any, Dict, List, NamedTuple, Optional, Union

from mmengine.config import Config
from torch import nn

from lmim.checkpoints import Checkpoint
from lmim.checkpoints.config_text import dicts_in
from lmim.checkpoints.formats import ENCODER
from lmim.checkpoints.loading import compare
from .loading import build_model

#: Settings of a model that change none of its weights.
_WEIGHTLESS = ('init_cfg', 'checkpoint', 'drop_rate', 'drop_path_rate',
               'module_loss', 'postprocessor', 'data_preprocessor')


class Fits(NamedTuple):
    """The configs that a checkpoint fits."""
    whole: List[str]  # every weight of model and checkpoint fits
    encoder: List[str]  # only those of the encoder do, all of them
    unread: Dict[str, str]  # those whose model cannot be built, and why
    model: Optional[nn.Module]  # one that fits, shapes only


def find_configs(checkpoint: Checkpoint, folder: Union[str, Path]) -> Fits:
    """Find the configs whose model has weights of these names and shapes.

    Folders called ``_base_`` hold parts of configs and are left out.
    """
    fits: Dict[str, List[str]] = {'whole': [], 'encoder': [], '': []}
    models: Dict[str, nn.Module] = {}
    unread: Dict[str, str] = {}
    judged: Dict[str, str] = {}
    for path in sorted(Path(folder).rglob('*.py')):
        if '_base_' in path.parts:
            continue
        try:
            with warnings.catch_warnings():
                # Once for each config that inherits one of MMOCR's.
                warnings.filterwarnings('ignore', 'pkg_resources is dep')
                cfg = Config.fromfile(path)
            if not isinstance(cfg.get('model'), dict):
                continue
            # Many configs differ in data and schedule alone.
            key = _weighty(cfg.model.to_dict())
            if key not in judged:
                model = build_model(cfg.model.to_dict())
                judged[key] = _judge(model, checkpoint)
                models[judged[key]] = model
            fits[judged[key]].append(str(path))
        except Exception as error:  # whatever fails in building it
            unread[str(path)] = str(error).split('\n')[0]
    return Fits(fits['whole'], fits['encoder'], unread,
                models.get('whole', models.get('encoder')))


def _judge(model: nn.Module, checkpoint: Checkpoint) -> str:
    """What of a model the weights fit: 'whole', 'encoder' or ''."""
    if compare(model, checkpoint.by_module_names(), '').is_full:
        return 'whole'
    encoder = compare(model, checkpoint.by_our_names(), '', ENCODER)
    return 'encoder' if encoder.is_full and encoder.loaded else ''


def _weighty(model: Dict[str, Any]) -> str:
    """A key that models with the same weights share."""
    model = json.loads(json.dumps(model, default=str))
    for part in list(dicts_in(model)):
        for name in _WEIGHTLESS:
            part.pop(name, None)
    return json.dumps(model, sort_keys=True)
