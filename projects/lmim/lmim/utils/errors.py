"""What goes wrong with checkpoints."""
from typing import Sequence


class CheckpointError(ValueError):
    """A checkpoint that cannot be read or does not fit.

    The message names the file, what is wrong with it and what to do.
    """


def some(names: Sequence[str], most: int = 6) -> str:
    """The first of several names, and how many there are."""
    more = f' ... {len(names)} in all' if len(names) > most else ''
    return ', '.join(names[:most]) + more
