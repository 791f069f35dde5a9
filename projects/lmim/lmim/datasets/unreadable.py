"""Records that cannot be read: counted over all workers, and told of."""
import math
from typing import Any, Callable, Dict, Optional, Set

import numpy as np
import torch
from torch.utils.data import get_worker_info

from .unreadable_log import FILE, UnreadableLog

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
            bad record in ten does not end a run on a toy set, and with three
            standard deviations to spare, so that chance does not end one
            either whose records fail a little more rarely than that.
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
        self._rows: Optional[np.ndarray] = None
        self.log = UnreadableLog()

    @property
    def rows(self) -> np.ndarray:
        """np.ndarray: The shared memory, (num_rows, 4 + capacity)."""
        if self._rows is None:
            self._rows = self.state.numpy()
        return self._rows

    @property
    def _number(self) -> int:
        """The row of this process: 0 for the main one, then the workers."""
        info = get_worker_info()
        return 0 if info is None else (info.id + 1) % len(self.rows)

    def count_read(self) -> None:
        """Count an attempt to read a record."""
        self.rows[self._number, _READS] += 1

    def report(self, index: int, error: Exception,
               name: Callable[[int], str]) -> None:
        """Count a record that could not be read, and tell of it once.

        Args:
            index (int): Number of the record.
            error (Exception): Why.
            name (Callable[[int], str]): Names a record.

        Raises:
            TooManyUnreadableError: As :meth:`check`.
        """
        full = self.full
        if self.add(index):
            self.log.tell(name(index), str(error), in_log=not full)
            if self.full and not full:
                self.log.tell_last(self.capacity)
        self.check(name)

    def add(self, index: int) -> bool:
        """Count a record that could not be read.

        Args:
            index (int): Number of the record.

        Returns:
            bool: Whether it is not known to have been met before. Once this
            process lists no more, a record may be taken for a new one again.
        """
        row = self.rows[self._number]
        row[_FAILURES] += 1
        if index in self.listed():
            return False
        row[_DISTINCT] += 1
        listed = row[_LISTED]
        if listed < self.capacity:
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
        return bool(self.rows[self._number, _LISTED] >= self.capacity)

    def check(self, name: Callable[[int], str]) -> None:
        """Stop where too many reads have failed.

        Args:
            name (Callable[[int], str]): Names a record.

        Raises:
            TooManyUnreadableError: If more than ``limit`` of the reads
                failed, on at least :data:`TOLERATED` different records.
        """
        totals = self.rows[:, :_HEADER].sum(axis=0)
        reads, failures = int(totals[_READS]), int(totals[_FAILURES])
        allowed = self.limit * reads
        if failures <= allowed + 3 * math.sqrt(allowed * (1 - self.limit)):
            return
        if len(self) < TOLERATED:
            return
        examples = [name(index) for index in sorted(self.listed())[:3]]
        raise TooManyUnreadableError(
            f'{failures:,} of {reads:,} reads met an unreadable record '
            f'({failures / reads:.1%}), {len(self):,} different ones; '
            f'max_unreadable={self.limit:g} allows {self.limit:.1%}. For '
            f'example: {"; ".join(examples)}. {FILE} beside the log names '
            'those met so far, `python tools/data.py validate` finds all. '
            'Mend the set, or raise max_unreadable of the dataset.')

    def __getstate__(self) -> Dict[str, Any]:
        return {**self.__dict__, '_rows': None}
