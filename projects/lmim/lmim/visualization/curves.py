"""Curves of what MMEngine logged."""
import json
from pathlib import Path
from typing import Dict, List, Mapping, Tuple, Union

from matplotlib.figure import Figure

Curve = Tuple[List[int], List[float]]


def read_scalars(work_dir: Union[str, Path]) -> Dict[str, Curve]:
    """Read the scalars of a run, of all its parts if it was resumed.

    Args:
        work_dir (str or Path): The work dir of the run.

    Returns:
        Dict[str, Curve]: Iterations and values of each scalar. What was
        logged again after a resume replaces what had been logged before.
    """
    values: Dict[str, Dict[int, float]] = {}
    paths = Path(work_dir).glob('*/vis_data/scalars.json')
    for path in sorted(paths, key=lambda path: path.parts[-3]):
        for line in path.read_text(encoding='utf-8').splitlines():
            try:
                entry = json.loads(line)
            except json.JSONDecodeError:
                continue  # the last line of a run that was killed
            step = entry.get('iter', entry.get('step'))
            for name, value in entry.items():
                if isinstance(value, (int, float)) and step is not None:
                    values.setdefault(name, {})[step] = value
    return {name: (sorted(points), [points[step] for step in sorted(points)])
            for name, points in values.items()}


def draw_curves(runs: Mapping[str, Mapping[str, Union[str, Path]]],
                scalar: str = 'loss') -> Figure:
    """Draw a scalar of several runs.

    Args:
        runs (Mapping): A panel for each item: its title, and the work dirs
            of its runs by the names to show.
        scalar (str): What to draw.

    Returns:
        Figure: The panels side by side.
    """
    figure = Figure(figsize=(4 * len(runs), 3), layout='constrained')
    axes = figure.subplots(1, len(runs), squeeze=False)[0]
    for axis, (title, work_dirs) in zip(axes, runs.items()):
        for name, work_dir in work_dirs.items():
            curve = read_scalars(work_dir).get(scalar)
            if curve is not None:
                axis.plot(*curve, label=name)
        axis.set_title(title, fontsize=10)
        axis.set_xlabel('batches')
        axis.set_ylabel(scalar)
        axis.grid(alpha=0.3)
        if len(work_dirs) > 1:
            axis.legend()
    return figure
