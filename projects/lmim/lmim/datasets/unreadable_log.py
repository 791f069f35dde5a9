"""Names records that cannot be read, in the log and in a file beside it."""
import json
import os
import os.path as osp
from typing import Any, Dict, Optional

from .worker_log import LogFile, current_log_file, warn

#: Beside the log file of the run: one JSON object a line, `name`, `reason`.
#: Each process of training, with its workers, names a record once.
FILE = 'unreadable.jsonl'


class UnreadableLog:
    """Tells of unreadable records, from the main process or any worker.

    Attributes:
        folder (str, optional): Where the file goes. None, the default, is
            beside the log file, and nowhere where there is none. Only the
            first of several processes has a log file; the others have to be
            told.
    """

    def __init__(self) -> None:
        self.folder: Optional[str] = None
        self._log_file: Optional[LogFile] = None

    def tell(self, name: str, reason: str, in_log: bool = True) -> None:
        """Name a record.

        Args:
            name (str): Of the record.
            reason (str): Why it cannot be read.
            in_log (bool): Whether to do so in the log, and not in the file
                alone. Defaults to True.
        """
        # Names of files need not be UTF-8.
        if in_log:
            warn(f'Unreadable record skipped: {_encode(name).decode()}: '
                 f'{reason}.', self._log_file)
        folder = self.folder or self._beside_the_log()
        if folder is not None:
            line = json.dumps(
                dict(name=name, reason=reason), ensure_ascii=False)
            _append(osp.join(folder, FILE), _encode(line) + b'\n')

    def tell_last(self, number: int) -> None:
        """Say that the log names no more of them.

        Args:
            number (int): How many this process has named.
        """
        warn(f'This process has met {number:,} unreadable records. Further '
             f'ones are counted, and named in {FILE} only, perhaps more than '
             'once.', self._log_file)

    def _beside_the_log(self) -> Optional[str]:
        path = current_log_file()[1]
        if path is None and self._log_file is not None:
            path = self._log_file[1]
        return None if path is None else osp.dirname(path)

    def __getstate__(self) -> Dict[str, Any]:
        # Called when a worker is spawned: tell it where the log is.
        return {**self.__dict__, '_log_file': current_log_file()}


def _append(path: str, line: bytes) -> None:
    """Add a line in one write, so that no other process comes between."""
    file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
    try:
        os.write(file, line)
    finally:
        os.close(file)


def _encode(text: str) -> bytes:
    r"""As UTF-8; what has no place there is written as in JSON, ``\udc80``."""
    return text.encode('utf-8', 'backslashreplace')
