"""Cases, and processes of their own to break."""
import atexit
import os
import random
import re
import resource
import runpy
import signal
import sys
import time
import traceback
from pathlib import Path
from typing import Any, Callable, Dict, Iterable, List, NamedTuple, Optional

import torch
from mmengine.runner import runner as mmengine_runner

TOOLS = Path(__file__).resolve().parents[1]
REPO = TOOLS.parent
#: Limits of a process: which, and the most of it.
Limits = Dict[int, int]


class Broken(AssertionError):
    """A case that did not go as it has to, and how."""


class Untried(Exception):
    """A case that this machine does not allow, and why."""


class Room(NamedTuple):
    """What a case works with."""
    folder: Path  # empty, its own
    shared: Path  # of all cases of the campaign, made once
    draw: random.Random  # seeded by the campaign's seed and the case's name


class Case(NamedTuple):
    """Something that is broken on purpose."""
    part: str
    name: str
    run: Callable[[Room], Optional[str]]  # raises Broken; what it found


class Ended(NamedTuple):
    """How a process ended."""
    code: int  # its exit status, or minus the signal that killed it
    text: str  # what it wrote to both streams
    seconds: float

    def refused(self, *words: object) -> str:
        """Its last lines, if it ended with one message that has the words.

        Raises:
            Broken: If it crashed, hung, or did as if nothing were wrong.
        """
        if self.code != 1 or 'Traceback' in self.text:
            raise Broken(f'no refusal: {self}')
        message = re.split('(?i)\\berror: ', self.text)[-1].strip()
        for word in words:
            if str(word) not in message:
                raise Broken(f'{word} is not in the message: {message}')
        return message.splitlines()[0]

    def fine(self) -> 'Ended':
        """Itself, if it ended well.

        Raises:
            Broken: If it did not.
        """
        if self.code:
            raise Broken(f'it failed: {self}')
        return self

    def __str__(self) -> str:
        return f'exit status {self.code}, ... {self.text[-600:]}'


class Process:
    """A function in a process of its own, forked from this one.

    The libraries are imported once, so that a process is up in no time.

    Args:
        run (Callable): The function.
        folder (Path): Where it works, and where ``output.txt`` is written.
        environment (Dict[str, str], optional): What it finds there besides.
        limits (Limits, optional): By ``resource.RLIMIT_...``.
    """

    def __init__(self, run: Callable[[], Any], folder: Path,
                 environment: Optional[Dict[str, str]] = None,
                 limits: Optional[Limits] = None) -> None:
        self.output = folder / f'output_{time.monotonic_ns()}.txt'
        self.begun = time.monotonic()
        self._ended: Optional[Ended] = None
        sys.stdout.flush()
        sys.stderr.flush()
        self.pid = os.fork()
        if not self.pid:
            self._become(run, folder, environment or {}, limits or {})

    def _become(self, run: Callable[[], Any], folder: Path,
                environment: Dict[str, str], limits: Limits) -> None:
        """Run it in the forked process, and end that."""
        status = 1
        try:
            os.setsid()
            atexit._clear()  # what the campaign cleans up as it ends
            file = os.open(self.output, os.O_WRONLY | os.O_CREAT)
            for stream in (1, 2):
                os.dup2(file, stream)
            # They may be others by now, as under a test.
            sys.stdout = open(1, 'w', encoding='utf-8', closefd=False)
            sys.stderr = open(2, 'w', encoding='utf-8', closefd=False)
            os.chdir(folder)
            os.environ.update(environment)
            for kind, most in limits.items():
                resource.setrlimit(kind, (most, most))
            torch.set_num_threads(1)
            status = int(run() or 0)
        except SystemExit as leaving:
            status = leaving.code if isinstance(leaving.code, int) else 1
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(status)

    def kill(self) -> None:
        """End it by SIGKILL, as the system does when memory runs out."""
        os.kill(self.pid, signal.SIGKILL)

    def has_ended(self) -> bool:
        """Whether it has ended by now."""
        if self._ended is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self._note(status)
        return self._ended is not None

    def wait(self, seconds: float = 120) -> Ended:
        """Wait for its end; its children end with it.

        Raises:
            Broken: If it takes longer: it hangs.
        """
        end = time.monotonic() + seconds
        while not self.has_ended():
            if time.monotonic() > end:
                os.killpg(self.pid, signal.SIGKILL)
                os.waitpid(self.pid, 0)
                raise Broken(f'it hung for {seconds} s: {self._text()[-600:]}')
            time.sleep(0.01)
        assert self._ended is not None
        return self._ended

    def _note(self, status: int) -> None:
        code = (-os.WTERMSIG(status) if os.WIFSIGNALED(status)
                else os.WEXITSTATUS(status))
        try:  # loaders that are left behind
            os.killpg(self.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self._ended = Ended(code, self._text(), time.monotonic() - self.begun)

    def _text(self) -> str:
        if not self.output.exists():
            return ''
        return self.output.read_text(encoding='utf-8', errors='replace')


def call(main: Callable[[List[str]], int], *args: object
         ) -> Callable[[], int]:
    """A command of lmim with arguments, to be run in a process."""
    return lambda: main(list(map(str, args)))


def tool(name: str, *args: object, **options: object) -> Callable[[], None]:
    """tools/train.py or test.py with arguments, to be run in a process.

    ``options`` go to ``--cfg-options``, with ``__`` for dots.
    """
    pairs = [f'{key.replace("__", ".")}={value}'
             for key, value in options.items()]

    def run() -> None:
        sys.argv = [name, *map(str, args), '--cfg-options', *pairs]
        # It starts the C compiler, to log its version.
        mmengine_runner.collect_env = dict
        runpy.run_path(str(TOOLS / name), run_name='__main__')

    return run


class Outcome(NamedTuple):
    """How a case went."""
    part: str
    name: str
    state: str  # 'held', 'broken' or 'untried'
    found: str
    seconds: float


def play(cases: Iterable[Case], folder: Path, seed: int, minutes: float,
         told: Callable[[Outcome], None]) -> None:
    """Run cases, one after the other, until the time is up.

    Args:
        cases (Iterable[Case]): The cases.
        folder (Path): An empty one, for all they write.
        seed (int): Decides what they draw, with their names.
        minutes (float): No case begins later than this.
        told (Callable): Is given each outcome.
    """
    end = time.monotonic() + 60 * minutes
    shared = folder / 'shared'
    shared.mkdir(parents=True)
    for number, case in enumerate(cases):
        if time.monotonic() > end:
            return
        room = folder / f'{number:04d}'
        room.mkdir()
        begun = time.monotonic()
        state = 'held'
        try:
            draw = random.Random(f'{seed} {case.part} {case.name}')
            found = case.run(Room(room, shared, draw)) or ''
        except Untried as error:
            state, found = 'untried', str(error)
        except Exception as error:  # whatever it is, the others go on
            state, found = 'broken', f'{type(error).__name__}: {error}'
        told(Outcome(case.part, case.name, state, found,
                     time.monotonic() - begun))
