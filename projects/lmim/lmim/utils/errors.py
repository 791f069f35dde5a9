"""Errors that a user can fix."""
from typing import Sequence


class UserError(ValueError):
    """An error whose cause is the user's to fix.

    Its message says what is wrong, where, and what to do; tools print the
    message alone, without a traceback.
    """


class CheckpointError(UserError):
    """A checkpoint that cannot be read or does not fit.

    The message names the file, what is wrong with it and what to do.
    """


def some(names: Sequence[str], most: int = 6) -> str:
    """The first of several names, and how many there are."""
    more = f' ... {len(names)} in all' if len(names) > most else ''
    return ', '.join(names[:most]) + more
