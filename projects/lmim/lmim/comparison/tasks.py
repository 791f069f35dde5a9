"""Tasks that depend on each other: run as processes, with progress."""
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from concurrent.futures import (FIRST_COMPLETED, Future, ThreadPoolExecutor,
                                wait)
from pathlib import Path
from typing import Any, Callable, Dict, List, NamedTuple, Optional, Sequence

from lmim.utils.atomic import write_atomic

_LINE = re.compile(r'Epoch\(train\)\s+\[\s*(\d+)\]\[\s*(\d+)/\s*(\d+)\]'
                   r'.*?\bloss: (\S+)')
#: Seconds between two lines of a task.
_SILENCE = 10.


class Task(NamedTuple):
    """A process to run, once those that it needs are done.

    Attributes:
        name (str): Its folder in the work dir.
        title (str): What it does.
        command (Callable[[], List[str]]): Gives the command line; called
            when the task starts, as it may name results of other tasks.
        needs (Sequence[str]): Names of the tasks that come before.
        kind (str): Tasks of one kind have comparable costs.
        cost (float): Any measure that is proportional to its seconds.
        images (int): How many pictures pass through it.
        epochs (int): How many epochs it trains, 0 where it does not.
    """
    name: str
    title: str
    command: Callable[[], List[str]]
    needs: Sequence[str] = ()
    kind: str = ''
    cost: float = 1.
    images: int = 0
    epochs: int = 0


def result_of(work_dir: Path, name: str) -> Optional[Dict[str, Any]]:
    """What was kept of a task that is done, or None."""
    path = work_dir / name / 'done.json'
    return json.loads(path.read_text()) if path.is_file() else None


class Progress:
    """Prints how far all tasks are, and how long they still take.

    That is told once a task has shown its pace. Tasks are in the order in
    which they are to be done, several at once.
    """

    def __init__(self, tasks: Sequence[Task], workers: int) -> None:
        self.tasks = {task.name: task for task in tasks}
        self.workers = workers
        self._numbers = {name: n for n, name in enumerate(self.tasks, 1)}
        self._done: Dict[str, float] = {}
        self._began: Dict[str, float] = {}
        self._share: Dict[str, float] = {}
        self._said: Dict[str, float] = {}
        self._lock = threading.Lock()

    def start(self, task: Task) -> None:
        """Announce a task."""
        with self._lock:
            now = time.monotonic()
            self._began[task.name] = self._said[task.name] = now
            self._say(task, f'begins{self.left()}')

    def line(self, task: Task, text: str) -> None:
        """Read a line of a task's output; report from time to time."""
        found = _LINE.search(text)
        if not found:
            return
        epoch, batch, batches = map(int, found.groups()[:3])
        with self._lock:
            self._share[task.name] = (
                (epoch - 1) * batches + batch) / (task.epochs * batches)
            now = time.monotonic()
            if now - self._said[task.name] < _SILENCE:
                return
            self._said[task.name] = now
            self._say(task, f'epoch {epoch}/{task.epochs}, {batch}/{batches},'
                      f' loss {float(found[4]):.3f}{self.left()}')

    def end(self, task: Task, seconds: float) -> None:
        """Note how long a task took."""
        with self._lock:
            self._done[task.name] = seconds
            rate = (f', {task.images / seconds:,.0f} images/s'
                    if task.images else '')
            self._say(task, f'done in {seconds:.0f} s{rate}')

    def left(self) -> str:
        """What is left of all tasks, in words; '' where it is unknown."""
        seconds = self.seconds_left()
        if seconds is None:
            return ''
        if seconds < 90:
            return f'; about {seconds:.0f} s to go in all'
        if seconds < 5400:
            return f'; about {seconds / 60:.0f} min to go in all'
        return f'; about {seconds / 3600:.1f} h to go in all'

    def seconds_left(self) -> Optional[float]:
        """Seconds until all is done, by the paces so far; None if unknown.

        The tasks are laid out on the workers in order, each at the time at
        which a worker is free and what it needs is done.
        """
        free = [0.] * self.workers
        ends: Dict[str, float] = {}
        for name, task in self.tasks.items():
            left = self._task_left(name)
            if left is None:
                return None
            begin = max([ends.get(need, 0.) for need in task.needs],
                        default=0.)
            if name not in self._done:
                worker = min(range(self.workers), key=free.__getitem__)
                begin = max(begin, free[worker])
                free[worker] = begin + left
            ends[name] = begin + left
        return max(ends.values(), default=0.)

    def _task_left(self, name: str) -> Optional[float]:
        """Seconds left of one task.

        One that runs is judged by its own pace once a tenth is done.
        """
        if name in self._done:
            return 0.
        spent = time.monotonic() - self._began.get(name, time.monotonic())
        share = self._share.get(name, 0.)
        if share > 0.1:
            return spent * (1 - share) / share
        pace = self._pace(self.tasks[name].kind)
        return None if pace is None else max(
            0., self.tasks[name].cost * pace - spent)

    def _pace(self, kind: str) -> Optional[float]:
        """Seconds for a unit of cost: of this kind of tasks, else of all."""
        seconds: Dict[str, List[float]] = {}
        for name, task in self.tasks.items():
            share = self._share.get(name, 0.)
            if name in self._done:
                sample = (self._done[name], task.cost)
            elif share > 0.1:
                sample = (time.monotonic() - self._began[name],
                          task.cost * share)
            else:
                continue
            for key in (task.kind, 'all'):
                total = seconds.setdefault(key, [0., 0.])
                total[0] += sample[0]
                total[1] += sample[1]
        taken, cost = seconds.get(kind) or seconds.get('all') or (0., 0.)
        return taken / cost if cost else None

    def _say(self, task: Task, text: str) -> None:
        print(f'[{self._numbers[task.name]}/{len(self.tasks)}] '
              f'{task.title}: {text}', flush=True)


