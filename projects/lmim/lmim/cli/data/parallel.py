"""Does the same to every record, in several processes."""
import argparse
import multiprocessing
import os
import signal
import sys
import threading
from collections import deque
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import (Any, Callable, Deque, Iterator, List, Optional, Sequence,
                    Tuple, TypeVar)

import cv2

from lmim.datasets.records import RecordSource
from lmim.cli import at_least
from lmim.cli import track

T = TypeVar('T')
Function = Callable[[RecordSource, int], T]

#: Records that a process takes at a time, at most.
CHUNK = 64
#: Chunks for each process that are under way. More would only fill memory
#: where results are taken more slowly than they are made.
AHEAD = 4
#: More processes than this seldom help a disk.
MOST_BY_DEFAULT = 8


class RecordError(ValueError):
    """What went wrong with one record; the message names it."""


def add_workers_argument(parser: argparse.ArgumentParser) -> None:
    """Declare ``--workers``: processes beside this one."""
    parser.add_argument(
        '--workers',
        type=at_least(0),
        default=min(len(_cores()), MOST_BY_DEFAULT),
        metavar='N',
        help='processes that read and decode; 0 does all in one (default: '
        'one for each core, %(default)s here)')


def map_records(function: Callable[[RecordSource, int], T],
                source: RecordSource,
                indices: Sequence[int],
                workers: int,
                title: str) -> Iterator[T]:
    """Call ``function(source, index)`` for each index.

    Args:
        function (Callable): A function of a module, or another callable that
            can be pickled.
        source (RecordSource): Sent once to each process.
        indices (Sequence[int]): Numbers of records; a ``range`` costs no
            memory.
        workers (int): How many processes; 0 means this one.
        title (str): What is being done, for the progress.

    Yields:
        The results, in the order of ``indices``.

    Raises:
        RecordError: If the function raises; the message names the record.
        ChildProcessError: If a process was killed.
    """
    if workers == 0 or len(indices) < 2:
        results = (_call(function, source, index) for index in indices)
        yield from track(results, len(indices), title)
        return
    size = max(1, min(CHUNK, len(indices) // (workers * AHEAD)))
    chunks = (indices[start:start + size]
              for start in range(0, len(indices), size))
    with _Pool(function, source, workers) as pool:
        # Processes are forked before progress starts a thread.
        for _, chunk in zip(range(workers * AHEAD), chunks):
            pool.submit(chunk)
        yield from track(pool.results(chunks), len(indices), title)


class _Pool:
    """Processes that work on chunks of indices."""

    def __init__(self, function: Callable, source: RecordSource,
                 workers: int) -> None:
        self._source = source
        # A forked process has all modules at once, and the source for
        # nothing. Elsewhere forking is unsafe or unknown.
        context = multiprocessing.get_context(
            'fork' if sys.platform == 'linux' else None)
        self._executor = ProcessPoolExecutor(
            workers, context, _start, (function, source))
        self._waiting: Deque[Tuple[Sequence[int], Future]] = deque()

    def submit(self, chunk: Sequence[int]) -> None:
        """Have a chunk worked on."""
        try:
            future = self._executor.submit(_work, chunk)
        except BrokenProcessPool:
            raise ChildProcessError(self._broken(chunk)) from None
        self._waiting.append((chunk, future))

    def results(self, chunks: Iterator[Sequence[int]]) -> Iterator[Any]:
        """Results in order; each chunk that is done lets another in."""
        while self._waiting:
            chunk, future = self._waiting.popleft()
            try:
                done = future.result()
            except BrokenProcessPool:
                raise ChildProcessError(self._broken(chunk)) from None
            for following in chunks:
                self.submit(following)
                break
            yield from done

    def _broken(self, chunk: Sequence[int]) -> str:
        return (f'a worker process was killed, at '
                f'{self._source.name(chunk[0])} or soon after. Either memory '
                'ran out (give fewer --workers), or a file is damaged so '
                'that reading it kills the process (--workers 0 and '
                '`validate` on parts of the data find out which)')

    def __enter__(self) -> '_Pool':
        return self

    def __exit__(self, *_: Any) -> None:
        # What is under way is short.
        self._executor.shutdown(wait=True, cancel_futures=True)


#: In a worker: what it does, and to what.
_TASK: Optional[Tuple[Callable, RecordSource]] = None


def _start(function: Callable, source: RecordSource) -> None:
    """Make a process ready."""
    global _TASK
    _TASK = (function, source)
    # Ctrl-C reaches all processes of a terminal; the first one ends the rest.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    cv2.setNumThreads(0)  # the processes are the threads
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """A parent that was killed cannot end its workers."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _work(chunk: Sequence[int]) -> List[Any]:
    assert _TASK is not None
    function, source = _TASK
    return [_call(function, source, index) for index in chunk]


def _call(function: Callable[[RecordSource, int], T], source: RecordSource,
          index: int) -> T:
    """Call it, and say which record it was if it fails."""
    try:
        return function(source, index)
    except Exception as error:
        raise RecordError(f'{source.name(index)}: {type(error).__name__}: '
                          f'{error}') from error


def _cores() -> Sequence[int]:
    """The cores that this process may use."""
    if hasattr(os, 'sched_getaffinity'):
        return list(os.sched_getaffinity(0))
    return range(os.cpu_count() or 1)
