"""Rates in turns, memory, and whether two sides compute the same numbers."""
import re
import time
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from typing import Any, Callable, Dict, List, Mapping, Optional, Sequence

import torch

from lmim.utils.errors import UserError
from lmim.utils.progress import track

#: Does some work to its end, and returns how many items it made.
Work = Callable[[], int]


def take_turns(sides: Dict[str, Work], rounds: int, title: str = 'rounds',
               clock: Callable[[], float] = time.perf_counter
               ) -> Dict[str, Dict[str, Any]]:
    """Items per second of each side, and the ratio to the side ``plain``.

    Sides take turns within each round and ratios are taken round by round,
    so that other load on the machine affects all sides alike. Each is called
    once before.

    Returns:
        Dict[str, Dict]: For each side ``median`` and ``rounds`` (items per
        second), ``ratio`` and ``ratios`` (median, and round by round).
    """
    for work in sides.values():
        work()
    rates: Dict[str, List[float]] = {name: [] for name in sides}
    for _ in track(range(rounds), rounds, title):
        for name, work in sides.items():
            start = clock()
            count = work()
            rates[name].append(count / (clock() - start))
    rows = {}
    for name, found in rates.items():
        ratios = [mine / other for mine, other in zip(found, rates['plain'])]
        rows[name] = {
            'median': round(median(found), 2),
            'rounds': [round(rate, 2) for rate in found],
            'ratio': round(median(ratios), 2),
            'ratios': [round(ratio, 2) for ratio in ratios]}
    return rows


def rates_table(rows: Dict[str, Dict[str, Any]]) -> str:
    """A line for each side of :func:`take_turns`."""
    return table(['', 'images/s', 'slowest', 'fastest', 'ratio', 'from', 'to'],
                 [[name, row['median'], min(row['rounds']),
                   max(row['rounds']), row['ratio'], min(row['ratios']),
                   max(row['ratios'])] for name, row in rows.items()])


def table(head: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """Rows of texts, numbers, and None where something is unknown."""
    cells = [list(head)] + [
        ['-' if cell is None else cell if isinstance(cell, str)
         else f'{cell:,}' for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells)]
    return '\n'.join('  '.join(
        f'{cell:<{width}}' if column == 0 else f'{cell:>{width}}'
        for column, (cell, width) in enumerate(zip(row, widths)))
        for row in cells)


def check_close(ours: Mapping[str, torch.Tensor],
                plain: Mapping[str, torch.Tensor], part: str,
                tolerance: float = 1e-5) -> Dict[str, float]:
    """The largest differences of numbers that have the same names.

    They are relative to the largest value where that is above 1.

    Raises:
        UserError: If names or shapes differ, or a difference is above the
            tolerance or not a number.
    """
    shapes, wanted = ({name: tuple(value.shape) for name, value
                       in side.items()} for side in (ours, plain))
    found = {}
    wrong = f'ours is {shapes} and the plain reference {wanted}'
    if shapes == wanted:
        for name, value in ours.items():
            mine, other = (each.detach().double().cpu()
                           for each in (value, plain[name]))
            scale = max(1., other.abs().max().item())
            found[name] = (mine - other).abs().max().item() / scale
        # nan is not below the tolerance, either
        wrong = ', '.join(
            f'{name} of ours and of the plain reference differ by '
            f'{value:.2g}, which is above {tolerance:g}'
            for name, value in found.items() if not value <= tolerance)
    if wrong:
        raise UserError(f'{part}: {wrong}: nothing was measured. One of them '
                        'computes something else.')
    return found


def memory_mb(field: str) -> Optional[float]:
    """Memory of this process in MB; None where the system is not Linux.

    Args:
        field (str): 'VmHWM', the most that was ever resident, or
            'Private_Dirty', what it has written to and shares with no other.
    """
    path = Path('/proc/self', 'status' if field == 'VmHWM' else 'smaps_rollup')
    if not path.exists():
        return None
    found = re.findall(rf'{field}:\s+(\d+) kB', path.read_text())
    return round(int(found[0]) / 1024, 1)


def in_a_child(function: Callable, *args: Any) -> Any:
    """Call a module's function in a new process, which has held nothing.

    Raises:
        ChildProcessError: If the process is killed.
    """
    # Not 'fork': torch's threads do not outlive it.
    with ProcessPoolExecutor(1, mp_context=get_context('spawn')) as pool:
        try:
            return pool.submit(function, *args).result()
        except BrokenProcessPool as error:
            raise ChildProcessError(
                'a measuring process was killed, most likely as memory ran '
                'out: use a smaller --batch, --arch or --records') from error
