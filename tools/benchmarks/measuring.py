"""Rates in turns, memory, and whether two sides compute the same numbers."""
import ctypes
import os
import re
import time
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from typing import Any, Callable, Dict, Mapping, Optional

import torch

from lmim.utils.errors import UserError
from lmim.utils.progress import track

#: Does some work to its end, and returns how many items it made.
Work = Callable[[], int]

_RESET_PEAK = Path('/proc/self/clear_refs')
_MEMORY = Path('/proc/self/smaps_rollup')


def take_turns(sides: Dict[str, Work], rounds: int, base: str = 'plain',
               device: str = 'cpu', title: str = 'rounds',
               clock: Callable[[], float] = time.perf_counter
               ) -> Dict[str, Dict[str, Any]]:
    """Items per second of each side, and the ratio to the base.

    Sides take turns within each round and ratios are taken round by round,
    so that other load on the machine affects all sides alike.

    Args:
        sides (Dict[str, Callable]): Each is called twice before the rounds:
            to warm up, and for its memory, as measuring that costs time.
        rounds (int): How often each is timed.
        base (str): The side that the others are compared with.
        device (str): Where the memory is measured.
        title (str): Shown with the progress.
        clock (Callable): Returns seconds.

    Returns:
        Dict[str, Dict]: For each side ``median`` and ``rounds`` (items per
        second), ``ratio`` and ``ratios`` (median, and round by round) and
        ``peak_mb`` (None where the system does not report it).
    """
    for work in sides.values():
        work()
    peaks = {name: peak_mb(work, device) for name, work in sides.items()}
    rates: Dict[str, list] = {name: [] for name in sides}
    for _ in track(range(rounds), rounds, title):
        for name, work in sides.items():
            start = clock()
            count = work()
            rates[name].append(count / (clock() - start))
    rows = {}
    for name, found in rates.items():
        ratios = [mine / other for mine, other in zip(found, rates[base])]
        rows[name] = {
            'median': round(median(found), 2),
            'rounds': [round(rate, 2) for rate in found],
            'ratio': round(median(ratios), 2),
            'ratios': [round(ratio, 2) for ratio in ratios],
            'peak_mb': peaks[name],
        }
    return rows


def rates_table(rows: Dict[str, Dict[str, Any]]) -> str:
    """A line for each side of :func:`take_turns`."""
    width = 1 + max(map(len, rows))
    lines = [f'{"":{width}}{"images/s":>10}{"slowest":>10}{"fastest":>10}'
             f'{"ratio":>8}  {"round by round":20}{"peak MB":>9}']
    for name, row in rows.items():
        ratios = (f'{min(row["ratios"]):.2f} to {max(row["ratios"]):.2f}'
                  f' in {len(row["ratios"])}')
        lines.append(
            f'{name:{width}}{row["median"]:10,.1f}{min(row["rounds"]):10,.1f}'
            f'{max(row["rounds"]):10,.1f}{row["ratio"]:8.2f}  {ratios:20}'
            f'{in_table(row["peak_mb"]):>9}')
    return '\n'.join(lines)


def in_table(number: Optional[float], digits: int = 0) -> str:
    """A number as tables have it, '-' where it is unknown."""
    return '-' if number is None else f'{number:,.{digits}f}'


def check_close(ours: Mapping[str, torch.Tensor],
                plain: Mapping[str, torch.Tensor], part: str,
                tolerance: float = 1e-5) -> Dict[str, float]:
    """Compare numbers that have the same names.

    Args:
        ours (Dict[str, torch.Tensor]): Of any shapes.
        plain (Dict[str, torch.Tensor]): Of the same shapes.
        part (str): What is compared, for the message.
        tolerance (float): Largest difference, relative to the largest value
            where that is above 1.

    Returns:
        Dict[str, float]: The largest difference of each.

    Raises:
        UserError: If names or shapes differ, or a difference is above the
            tolerance or not a number.
    """
    wrong = f'{part}: %s: nothing was measured. One of them computes ' \
        'something else.'
    if ours.keys() != plain.keys():
        raise UserError(wrong % f'ours has {sorted(ours)} and the plain '
                        f'reference {sorted(plain)}')
    found = {}
    for name in ours:
        mine, other = (side[name].detach().double().cpu()
                       for side in (ours, plain))
        if mine.shape != other.shape:
            raise UserError(wrong % f'{name} is {tuple(mine.shape)} in ours '
                            f'and {tuple(other.shape)} in the plain '
                            'reference')
        scale = max(1., other.abs().max().item())
        found[name] = (mine - other).abs().max().item() / scale
        if not found[name] <= tolerance:  # nan is not, either
            raise UserError(
                wrong % f'{name} of ours and of the plain reference differ '
                f'by {found[name]:.2g}, which is above {tolerance:g}')
    return found


def peak_mb(work: Callable[[], Any], device: str = 'cpu') -> Optional[int]:
    """The largest memory while some work is done, in MB.

    On a GPU what torch allocated there; else what is resident of the process
    (Linux), with all that it held before. None where the system does not
    report it.
    """
    if device.startswith('cuda'):
        torch.cuda.reset_peak_memory_stats()
        work()
        return round(torch.cuda.max_memory_allocated() / 2**20)
    if not os.access(_RESET_PEAK, os.W_OK):
        return None
    trim = getattr(ctypes.CDLL(None), 'malloc_trim', None)  # only in glibc
    if trim is not None:
        trim(0)  # what the other side has freed and the heap has kept
    # The peak becomes the memory of now (proc(5), since Linux 4.0).
    _RESET_PEAK.write_text('5')
    work()
    status = Path('/proc/self/status').read_text()
    return round(int(re.findall(r'VmHWM:\s+(\d+) kB', status)[0]) / 1024)


def private_mb() -> Optional[float]:
    """Memory that this process has written to and no other shares, in MB."""
    if not _MEMORY.exists():  # Linux 4.14 or later has it
        return None
    found = re.findall(r'Private_Dirty:\s+(\d+) kB', _MEMORY.read_text())
    return int(found[0]) / 1024


def in_a_child(function: Callable, *args: Any) -> Any:
    """Call a function in a new process, which has held nothing before.

    Args:
        function (Callable): Of a module, so that it can be sent there.
        *args (Any): Its arguments.

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
