"""Records that cannot be read: counted over all workers, and named."""
import json
import logging
import math
import os.path as osp
from typing import Any, Callable, Dict, Optional, Set

import numpy as np
import torch
from mmengine.logging import MMLogger, print_log
from torch.utils.data import get_worker_info

from lmim.utils.errors import UserError

#: Below so many different unreadable records a set is not given up.
TOLERATED = 10
#: Beside the log file of the run: one JSON object a line, `name`, `reason`.
FILE = 'unreadable.jsonl'

_READS, _FAILURES, _DISTINCT, _LIST = 0, 1, 2, 3


class TooManyUnreadableError(UserError):
    """More records of a set are unreadable than was allowed."""


class UnreadableRecords:
    """Counts reads and unreadable records over all workers of a dataset.

    The numbers lie in shared memory, one row for each process, so that no
    lock is needed: the main process sees what its workers, forked or
    spawned, have met. Each record is named once by a process and its
    workers, in the log and in :data:`FILE`.

    Args:
        limit (float): The fraction of reads that may fail. It is enforced
            once :data:`TOLERATED` different records have failed, and with
            three standard deviations to spare, so that neither a bad record
            of a toy set nor chance ends a run.

    Attributes:
        folder (str, optional): Where :data:`FILE` goes. None, the default, is
            beside the log file of the run, and nowhere where there is none.
            Of several processes only the first has a log file.
    """

    #: How many records each process lists by number, and names in the log;
    #: further ones are counted and named in :data:`FILE`, perhaps more than
    #: once.
    capacity = 1024
    #: Processes with a row of their own; of more workers some share a row.
    num_rows = 65

    def __init__(self, limit: float) -> None:
        if not 0 <= limit <= 1:
            raise UserError('max_unreadable is the fraction of the reads '
                            f'that may fail, from 0 to 1, not {limit}.')
        self.limit = limit
        self.folder: Optional[str] = None
        #: Shape (num_rows, 3 + capacity): reads, failed reads, different
        #: records failed, and the numbers of the first of these.
        self.state = torch.zeros(
            self.num_rows, _LIST + self.capacity,
            dtype=torch.int64).share_memory_()

    @property
    def rows(self) -> np.ndarray:
        """np.ndarray: The shared memory, (num_rows, 3 + capacity), int64."""
        return self.state.numpy()

    @property
    def row(self) -> np.ndarray:
        """np.ndarray: What this process writes, (3 + capacity,), int64."""
        info = get_worker_info()
        number = 0 if info is None else info.id + 1
        return self.rows[number % len(self.state)]

    def count_read(self) -> None:
        """Count an attempt to read a record."""
        self.row[_READS] += 1

    def report(self, index: int, error: Exception,
               name: Callable[[int], str]) -> None:
        """Count a record that could not be read, and name it.

        Args:
            index (int): Number of the record.
            error (Exception): Why.
            name (Callable[[int], str]): Names a record.

        Raises:
            TooManyUnreadableError: If more than ``limit`` of the reads
                failed, on at least :data:`TOLERATED` different records.
        """
        row = self.row
        row[_FAILURES] += 1
        if index not in self.listed():
            place = int(row[_DISTINCT])
            row[_DISTINCT] += 1
            if place < self.capacity:
                row[_LIST + place] = index
            self._name(name(index), str(error), place + 1)
        self._check(name)

    def listed(self) -> Set[int]:
        """Numbers of the unreadable records that were met."""
        found: Set[int] = set()
        for row in self.rows[self.rows[:, _DISTINCT] > 0]:
            count = min(row[_DISTINCT], self.capacity)
            found.update(row[_LIST:_LIST + count].tolist())
        return found

    def __len__(self) -> int:
        """How many different records were unreadable.

        Exact while no process lists more than its capacity; beyond that a
        record counts once more each time that it is met.
        """
        distinct = self.rows[:, _DISTINCT]
        if (distinct <= self.capacity).all():
            return len(self.listed())
        return int(distinct.sum())

    def _name(self, name: str, reason: str, number: int) -> None:
        """Name a record, the ``number``-th that this process meets."""
        if number <= self.capacity:
            # Names of files need not be UTF-8.
            _warn(f'Unreadable record skipped: {_encode(name).decode()}:'
                       f' {reason}.')
        if number == self.capacity:
            _warn(
                f'This process has met {number:,} unreadable records. Further '
                f'ones are counted, and named in {FILE} only, perhaps more '
                'than once.')
        log_file = _current_log_file()
        folder = self.folder or (log_file and osp.dirname(log_file))
        if folder is None:
            return
        line = json.dumps(dict(name=name, reason=reason), ensure_ascii=False)
        # In one write, so that no other process comes between.
        with open(osp.join(folder, FILE), 'ab', buffering=0) as file:
            file.write(_encode(line) + b'\n')

    def _check(self, name: Callable[[int], str]) -> None:
        totals = self.rows[:, :_LIST].sum(axis=0)
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
            'those met so far, `lmim data validate` finds all. '
            'Repair the set, or raise max_unreadable of the dataset.')

    def __getstate__(self) -> Dict[str, Any]:
        return {**self.__dict__, 'log_file': _current_log_file()}

    def __setstate__(self, state: Dict[str, Any]) -> None:
        log_file = state.pop('log_file')
        self.__dict__.update(state)
        # A spawned worker has no logger, and gets one for the same file. A
        # forked one inherits MMEngine's with its open file.
        if log_file and not MMLogger._instance_dict:
            MMLogger.get_instance('lmim_worker', logger_name='mmengine',
                                  log_file=log_file, file_mode='a')


def _warn(message: str) -> None:
    print_log(message, logger='current', level=logging.WARNING)


def _current_log_file() -> Optional[str]:
    """The log file that this process writes to, if there is one."""
    # Asking for the current logger would make one where there is none.
    if MMLogger._instance_dict:
        for handler in MMLogger.get_current_instance().handlers:
            if isinstance(handler, logging.FileHandler):
                return handler.baseFilename
    return None


def _encode(text: str) -> bytes:
    r"""As UTF-8; what has no place there is written as in JSON, ``\udc80``."""
    return text.encode('utf-8', 'backslashreplace')
