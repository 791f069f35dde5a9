"""What every tool does about errors."""
import argparse
import contextlib
import io
import json
import sys
from typing import Callable, Optional, Tuple, TypeVar

import lmdb

Result = TypeVar('Result')


def guarded(name: str, args: argparse.Namespace,
            work: Callable[[], Result]) -> Tuple[int, Optional[Result]]:
    """Do a tool's work; what the user can mend ends in one line.

    Args:
        name (str): What the tool or its sub-command is called.
        args (argparse.Namespace): With ``json`` and ``debug``.
        work (Callable): Does it. What it and its libraries print goes to
            standard error, as standard output is for the result alone.

    Returns:
        tuple: The exit status, 0, 1 or 130, and the result, None if there
        is none.

    Raises:
        OSError, ValueError, lmdb.Error: With ``args.debug``.
    """
    for stream in (sys.stdout, sys.stderr):
        # Labels hold what a terminal's encoding may lack.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors='backslashreplace')
    try:
        with contextlib.redirect_stdout(sys.stderr):
            return 0, work()
    except KeyboardInterrupt:
        print('interrupted', file=sys.stderr)
        return 130, None
    except (OSError, ValueError, lmdb.Error) as error:
        if args.debug:
            raise
        print(f'{name}: error: {error}', file=sys.stderr)
        if args.json:
            print(json.dumps({'command': name, 'error': str(error)}))
        return 1, None
