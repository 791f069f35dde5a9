"""Progress with the time that is left."""
import sys
import time
from typing import Iterable, Iterator, TypeVar

from rich.console import Console
from rich.progress import (BarColumn, MofNCompleteColumn, Progress,
                           TextColumn, TimeElapsedColumn,
                           TimeRemainingColumn)

T = TypeVar('T')
LINE_EVERY = 5.0  # seconds, where nobody watches


def track(items: Iterable[T], total: int, title: str) -> Iterator[T]:
    """Pass items on and show how far they are, on standard error.

    On a terminal it is a bar; in a log, a line every few seconds.

    Args:
        items (Iterable): The items.
        total (int): How many they are.
        title (str): What is being done.
    """
    if sys.stderr.isatty():
        with Progress(
                TextColumn('{task.description}'), BarColumn(),
                MofNCompleteColumn(), TimeElapsedColumn(), TextColumn('left'),
                TimeRemainingColumn(), console=Console(stderr=True)) as bar:
            yield from bar.track(items, total=total, description=title)
        return
    start = last = time.monotonic()
    for count, item in enumerate(items):
        now = time.monotonic()
        if count and now - last >= LINE_EVERY:
            last = now
            rate = count / (now - start)
            print(
                f'{title}: {count}/{total}, {rate:.0f}/s, '
                f'{(total - count) / rate:.0f} s left',
                file=sys.stderr,
                flush=True)
        yield item
