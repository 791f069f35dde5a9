"""Rates in turns, memory, and whether two sides compute the same numbers."""
import argparse
import os
import platform
import re
import time
from abc import abstractmethod
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from typing import Any, Callable, Dict, List, Mapping, Optional, Union

import torch

from lmim.cli import Command, track
from lmim.evaluation.benchmark_table import aligned
from lmim.utils.errors import UserError
from lmim.utils.machine import processor_name

#: What is timed, by its name.
Sides = Dict[str, Callable[[], Any]]
Rows = List[Dict[str, Any]]


class Benchmark(Command):
    """Measures one part; the result has a ``title`` and ``rows``."""

    @abstractmethod
    def measure(self, args: argparse.Namespace) -> Dict[str, Any]:
        """Measure: the title, the rows, and more facts."""

    def run(self, args: argparse.Namespace) -> Dict[str, Any]:
        """Measure, and say on what machine."""
        gpus = range(torch.cuda.device_count())
        machine = {
            'CPU': processor_name(), 'cores': os.cpu_count(),
            # Above 0: other processes are at work.
            'load': round(os.getloadavg()[0], 1) if os.name != 'nt' else None,
            'threads': torch.get_num_threads(),
            'GPUs': [torch.cuda.get_device_name(index) for index in gpus],
            'Python': platform.python_version(), 'torch': torch.__version__}
        return {**self.measure(args), 'machine': machine}

    def report(self, result: Dict[str, Any]) -> str:
        """The title, the rows as a table, and the machine."""
        rows = [list(result['rows'][0])] + [
            [cell if isinstance(cell, str) else '-' if cell is None
             else f'{cell:,}' for cell in row.values()]
            for row in result['rows']]
        machine = ', '.join(f'{key} {value}' for key, value
                            in result['machine'].items())
        return '\n'.join([result['title'], *aligned(rows), machine])


def take_turns(sides: Sides, images: int, rounds: int, title: str = 'rounds',
               clock: Callable[[], float] = time.perf_counter) -> Rows:
    """Images per second of each side, and the ratio to the side ``plain``.

    Each call of each side makes so many images.

    Sides take turns within each round and ratios are taken round by round,
    so that other load on the machine affects all sides alike. Each is called
    once before. Medians are reported, with the smallest and the largest.
    """
    for work in sides.values():
        work()
    rates: Dict[str, List[float]] = {name: [] for name in sides}
    for _ in track(range(rounds), rounds, title):
        for name, work in sides.items():
            start = clock()
            work()
            if torch.cuda.is_available():
                torch.cuda.synchronize()
            rates[name].append(images / (clock() - start))
    rows = []
    for name, found in rates.items():
        ratios = [mine / other for mine, other in zip(found, rates['plain'])]
        rows.append({'side': name, **{key: round(value, 2) for key, value in {
            'images/s': median(found), 'slowest': min(found),
            'fastest': max(found), 'ratio': median(ratios),
            'from': min(ratios), 'to': max(ratios)}.items()}})
    return rows


def check_close(ours: Mapping[str, torch.Tensor],
                plain: Mapping[str, torch.Tensor], part: str,
                tolerance: float = 1e-5) -> float:
    """The largest difference of numbers that have the same names.

    It is relative to the largest value of a name where that is above 1.

    Raises:
        UserError: If a difference is above the tolerance or not a number.
    """
    largest = 0.
    for name, value in ours.items():
        mine, other = (each.detach().double().cpu()
                       for each in (value, plain[name]))
        found = float((mine - other).abs().max()
                      / other.abs().max().clamp(min=1))
        if not found <= tolerance:  # nan is not, either
            raise UserError(
                f'{part}: {name} of ours and of the plain reference differ '
                f'by {found:.2g}, which is above {tolerance:g}: nothing was '
                'measured. One of them computes something else.')
        largest = max(largest, found)
    return largest


def memory_mb(field: str, process: Union[int, str] = 'self'
              ) -> Optional[float]:
    """Memory of a process in MB; None where the system is not Linux.

    Args:
        field (str): 'VmHWM', the most that was ever resident, or
            'Private_Dirty', what it has written to and shares with no other.
        process (int | str): Its number. Defaults to this one.
    """
    path = Path('/proc', str(process),
                'status' if field == 'VmHWM' else 'smaps_rollup')
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
