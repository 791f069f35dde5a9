"""Log messages of worker processes that reach the log file of the run.

A forked worker inherits MMEngine's logger with its open file. A spawned one
starts without: ``print_log(logger='current')`` would make a logger there that
writes to the terminal only.
"""
import logging
import os
from typing import Optional, Tuple

from mmengine.logging import MMLogger, print_log

#: The process that logs to a file, and the file.
LogFile = Tuple[int, Optional[str]]

_WORKER_LOGGER = 'lmim_worker'


def current_log_file() -> LogFile:
    """The log file that this process writes to, to be sent to a worker.

    Returns:
        LogFile: This process and the path of its log file; the path is None
        where there is none, as on every rank but the first.
    """
    path = None
    # Asking for the current logger would make one where there is none.
    if MMLogger._instance_dict:
        for handler in MMLogger.get_current_instance().handlers:
            if isinstance(handler, logging.FileHandler):
                path = handler.baseFilename
    return os.getpid(), path


def warn(message: str, log_file: Optional[LogFile] = None) -> None:
    """Log a warning, in the main process or in a worker.

    Args:
        message (str): The message.
        log_file (LogFile, optional): What :func:`current_log_file` said in
            the process that this object was sent from; None if it was not
            sent.
    """
    if log_file is not None:
        sender, path = log_file
        if (path is not None and sender != os.getpid()
                and not MMLogger.check_instance_created(_WORKER_LOGGER)):
            MMLogger.get_instance(
                _WORKER_LOGGER,
                logger_name='mmengine',
                log_file=path,
                file_mode='a')
    print_log(message, logger='current', level=logging.WARNING)
