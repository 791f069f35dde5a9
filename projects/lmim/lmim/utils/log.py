"""Fewer lines in MMEngine's log for a while, and streams that take any."""
import io
import logging
import sys
from contextlib import contextmanager
from typing import Iterator

from mmengine.logging import MMLogger


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
    """Let streams write what their encoding lacks by its code point.

    Labels and paths hold what that of a terminal may lack.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors='backslashreplace')
