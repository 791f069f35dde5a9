"""What the data sets of a config give, step by step."""
from typing import Any, Dict, Iterator, List, NamedTuple, Optional, Sequence

import cv2
import numpy as np
import torch
from mmengine.config import Config
from mmocr.registry import DATASETS

from lmim.datasets.labels.reading import innermost
from lmim.datasets.records import UnreadableRecordError
from lmim.datasets.transforms import SeveralViews
from lmim.utils.errors import UserError
from .random_state import random_state_kept

PHASES = ('train', 'val', 'test')
MODES = ('original', 'transformed', 'pipeline')


class Shown(NamedTuple):
    """A record of a data set, as it is shown.

    Attributes:
        name (str): By which a person finds it.
        text (str): Its label, '' where it has none.
        stages (List[str]): What made each of the pictures.
        pictures (List[np.ndarray]): Each (H, W, 3) uint8, BGR.
        fault (str, optional): Why there are none.
    """
    name: str
    text: str
    stages: List[str]
    pictures: List[np.ndarray]
    fault: Optional[str] = None


def build_datasets(cfg: Config, phase: str) -> List[Any]:
    """Build what a phase of a config reads.

    Args:
        cfg (Config): The config.
        phase (str): ``'train'``, ``'val'`` or ``'test'``.

    Returns:
        List[Any]: The data sets inside all wrappers, with their pipelines.

    Raises:
        UserError: If the config has no such phase.
    """
    loaders = cfg.get(f'{phase}_dataloader')
    if not loaders:
        found = [name for name in PHASES if cfg.get(f'{name}_dataloader')]
        raise UserError(f'the config has no {phase}_dataloader. It has '
                        f'{" and ".join(found) or "none"}: --phase')
    loaders = loaders if isinstance(loaders, list) else [loaders]
    return [leaf for loader in loaders for leaf in innermost(
        DATASETS.build(dict(loader['dataset'], _scope_='mmocr')))]


def iter_shown(datasets: Sequence[Any], mode: str, number: int,
               seed: int = 0) -> Iterator[Shown]:
    """Records of data sets, evenly spread over each.

    Args:
        datasets (Sequence[Any]): Of :func:`build_datasets`.
        mode (str): ``'original'``: as decoded; ``'transformed'``: what the
            model is given, all views; ``'pipeline'``: after each transform.
        number (int): The most records of each set.
        seed (int): Of what transforms draw.

    Yields:
        Shown: One for each record.
    """
    for dataset in datasets:
        count = min(number, len(dataset))
        for place in range(count):
            index = place * len(dataset) // count
            with random_state_kept(seed + index):
                yield _show(dataset, index, mode)


def _show(dataset: Any, index: int, mode: str) -> Shown:
    """Run a record through its pipeline."""
    name = f'record {index}'
    try:
        load = getattr(dataset, 'load', dataset.get_data_info)
        info = load(index)
        name = str(info.get('img_path') or name)
        text = _text(info)
        stages, states = _run(info, list(dataset.pipeline.transforms), mode)
    except (UnreadableRecordError, OSError, ValueError, cv2.error) as error:
        return Shown(name, '', [], [], str(error).strip().split('\n')[0])
    if not states:
        return Shown(name, text, [], [], 'a transform makes nothing of it')
    return Shown(name, text, stages, states)


def _run(results: Dict[str, Any], transforms: List[Any], mode: str) -> Any:
    """The names of stages, and their pictures."""
    stages: List[str] = []
    pictures: List[np.ndarray] = []
    _keep(results, 'as decoded', stages, pictures)
    while transforms and not (mode == 'original' and pictures):
        transform = transforms.pop(0)
        if isinstance(transform, SeveralViews) and mode == 'pipeline':
            # Its first view, step by step.
            transforms = list(transform.transforms.transforms)
            continue
        outcome = transform(results)
        if outcome is None:
            return [], []
        results = outcome
        _keep(results, type(transform).__name__, stages, pictures)
    if mode == 'transformed':
        stages, pictures = [], []
        views = results if isinstance(results, list) else [results]
        for number, view in enumerate(views, 1):
            _keep(view, 'given to the model' if number == 1 else
                  f'view {number}', stages, pictures, last=True)
    return stages, pictures


def _keep(results: Any, stage: str, stages: List[str],
          pictures: List[np.ndarray], last: bool = False) -> None:
    """Keep the pictures of a state that differ from those before."""
    if not isinstance(results, dict):
        return
    inputs = results.get('inputs')
    found = ([('', results.get('img')),
              ('guidance view', results.get('guidance_img'))]
             if inputs is None else
             list(zip(('', 'guidance view'), inputs)) if isinstance(
                 inputs, (list, tuple)) else [('', inputs)])
    for what, value in found:
        picture = _picture(value)
        if picture is None or not last and any(
                picture.shape == old.shape and np.array_equal(picture, old)
                for old in pictures):
            continue
        stages.append(f'{stage}: {what}' if what else stage)
        pictures.append(picture)


def _picture(value: Any) -> Optional[np.ndarray]:
    """A picture (H, W, 3) uint8, BGR, of what a pipeline holds."""
    if isinstance(value, torch.Tensor):
        value = value.permute(1, 2, 0).numpy()
    if not isinstance(value, np.ndarray) or value.ndim not in (2, 3):
        return None
    if value.dtype != np.uint8:
        # Normalised pixels: from their darkest to their brightest.
        value = value - value.min()
        value = (255. / max(value.max(), 1e-12) * value).astype(np.uint8)
    if value.ndim == 2 or value.shape[2] == 1:
        return cv2.cvtColor(value, cv2.COLOR_GRAY2BGR)
    return np.ascontiguousarray(value)


def _text(info: Dict[str, Any]) -> str:
    """The label of a record, where it is read."""
    instances = info.get('instances') or [{}]
    return str(instances[0].get('text') or '')