class TaskRunner:
    """Runs tasks as processes, several at once, and keeps what was done.

    A task's folder gets ``output.log``, and ``done.json`` once it is done:
    ``seconds`` (of all parts, where it was interrupted and resumed),
    ``images``, ``images_per_second``, and what the task itself wrote into
    ``result.json``.

    Args:
        work_dir (Path): The folder of all tasks.
        progress (Progress): Is shown each line of output.
        threads (int): Threads of a process.
        prefix (Sequence[str]): Put before each command, such as
            ``['srun', '--gres=gpu:1']``.
    """

    def __init__(self, work_dir: Path, progress: Progress, threads: int,
                 prefix: Sequence[str] = ()) -> None:
        self.work_dir, self.progress = work_dir, progress
        self.threads, self.prefix = threads, list(prefix)
        self._running: Dict[str, subprocess.Popen] = {}
        self._stopped = False

    def run_all(self) -> List[str]:
        """Run all tasks of the progress.

        Those that need a task that failed are left out, the others go on.

        Returns:
            List[str]: What failed, and in which file to look.
        """
        waiting = dict(self.progress.tasks)
        done = {need for task in waiting.values() for need in task.needs
                if need not in waiting}
        failed: List[str] = []
        with ThreadPoolExecutor(self.progress.workers) as pool:
            running: Dict[Future, Task] = {}
            # As Slurm ends a job: like an interruption from the keyboard.
            before = signal.signal(signal.SIGTERM, signal.default_int_handler)
            try:
                while waiting or running:
                    ready = [task for task in waiting.values()
                             if done.issuperset(task.needs)]
                    for task in ready[:self.progress.workers - len(running)]:
                        running[pool.submit(self._run, task)] = task
                        del waiting[task.name]
                    if not running:
                        break
                    for future in wait(running,
                                       return_when=FIRST_COMPLETED)[0]:
                        task = running.pop(future)
                        problem = future.result()
                        if problem:
                            failed.append(problem)
                        else:
                            done.add(task.name)
            except BaseException:  # interrupted: nothing runs on
                self._stopped = True
                for process in list(self._running.values()):
                    process.terminate()
                raise
            finally:
                signal.signal(signal.SIGTERM, before)
        return failed

    def _run(self, task: Task) -> Optional[str]:
        """Run a task; returns what went wrong, if anything."""
        if self._stopped:
            return None
        folder = self.work_dir / task.name
        folder.mkdir(parents=True, exist_ok=True)
        spent_path = folder / 'seconds.json'
        before = (json.loads(spent_path.read_text())
                  if spent_path.is_file() else 0.)
        self.progress.start(task)
        start = time.monotonic()
        tail: deque = deque(maxlen=25)
        log_path = folder / 'output.log'
        with open(log_path, 'a', 1, encoding='utf-8') as log:
            process = self._running[task.name] = subprocess.Popen(
                [*self.prefix, *task.command()],
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                text=True, encoding='utf-8', errors='replace',
                env=dict(os.environ, PYTHONUNBUFFERED='1',
                         OMP_NUM_THREADS=str(self.threads)))
            assert process.stdout is not None
            try:
                for line in process.stdout:
                    log.write(line)
                    tail.append(line)
                    self.progress.line(task, line)
                code = process.wait()
            finally:
                del self._running[task.name]
                seconds = before + time.monotonic() - start
                write_atomic(spent_path, json.dumps(seconds).encode())
        if code:
            if not self._stopped:
                print(''.join(tail), file=sys.stderr)
            return (f'{task.title} failed; all of its output is in '
                    f'{log_path}. The same command resumes once the cause is '
                    'fixed.')
        result_path = folder / 'result.json'
        own = (json.loads(result_path.read_text())
               if result_path.is_file() else {})
        write_atomic(folder / 'done.json', json.dumps(dict(
            seconds=round(seconds, 1), images=task.images,
            images_per_second=round(task.images / seconds, 1),
            **own)).encode())
        self.progress.end(task, seconds)
        return None
