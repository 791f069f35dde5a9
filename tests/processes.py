"""Runs something in processes of its own, one of which may be killed."""
import gc
import os
import signal
import socket
import sys
import time
import traceback
from typing import Any, Callable, List
from unittest import mock

import pytest

needs_fork = pytest.mark.skipif(
    not hasattr(os, 'fork'), reason='needs os.fork')


def run_killed(run: Callable[[], Any], owner: Any, name: str, count: int,
               before: bool) -> bool:
    """Run it in a forked process, which is killed with SIGKILL at the call of
    number ``count`` of a function, before or after it; whether it came to it.
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

    killed = os.WIFSIGNALED(os.waitpid(_start(child), 0)[1])
    # MMEngine names a log by the second in which its run began: the next run's
    # is another's.
    time.sleep(1)
    return killed


def free_port() -> int:
    """A port of this machine that nothing listens at."""
    with socket.socket() as free:
        free.bind(('127.0.0.1', 0))
        return int(free.getsockname()[1])


def run_on_processes(number: int, run: Callable[[int], Any]) -> List[int]:
    """Run it in forked processes of one group, as torchrun starts them; it
    gets the number of its process. 0 for each that ended without an error."""
    port = free_port()

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
    # An LMDB that an ended run left open cannot be opened in the child.
    gc.collect()
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
