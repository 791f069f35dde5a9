"""Fewer lines in MMEngine's log, for a while."""
import logging
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
