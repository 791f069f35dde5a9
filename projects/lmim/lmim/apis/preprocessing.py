"""From a picture to what a recognizer takes, as its config tests it."""
from typing import Any, Callable, Dict, List, Optional, Sequence

import cv2
import numpy as np
from mmengine.config import Config
from mmocr.registry import TRANSFORMS

from lmim.checkpoints import CheckpointError
from lmim.checkpoints.config_text import dicts_in
from lmim.datasets.records import UnreadableRecordError
from lmim.engine.widths import rescaling

#: Transforms that the config in a checkpoint may name. They do nothing but
#: arithmetic; others evaluate text (``ConditionApply``) or call what they are
#: told to (``TorchVisionWrapper``), and a checkpoint may come from anybody.
HARMLESS = frozenset(
    ['Resize', 'RescaleToHeight', 'PadToWidth', 'PackTextRecogInputs'])
_PACK = 'PackTextRecogInputs'


class Preprocessing:
    """The transforms of a test pipeline, without those that load.

    Args:
        cfg (Config): The config of a recognizer.
        told (str): What messages call it.
        trusted (bool): Whether the config is the user's own. In others no
            transform is built but those of :data:`HARMLESS`.

    Raises:
        CheckpointError: If there is no such pipeline, or it has a transform
            that is not built.
    """

    def __init__(self, cfg: Config, told: str, trusted: bool) -> None:
        pipeline = find_pipeline(cfg.to_dict())
        if pipeline is None:
            raise CheckpointError(
                f'{told} has no test pipeline, which tells how pictures are '
                'resized: name a config that has one, --config CONFIG')
        #: Whether the model reads grey pictures.
        self.grey = any(step.get('color_type') == 'grayscale'
                        for step in pipeline if loads(step))
        steps = [step for step in pipeline if not loads(step)]
        if not trusted:
            _check_harmless(steps, told)
        if not steps or kind_of_step(steps[-1]) != _PACK:
            raise CheckpointError(
                f'the test pipeline of {told} does not end with {_PACK}: '
                'name a config of a recognizer, --config CONFIG')
        steps[-1] = dict(
            steps[-1], meta_keys=('ori_shape', 'img_shape', 'valid_ratio'))
        #: Whether pictures of different shapes become different widths.
        self.any_width = any(
            kind_of_step(step) == 'RescaleToHeight' for step in steps)
        #: Whether places in a picture are still known when it is prepared.
        self.keeps_places = all(
            kind_of_step(step) in HARMLESS for step in steps)
        self.transforms: List[Callable[[dict], Optional[dict]]] = [
            TRANSFORMS.build({'_scope_': 'mmocr', **step}) for step in steps]

    def __call__(self, image: np.ndarray) -> Dict[str, Any]:
        """Prepare a picture, (H, W, 3), uint8, BGR.

        Returns:
            Dict[str, Any]: ``inputs`` (a tensor of shape (C, h, w)) and
            ``data_samples`` (one ``TextRecogDataSample``).

        Raises:
            UnreadableRecordError: If nothing can be made of it, as of a
                picture one pixel high and a thousand wide.
        """
        if self.grey:
            image = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
        results: Optional[dict] = dict(
            img=image, img_shape=image.shape[:2], ori_shape=image.shape[:2])
        for transform in self.transforms:
            try:
                results = transform(results)  # type: ignore[arg-type]
            except (cv2.error, ValueError, ZeroDivisionError) as error:
                reason = str(error).strip().split('\n')[0]
                raise UnreadableRecordError(
                    f'its {image.shape[1]} x {image.shape[0]} pixels cannot '
                    f'be prepared by {type(transform).__name__}: {reason}'
                ) from error
            if results is None:
                raise UnreadableRecordError(
                    f'{type(transform).__name__} makes nothing of it')
        assert results is not None
        return results


def find_pipeline(cfg: Dict[str, Any]) -> Optional[List[Dict[str, Any]]]:
    """The transforms by which a config tests.

    They are those of ``test_dataloader``, or else of ``val_dataloader``, or
    else ``test_pipeline``; in a config without any, a resize to the pictures
    that the encoder of its model takes. None where that has no such size.
    """
    for name in ('test_dataloader', 'val_dataloader'):
        loader = cfg.get(name)
        if isinstance(loader, (list, tuple)):
            loader = loader[0] if loader else None
        if isinstance(loader, dict):
            # Of a data set, or of the first that it is joined from.
            for part in dicts_in(loader.get('dataset')):
                if part.get('pipeline'):
                    return list(part['pipeline'])
    if cfg.get('test_pipeline'):
        return list(cfg['test_pipeline'])
    for part in dicts_in(cfg.get('model')):
        size = part.get('img_size')
        if isinstance(size, (list, tuple)) and len(size) == 2:
            resize = (rescaling(part) if part.get('widths') else
                      dict(type='Resize', scale=(size[1], size[0])))
            return [resize,
                    dict(type=_PACK, meta_keys=(
                        'ori_shape', 'img_shape', 'valid_ratio'))]
    return None


def loads(step: Dict[str, Any]) -> bool:
    """Whether a transform of a config loads pictures or labels."""
    return kind_of_step(step).startswith(('Load', 'InferencerLoader'))


def kind_of_step(step: Dict[str, Any]) -> str:
    """The name of a transform, without the scope before it."""
    return str(step.get('type')).rpartition('.')[2]


def _check_harmless(steps: Sequence[Dict[str, Any]], told: str) -> None:
    """Refuse a stranger's pipeline that is more than known arithmetic."""
    for part in dicts_in(list(steps)):
        kind = part.get('type')
        scope, _, name = str(kind).rpartition('.')
        if kind is not None and (
                name not in HARMLESS or scope not in ('', 'mmocr')
                or part.get('_scope_') not in (None, 'mmocr')):
            raise CheckpointError(
                f'{told} prepares pictures by {kind!r}, and from a checkpoint '
                f'only {", ".join(sorted(HARMLESS))} are taken, which cannot '
                'run anything else. If you trust it, name a config file of '
                'your own: --config CONFIG')
