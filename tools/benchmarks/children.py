"""Measures in processes of their own, which have held nothing before."""
from multiprocessing import get_context
from typing import TYPE_CHECKING, Any, Callable

if TYPE_CHECKING:
    from multiprocessing.queues import SimpleQueue


def in_a_child(function: Callable, *args: Any, start: str = 'fork') -> Any:
    """Call a function in another process.

    Args:
        function (Callable): Of a module, so that it can be sent there.
        *args (Any): Its arguments.
        start (str): 'fork': with all that is imported here; 'spawn': afresh,
            as torch's threads do not outlive a fork. Defaults to 'fork'.

    Raises:
        ChildProcessError: If it ends without a result.
    """
    context: Any = get_context(start)
    answers = context.SimpleQueue()
    child = context.Process(target=_answer, args=(answers, function, *args))
    child.start()
    child.join()
    if child.exitcode:
        raise ChildProcessError(
            f'a measuring process ended with {child.exitcode}')
    return answers.get()


def _answer(answers: 'SimpleQueue[Any]', function: Callable,
            *args: Any) -> None:
    answers.put(function(*args))
