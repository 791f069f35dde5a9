"""Messages of the sources while they open."""
import logging
import sys
import time

from mmengine.logging import MMLogger, print_log

PROGRESS_EVERY = 10.0  # seconds


def tell(message: str, level: int = logging.WARNING) -> None:
    """Write into the log of the run, or to standard error without one.

    MMEngine's logger prints on standard output, where the tools print their
    results; so none is made for this.

    Args:
        message (str): The message.
        level (int): As in :mod:`logging`. Defaults to a warning.
    """
    if MMLogger._instance_dict:
        print_log(message, logger='current', level=level)
    else:
        print(message, file=sys.stderr)


class Progress:
    """Tells every few seconds how far a long search is.

    Args:
        title (str): What is being done.
        total (int, optional): How many bytes there are to go through; 0 if
            that is not known.
    """

    def __init__(self, title: str, total: int = 0) -> None:
        self.title = title
        self.total = total
        self._begin = self._last = time.monotonic()

    def update(self, records: int, done: int = 0) -> None:
        """Tell it if it is time.

        Args:
            records (int): Records found so far.
            done (int): Bytes of ``total`` gone through so far.
        """
        now = time.monotonic()
        if now - self._last < PROGRESS_EVERY:
            return
        self._last = now
        message = f'{self.title}: {records:,} records so far'
        if self.total and done:
            left = (now - self._begin) * (self.total - done) / done
            message += f', {done / self.total:.0%}, {left:.0f} s left'
        tell(message, logging.INFO)
