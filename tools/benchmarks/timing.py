"""How a rate is measured."""
import time
from statistics import median
from typing import Callable, Dict, List, Union

Rates = Dict[str, Union[float, List[float]]]


def rate(work: Callable[[], int], rounds: int = 5) -> Rates:
    """Items per second of some work, warm.

    Args:
        work (Callable): Does it once, and tells how many items it made. It
            is called once more, before the others and unmeasured.
        rounds (int): How often it is measured.

    Returns:
        dict: ``median``, and ``rounds`` with the rate of each.
    """
    work()
    rates = []
    for _ in range(rounds):
        start = time.perf_counter()
        count = work()
        rates.append(round(count / (time.perf_counter() - start), 1))
    return {'median': median(rates), 'rounds': rates}
