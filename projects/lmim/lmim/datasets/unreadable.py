"""Counts of records that cannot be read, over all workers."""
from typing import List, Set

import numpy as np
import torch
from torch.utils.data import get_worker_info

#: Below so many different unreadable records a set is not given up.
TOLERATED = 10

_READS, _FAILURES, _DISTINCT, _LISTED = 0, 1, 2, 3
_HEADER = 4


class TooManyUnreadableError(RuntimeError):
    """More records of a set are unreadable than was allowed."""


class UnreadableRecords:
    """Counts reads and unreadable records over all workers of a dataset.

    The numbers lie in shared memory, one row for each process, so that no
    lock is needed: the main process sees what its workers, forked or
    spawned, have met.

    Args:
        limit (float): The fraction of reads that may fail. It is enforced
            once :data:`TOLERATED` different records have failed, so that one
            bad record in ten does not end a run on a toy set.
        capacity (int): How many records each process lists by number.
            Defaults to 1024.
        num_rows (int): Processes with a row of their own; of more workers
            than that, some share a row. Defaults to 65.
    """

    def __init__(self,
                 limit: float,
                 capacity: int = 1024,
                 num_rows: int = 65) -> None:
        if not 0 <= limit <= 1:
            raise ValueError('max_unreadable is the fraction of the reads '
                             f'that may fail, from 0 to 1, not {limit}.')
        self.limit = limit
        self.capacity = capacity
        #: Shape (num_rows, 4 + capacity): reads, failed reads, different
        #: records failed, records listed, and the list.
        self.state = torch.zeros(
            num_rows, _HEADER + capacity, dtype=torch.int64).share_memory_()

    @property
    def rows(self) -> np.ndarray:
        """np.ndarray: The shared memory, (num_rows, 4 + capacity)."""
        return self.state.numpy()

    @property
    def _row(self) -> np.ndarray:
        """The row of this process: 0 for the main one, then the workers."""
        info = get_worker_info()
        number = 0 if info is None else info.id + 1
        return self.rows[number % len(self.state)]

    def count_read(self) -> None:
        """Count an attempt to read a record."""
        self._row[_READS] += 1

    def add(self, index: int) -> bool:
        """Count a record that could not be read.

        Args:
            index (int): Number of the record.

        Returns:
            bool: Whether it is met for the first time, and was listed.
        """
        row = self._row
        row[_FAILURES] += 1
        if index in self.listed():
            return False
        row[_DISTINCT] += 1
        listed = row[_LISTED]
        if listed >= self.capacity:
            return False
        row[_HEADER + listed] = index
        row[_LISTED] += 1
        return True

    def listed(self) -> Set[int]:
        """Numbers of the unreadable records that were met."""
        found: Set[int] = set()
        for row in self.rows[self.rows[:, _LISTED] > 0]:
            found.update(row[_HEADER:_HEADER + row[_LISTED]].tolist())
        return found

    def __len__(self) -> int:
        """How many different records were unreadable.

        Exact while no process lists more than its capacity; beyond that a
        record counts once more each time that it is met.
        """
        totals = self.rows[:, :_HEADER].sum(axis=0)
        if totals[_DISTINCT] == totals[_LISTED]:
            return len(self.listed())
        return int(totals[_DISTINCT])

    @property
    def full(self) -> bool:
        """bool: Whether this process can list no more records."""
        return bool(self._row[_LISTED] >= self.capacity)

    def check(self, examples: List[str]) -> None:
        """Stop where too many reads have failed.

        Args:
            examples (List[str]): Names of some of the records.

        Raises:
            TooManyUnreadableError: If more than ``limit`` of the reads
                failed, on at least :data:`TOLERATED` different records.
        """
        totals = self.rows[:, :_HEADER].sum(axis=0)
        reads, failures = int(totals[_READS]), int(totals[_FAILURES])
        if len(self) < TOLERATED or failures <= self.limit * reads:
            return
        raise TooManyUnreadableError(
            f'{failures:,} of {reads:,} reads met an unreadable record '
            f'({failures / reads:.1%}), {len(self):,} different ones; '
            f'max_unreadable={self.limit:g} allows {self.limit:.1%}. For '
            f'example: {"; ".join(examples)}. Mend the set, or raise '
            'max_unreadable of the dataset.')
