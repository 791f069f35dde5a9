"""How values are spread, in numbers and as bars of text."""
from math import inf
from typing import Any, Dict, List, Sequence

import numpy as np

#: Characters of the longest bar.
LONGEST = 40


def spread(values: np.ndarray, edges: Sequence[float]) -> Dict[str, Any]:
    """Least, middle and greatest value, and how many lie where.

    Args:
        values (np.ndarray): Shape (N,), N at least 1.
        edges (Sequence[float]): Where bins begin, ascending, none above the
            least value for the first; the last bin has no end.

    Returns:
        Dict[str, Any]: ``min``, ``median``, ``max`` and ``histogram``, a list
        of [begin, end or None, count] from the first to the last bin that is
        not empty.
    """
    counts = np.histogram(values, [*edges, inf])[0]
    used = np.flatnonzero(counts)
    ends: List[Any] = [*edges[1:], None]
    return {
        'min': _number(values.min()),
        'median': _number(np.median(values)),
        'max': _number(values.max()),
        'histogram': [[edges[bin], ends[bin], int(counts[bin])]
                      for bin in range(used[0], used[-1] + 1)]
    }


def _number(value: Any) -> float:
    """At most two places behind the point, none where there are none."""
    return int(value) if value == int(value) else round(float(value), 2)


def tell_spread(title: str, found: Dict[str, Any]) -> List[str]:
    """Lines of a report on what :func:`spread` gave."""
    names = [f'{begin:,}+' if end is None else f'{begin:,} to {end:,}'
             for begin, end, _ in found['histogram']]
    return [
        f'{title}: {found["min"]:,} to {found["max"]:,}, median '
        f'{found["median"]:,}',
        *bars(names, [count for _, _, count in found['histogram']])
    ]


def bars(names: Sequence[str], counts: Sequence[int]) -> List[str]:
    """A line with a bar for each count.

    Args:
        names (Sequence[str]): What is counted.
        counts (Sequence[int]): As many.
    """
    if not names:
        return []
    left = max(map(len, names))
    right = len(f'{max(counts):,}')
    most = max(*counts, 1)
    return [
        f'  {name:>{left}} {count:>{right},} '
        f'{"#" * -(-LONGEST * count // most)}'.rstrip()
        for name, count in zip(names, counts)
    ]
