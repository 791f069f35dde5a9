"""Models built from configs, to see which weights they have."""
import copy
import tempfile
from pathlib import Path
from typing import Any, Dict, List, Optional, Sequence

import torch
from mmocr.registry import MODELS
from torch import nn

from .config_text import dicts_in
from .dictionaries import dictionaries_of, write_characters
from lmim.utils.errors import CheckpointError
from .loading import LoadReport, compare


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

    Returns:
        nn.Module: The model.

    Raises:
        CheckpointError: If the file of a dictionary is not there.
    """
    model = copy.deepcopy(model)
    for part in list(dicts_in(model)):
        loads = part.get('init_cfg')
        if isinstance(loads, dict):
            loads = [loads]
        if loads:
            part['init_cfg'] = [
                cfg for cfg in loads if cfg.get('type') != 'Pretrained'
            ] or None
    with tempfile.TemporaryDirectory() as folder:
        for part in dictionaries_of(model):
            if characters is not None:
                path = Path(folder) / 'characters.txt'
                write_characters(path, characters)
                part['dict_file'] = str(path)
            elif not Path(part['dict_file']).is_file():
                raise CheckpointError(
                    f'dictionary {part["dict_file"]} of the config does not '
                    'exist: put it there, or change dict_file')
        cfg = dict(model, _scope_=model.get('_scope_', 'mmocr'))
        if empty:
            try:
                with torch.device('meta'):
                    return MODELS.build(cfg)
            except (RuntimeError, AttributeError):
                # MMOCR's position tables, and torch before 2.0, cannot.
                pass
        return MODELS.build(cfg)


def compare_with_model(model: nn.Module, weights: Dict[str, torch.Tensor],
                       source: str, part: str = '') -> LoadReport:
    """Compare weights with those of a model, and load nothing.

    Args:
        model (nn.Module): The model.
        weights (Dict[str, torch.Tensor]): Weights by our names.
        source (str): What they are, for the report.
        part (str): What names begin with that are compared. Defaults to all.

    Returns:
        LoadReport: What fits and what does not.
    """
    found = {k: v for k, v in weights.items() if k.startswith(part)}
    wanted = {k: v for k, v in model.state_dict().items()
              if k.startswith(part)}
    return compare(wanted, found, source, len(weights) - len(found))


def shapes_of(model: nn.Module) -> Dict[str, List[int]]:
    """The shapes of a model's weights by name."""
    return {name: list(value.shape)
            for name, value in model.state_dict().items()}
