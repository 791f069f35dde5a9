"""Fewer lines in MMEngine's log for a while; logs of any characters."""
import io
import logging
import sys
from contextlib import contextmanager
from typing import Any, Iterator

from mmengine.logging import MMLogger

_init = MMLogger.__init__


@contextmanager
def quiet(level: int = logging.WARNING) -> Iterator[None]:
    """Log nothing below a level.

    MMEngine also logs to standard output, where tools print their results.

    Args:
        level (int): Of the logger meanwhile. Defaults to WARNING.
    """
    logger = MMLogger.get_current_instance()
    before = logger.level
    logger.setLevel(level)
    try:
        yield
    finally:
        logger.setLevel(before)


def accept_all_characters() -> None:
    """Let streams and log files take what the locale's encoding lacks.

    Labels and paths hold such characters. A stream, as a terminal, is written
    their code points; MMEngine's log files are UTF-8.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors='backslashreplace')
    MMLogger.__init__ = _init_in_utf8  # type: ignore[method-assign]


def _init_in_utf8(self: MMLogger, *args: Any, file_mode: str = 'w',
                  **kwargs: Any) -> None:
    """MMLogger's method, whose files are in the locale's encoding.

    The handler is one of those that it takes by name.
    """
    kwargs.setdefault('file_handler_cfg', dict(
        type='WatchedFileHandler', mode=file_mode, encoding='utf-8',
        errors='backslashreplace'))
    _init(self, *args, file_mode=file_mode, **kwargs)
