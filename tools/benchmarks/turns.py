"""Several ways to do one thing, measured in turns."""
import time
from statistics import median
from typing import Any, Callable, Dict, Optional

from lmim.utils.progress import track

from .memory import PeakMemory

Work = Callable[[], int]


def take_turns(sides: Dict[str, Work], rounds: int, base: str = 'plain',
               device: str = 'cpu', title: str = 'rounds',
               clock: Callable[[], float] = time.perf_counter
               ) -> Dict[str, Dict[str, Any]]:
    """Items per second of each side, and how many times that of the base.

    What else the machine does meets all sides alike: they take turns within
    each round, and ratios are taken round by round.

    Args:
        sides (Dict[str, Callable]): Each does its work once, to its end on
            the device, and tells how many items it made. It is called twice
            more before: to warm up, and for its memory, as looking at that
            costs time.
        rounds (int): How often each is measured.
        base (str): The side that the others are compared with.
        device (str): Where the memory is measured.
        title (str): Shown with the progress.
        clock (Callable): Gives seconds.

    Returns:
        Dict[str, Dict]: For each side ``median`` and ``rounds`` (items per
        second), ``ratio`` and ``ratios`` (median, and round by round) and
        ``peak_mb`` (the largest of all rounds; None where it is unknown).
    """
    for work in sides.values():
        work()
    peaks: Dict[str, Optional[float]] = {}
    for name, work in sides.items():
        with PeakMemory(device) as memory:
            work()
        peaks[name] = memory.megabytes
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
            'peak_mb': _rounded(peaks[name]),
        }
    return rows


def _rounded(number: Optional[float]) -> Optional[int]:
    return None if number is None else round(number)
