"""Curves of what MMEngine logged."""
import json
from pathlib import Path
from typing import Dict, List, Mapping, Optional, Sequence, Tuple, Union

from matplotlib.figure import Figure

from lmim.utils.errors import UserError

from .saving import DPI

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
    figure = Figure(figsize=(4 * len(runs), 3), dpi=DPI,
                    layout='constrained')
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


def default_scalars(found: Sequence[str]) -> List[str]:
    """What one looks at first: losses, learning rate, gradients, accuracy.

    Args:
        found (Sequence[str]): The names of what was logged.

    Returns:
        List[str]: Names to draw, of those.
    """
    losses = sorted((name for name in found if 'loss' in name),
                    key=lambda name: (name != 'loss', name))
    # With one part the sum is the same curve again.
    losses = losses[:1] if len(losses) == 2 else losses
    rest = [name for name in ('lr', 'grad_norm') if name in found]
    # MMEngine writes what is evaluated as set/measure.
    return losses + rest + sorted(name for name in found if '/' in name)


def draw_scalars(runs: Mapping[str, Mapping[str, Curve]],
                 names: Optional[Sequence[str]] = None,
                 log: bool = False,
                 columns: int = 3) -> Figure:
    """Draw what was logged, a panel for each scalar, a line for each run.

    Args:
        runs (Mapping[str, Mapping[str, Curve]]): What :func:`read_scalars`
            gave for each run, by the name to show.
        names (Sequence[str], optional): Which scalars. Defaults to
            :func:`default_scalars`.
        log (bool): Whether losses and gradient norms have logarithmic axes.
        columns (int): Panels side by side.

    Returns:
        Figure: The panels.

    Raises:
        UserError: If none of the runs has one of them.
    """
    found = list(dict.fromkeys(name for run in runs.values() for name in run))
    names = default_scalars(found) if names is None else names
    missing = [name for name in names if name not in found]
    if missing or not names:
        raise UserError(
            f'{", ".join(missing) or "no loss"} was not logged. There are: '
            f'{", ".join(sorted(found))} (grad_norm is logged where gradients '
            'are clipped: optim_wrapper.clip_grad.max_norm)')
    columns = min(columns, len(names))
    rows = -(-len(names) // columns)
    figure = Figure(figsize=(4 * columns, 2.8 * rows), dpi=DPI,
                    layout='constrained')
    axes = figure.subplots(rows, columns, squeeze=False).flat
    for name, axis in zip(names, axes):
        for run, scalars in runs.items():
            if name in scalars:
                steps = scalars[name][0]
                axis.plot(*scalars[name], label=run, linewidth=1.2,
                          marker='o' if len(steps) < 8 else None)
        axis.set_title(name, fontsize=10, parse_math=False)
        # What is evaluated is logged once an epoch.
        axis.set_xlabel('epoch' if '/' in name else 'iteration', fontsize=8)
        axis.tick_params(which='both', labelsize=8)
        axis.grid(alpha=0.3)
        if log and ('loss' in name or 'norm' in name):
            axis.set_yscale('log')
    for axis in list(axes):
        axis.set_axis_off()
    if len(runs) > 1:
        figure.axes[0].legend(fontsize=7)
    return figure
