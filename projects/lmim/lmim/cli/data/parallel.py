"""Applies a function to every record, in several processes."""
import argparse
from typing import Callable, Iterator, Optional, Sequence, Tuple, TypeVar

import cv2
from torch.utils.data import DataLoader, Dataset

from lmim.cli import at_least, track
from lmim.datasets.records import RecordSource
from lmim.utils.errors import UserError
from lmim.utils.machine import available_cores

T = TypeVar('T')

#: Records that a process takes at a time, at most.
CHUNK = 64
#: Chunks that each process prepares in advance. More would only fill memory
#: where results are taken more slowly than they are made.
AHEAD = 4
#: More processes than this seldom help a disk.
MOST_BY_DEFAULT = 8


def add_workers_argument(parser: argparse.ArgumentParser) -> None:
    """Declare ``--workers``: processes beside this one."""
    parser.add_argument(
        '--workers', type=at_least(0), default=min(
            available_cores(), MOST_BY_DEFAULT),
        metavar='N', help='processes that read and decode; 0 does all in one '
        '(default: one for each core, %(default)s here)')


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
        UserError: If the function raises; the message names the record.
        ChildProcessError: If a process was killed.
    """
    results = _results(_Calls(function, source), indices, workers)
    for result, problem in track(results, len(indices), title):
        if problem is not None:
            raise UserError(problem)
        yield result  # type: ignore[misc]  # None only with a problem


class _Calls(Dataset):
    """Results of the function, or why there is none, by record number."""

    def __init__(self, function: Callable, source: RecordSource) -> None:
        self.function = function
        self.source = source

    def __getitem__(self, index: int) -> Tuple[Optional[T], Optional[str]]:
        try:
            return self.function(self.source, index), None
        # Returned, as a DataLoader would put its traceback into the message.
        except Exception as error:
            return None, (f'{self.source.name(index)}: '
                          f'{type(error).__name__}: {error}')


def _results(calls: _Calls, indices: Sequence[int],
             workers: int) -> Iterator[Tuple]:
    if workers == 0 or len(indices) < 2:
        yield from map(calls.__getitem__, indices)
        return
    loader = DataLoader(
        calls, max(1, min(CHUNK, len(indices) // (workers * AHEAD))),
        sampler=indices, num_workers=workers, prefetch_factor=AHEAD,
        collate_fn=list, worker_init_fn=_start)
    try:
        for chunk in loader:
            yield from chunk
    except RuntimeError as error:
        if 'exited unexpectedly' not in str(error):
            raise
        raise ChildProcessError(
            'a worker process was killed. Either memory ran out (give fewer '
            '--workers), or a file is damaged so that reading it kills the '
            'process (--workers 0 and `validate` on parts of the data find '
            'out which)') from error


def _start(worker: int) -> None:
    cv2.setNumThreads(0)  # the processes are the threads
