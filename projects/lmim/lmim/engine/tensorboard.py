"""TensorBoard, where it is asked for."""
import importlib.util

from mmengine.config import Config

BACKEND = 'TensorboardVisBackend'


def add_tensorboard(cfg: Config) -> None:
    """Write scalars and pictures for TensorBoard beside the local log.

    Args:
        cfg (Config): The config, changed in place.

    Raises:
        ValueError: If TensorBoard is not installed, or the config has no
            visualizer.
    """
    if importlib.util.find_spec('tensorboard') is None:
        raise ValueError('--tensorboard needs TensorBoard, which is not '
                         'installed: pip install tensorboard')
    visualizer = cfg.get('visualizer')
    if not visualizer:
        raise ValueError(
            '--tensorboard adds to the visualizer, and the config has none. '
            "Add to it: visualizer = dict(type='TextRecogLocalVisualizer', "
            "name='visualizer', vis_backends=[dict(type='LocalVisBackend')])")
    backends = list(visualizer.get('vis_backends') or [])
    if not any(backend['type'] == BACKEND for backend in backends):
        visualizer.vis_backends = [*backends, dict(type=BACKEND)]
