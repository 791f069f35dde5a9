"""Runs something in a process that is killed at a given point."""
import os
import signal
import sys
import traceback
from typing import Any, Callable
from unittest import mock

import pytest

needs_fork = pytest.mark.skipif(
    not hasattr(os, 'fork'), reason='needs os.fork')


def run_killed(run: Callable[[], Any], owner: Any, name: str, count: int,
               before: bool) -> bool:
    """Run it in a forked process, and kill that with SIGKILL.

    Args:
        run (Callable): What to run.
        owner (Any): The class or module that has a function.
        name (str): The function's name.
        count (int): At which of its calls, from 1.
        before (bool): Whether before that call or after it.

    Returns:
        bool: Whether it was killed; it may have ended before that.
    """
    function = getattr(owner, name)
    calls = 0

    def wrapped(*args: Any, **kwargs: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == count and before:
            os.kill(os.getpid(), signal.SIGKILL)
        result = function(*args, **kwargs)
        if calls == count:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    def child() -> None:
        with mock.patch.object(owner, name, wrapped):
            run()

    return os.WIFSIGNALED(fork(child))


def fork(run: Callable[[], Any]) -> int:
    """Run it in a forked process; the process's status, as of os.wait."""
    child = os.fork()
    if child == 0:
        try:
            run()
        except BaseException:
            traceback.print_exc()
            sys.stderr.flush()
            os._exit(1)
        os._exit(0)
    return os.waitpid(child, 0)[1]
