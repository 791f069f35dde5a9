"""What a config says of labels: which it reads, and what it can write."""
import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any, Dict, List, NamedTuple, Optional

from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmocr.registry import DATASETS, MODELS

from lmim.datasets.labels.reading import innermost
from lmim.datasets.labels.spelling import Spelling, spelling_of

LOADERS = ('train_dataloader', 'val_dataloader', 'test_dataloader')

#: What goes wrong where a config is, other than files that are missing.
_FAULTS = (AssertionError, AttributeError, ImportError, KeyError, SyntaxError,
           TypeError)


class LabelSet(NamedTuple):
    """Labels that are checked together.

    Attributes:
        name (str): What they are called in the report.
        datasets (List[Any]): Sets or sources, for
            :func:`~lmim.datasets.labels.reading.iter_labels`.
        error (str, optional): Why they cannot be read.
    """
    name: str
    datasets: List[Any]
    error: Optional[str] = None


def read_config(path: Path) -> Config:
    """Read a config.

    Raises:
        OSError: If the file is not there.
        ValueError: If it cannot be run.
    """
    try:
        cfg = Config.fromfile(path)
    except _FAULTS as error:
        raise ValueError(
            f'{path} cannot be read as a config: {type(error).__name__}: '
            f'{error}') from error
    init_default_scope(cfg.get('default_scope', 'mmocr'))
    return cfg


def config_spelling(cfg: Config) -> Spelling:
    """What labels the config's decoder takes, as it is built for training.

    Raises:
        ValueError: If it takes none, or cannot be built.
    """
    decoder = (cfg.get('model') or {}).get('decoder') or {}
    if 'dictionary' not in decoder:
        raise ValueError(
            f'{cfg.filename} has no model.decoder.dictionary: it is not of a '
            'recognizer. Give the config that is to be fine-tuned, or --dict')
    try:
        with redirect_stdout(sys.stderr):
            spelling = spelling_of(MODELS.build(decoder))
    except _FAULTS as error:
        raise ValueError(
            f'{cfg.filename}: model.decoder cannot be built: '
            f'{type(error).__name__}: {error}') from error
    assert spelling is not None
    return spelling


def config_parts(cfg: Config) -> List[LabelSet]:
    """The data sets of a config's dataloaders, each checked once.

    Validation and test often read the same.
    """
    parts: Dict[str, LabelSet] = {}
    for loader in LOADERS:
        given = cfg.get(loader) or []
        loaders = given if isinstance(given, list) else [given]
        sets = [one['dataset'] for one in loaders]
        if not sets:
            continue
        key = repr(sets)
        if key in parts:
            both = f'{parts[key].name}, {loader}'
            parts[key] = parts[key]._replace(name=both)
            continue
        try:
            with redirect_stdout(sys.stderr):
                built = [DATASETS.build(one) for one in sets]
            parts[key] = LabelSet(loader, [
                leaf for one in built for leaf in innermost(one)])
        except (OSError, ValueError, *_FAULTS) as error:
            parts[key] = LabelSet(
                loader, [], f'{type(error).__name__}: {error}')
    return list(parts.values())
