"""What the data sets of a config give, step by step."""
from typing import (Any, Dict, Iterator, List, NamedTuple, Optional, Sequence,
                    Tuple)

import cv2
import numpy as np
import torch
from mmengine.config import Config
from mmocr.registry import DATASETS

from lmim.datasets.labels.reading import innermost
from lmim.datasets.records import UnreadableRecordError
from lmim.datasets.transforms import SeveralViews
from lmim.utils.errors import UserError
from .reconstruction import random_state_kept

PHASES = ('train', 'val', 'test')
MODES = ('original', 'transformed', 'pipeline')


class Shown(NamedTuple):
    """A record of a data set, as it is shown.

    Attributes:
        name (str): By which a person finds it.
        text (str): Its label, '' where it has none.
        stages (List[Tuple[str, np.ndarray]]): What made each picture, and the
            picture (H, W, 3) uint8, BGR.
        fault (str, optional): Why there are none.
    """
    name: str
    text: str = ''
    stages: List[Tuple[str, np.ndarray]] = []
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
        info = getattr(dataset, 'load', dataset.get_data_info)(index)
        name = str(info.get('img_path') or name)
        instances = info.get('instances') or [{}]
        text = str(instances[0].get('text') or '')
        stages = _run(info, list(dataset.pipeline.transforms), mode)
    except (UnreadableRecordError, OSError, ValueError, cv2.error) as error:
        return Shown(name, fault=str(error).strip().split('\n')[0])
    if not stages:
        return Shown(name, text, fault='a transform makes nothing of it')
    return Shown(name, text, stages)


def _run(results: Any, transforms: List[Any],
         mode: str) -> List[Tuple[str, np.ndarray]]:
    """The pictures of all stages that a mode shows."""
    stages = _pictures(results, 'as decoded', [])
    while transforms and not (mode == 'original' and stages):
        transform = transforms.pop(0)
        if isinstance(transform, SeveralViews) and mode == 'pipeline':
            # Its first view, step by step.
            transforms = list(transform.transforms.transforms)
            continue
        results = transform(results)
        if results is None:
            return []
        if isinstance(results, dict):
            stages += _pictures(results, type(transform).__name__, stages)
    if mode != 'transformed':
        return stages
    views = results if isinstance(results, list) else [results]
    return [stage for number, view in enumerate(views, 1)
            for stage in _pictures(
                view, f'view {number}' if number > 1 else
                'given to the model', [])]


def _pictures(results: Dict[str, Any], stage: str,
              before: List[Tuple[str, np.ndarray]]
              ) -> List[Tuple[str, np.ndarray]]:
    """The pictures of a state that differ from those before."""
    inputs = results.get('inputs')
    if inputs is None:
        inputs = (results.get('img'), results.get('guidance_img'))
    elif not isinstance(inputs, (list, tuple)):
        inputs = (inputs, )
    found: List[Tuple[str, np.ndarray]] = []
    for what, value in zip((stage, f'{stage}: guidance view'), inputs):
        picture = _picture(value)
        if picture is not None and not any(
                np.array_equal(picture, old) for _, old in before + found):
            found.append((what, picture))
    return found


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
