"""Runs something in processes of its own, one of which may be killed."""
import os
import signal
import socket
import sys
import traceback
from typing import Any, Callable, List
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
    return os.waitpid(_start(run), 0)[1]


def run_on_processes(number: int, run: Callable[[int], Any]) -> List[int]:
    """Run it in forked processes of one group, as torchrun starts them.

    Args:
        number (int): How many.
        run (Callable): What to run; it gets the number of its process.

    Returns:
        List[int]: 0 for each process that ended without an error.
    """
    with socket.socket() as free:
        free.bind(('127.0.0.1', 0))
        port = free.getsockname()[1]

    def process(rank: int) -> Callable[[], Any]:
        environment = dict(
            RANK=str(rank), LOCAL_RANK=str(rank), WORLD_SIZE=str(number),
            MASTER_ADDR='127.0.0.1', MASTER_PORT=str(port))

        def start() -> None:
            os.environ.update(environment)
            run(rank)

        return start

    children = [_start(process(rank)) for rank in range(number)]
    return [os.waitpid(child, 0)[1] for child in children]


def _start(run: Callable[[], Any]) -> int:
    """Run it in a forked process; its number."""
    child = os.fork()
    if child == 0:
        try:
            run()
        except BaseException:
            traceback.print_exc()
            sys.stderr.flush()
            os._exit(1)
        os._exit(0)
    return child
