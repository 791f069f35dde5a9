"""Running the steps: progress, their logs, and what is kept of each."""
import json
import os
import re
import subprocess
import sys
import threading
import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Any, Callable, Dict, List, Optional

from stages import Stage

from lmim.utils.atomic import write_atomic

_LINE = re.compile(r'Epoch\(train\)\s+\[\s*(\d+)\]\[\s*(\d+)/\s*(\d+)\]'
                   r'.*?\bloss: (\S+)')
#: Seconds between two lines of a step.
_SILENCE = 10.


class Progress:
    """Tells how far the whole is, and how long it still takes.

    Args:
        streams (List[List[str]]): Names of the steps that are to be done; the
            streams run beside each other.
        seconds (Dict[str, float]): How long each step is expected to take.
    """

    def __init__(self, streams: List[List[str]],
                 seconds: Dict[str, float]) -> None:
        self.streams = streams
        self.seconds = dict(seconds)
        self.number = {name: number for number, name in enumerate(
            (name for stream in streams for name in stream), 1)}
        self._done: Dict[str, float] = {}
        self._began: Dict[str, float] = {}
        self._share: Dict[str, float] = {}
        self._told: Dict[str, float] = {}
        self._lock = threading.Lock()

    def start(self, stage: Stage) -> None:
        """Announce a step."""
        with self._lock:
            self._began[stage.name] = time.monotonic()
            self._told[stage.name] = time.monotonic()
            self._say(stage, f'begins, {self.left()}')

    def line(self, stage: Stage, text: str) -> None:
        """Look at a line of a step's output; tell from time to time."""
        found = _LINE.search(text)
        if not found:
            return
        epoch, batch, batches = map(int, found.groups()[:3])
        with self._lock:
            self._share[stage.name] = (
                (epoch - 1) * batches + batch) / (stage.epochs * batches)
            now = time.monotonic()
            if now - self._told[stage.name] < _SILENCE:
                return
            self._told[stage.name] = now
            self._say(stage, f'epoch {epoch}/{stage.epochs}, {batch}/'
                      f'{batches}, loss {float(found[4]):.3f}; {self.left()}')

    def end(self, stage: Stage, seconds: float) -> None:
        """Note how long a step took."""
        with self._lock:
            self._done[stage.name] = seconds
            rate = f', {stage.images / seconds:,.0f} images/s'
            self._say(stage, f'done in {seconds:.0f} s'
                      f'{rate if stage.images else ""}')

    def left(self) -> str:
        """What is left of all steps, in words."""
        seconds = max((sum(map(self.seconds_left, stream))
                       for stream in self.streams), default=0.)
        return (f'about {max(1, round(seconds / 60))} min to go in all'
                if seconds >= 90 else f'about {seconds:.0f} s to go in all')

    def seconds_left(self, name: str) -> float:
        """What is left of a step.

        A step that runs is judged by its own pace once a tenth is done, one
        that is to come by how far those before it were from what was
        expected.
        """
        if name in self._done:
            return 0.
        if name not in self._began:
            return self.seconds[name] * self._pace()
        spent = time.monotonic() - self._began[name]
        share = self._share.get(name, 0.)
        if share > 0.1:
            return spent * (1 - share) / share
        return max(0., self.seconds[name] * self._pace() - spent)

    def _pace(self) -> float:
        """Time taken over time expected, of what is done."""
        expected = sum(self.seconds[name] for name in self._done)
        return sum(self._done.values()) / expected if expected else 1.

    def _say(self, stage: Stage, text: str) -> None:
        print(f'[{self.number[stage.name]}/{len(self.number)}] '
              f'{stage.title}: {text}', flush=True)


def kept(work_dir: Path, name: str) -> Optional[Dict[str, Any]]:
    """What was kept of a step that is done, or None."""
    path = work_dir / name / 'done.json'
    if not path.is_file():
        return None
    return json.loads(path.read_text())


class Runner:
    """Runs steps as processes, some of them beside each other.

    Args:
        work_dir (Path): The quick start's work dir.
        progress (Progress): Is shown each line of output.
        threads (int): Threads of a process.
    """

    def __init__(self, work_dir: Path, progress: Progress,
                 threads: int) -> None:
        self.work_dir, self.progress, self.threads = (work_dir, progress,
                                                      threads)
        self._running: Dict[str, subprocess.Popen] = {}
        self._ended = False

    def run_streams(self, streams: List[List[Callable[[], Stage]]]) -> None:
        """Run the steps of each stream in order, the streams at once.

        Args:
            streams (List[List[Callable]]): What makes the steps. A step is
                made when those before it are done, whose results it needs.

        Raises:
            SystemExit: If a step fails; the other stream is ended as well.
        """
        with ThreadPoolExecutor(max(1, len(streams))) as pool:
            futures = [pool.submit(self._run_stream, stream)
                       for stream in streams]
            try:
                for future in as_completed(futures):
                    future.result()
            except BaseException:  # failed or interrupted: nothing runs on
                self._ended = True
                for process in list(self._running.values()):
                    process.terminate()
                raise

    def _run_stream(self, stream: List[Callable[[], Stage]]) -> None:
        for make in stream:
            if not self._ended:
                self.run(make())

    def run(self, stage: Stage) -> Dict[str, Any]:
        """Run a step that is not done yet.

        Args:
            stage (Stage): The step.

        Returns:
            Dict[str, Any]: Seconds, pictures and pictures a second. A step
            that was interrupted and resumed counts the seconds of all parts.

        Raises:
            SystemExit: If the step fails; the end of its output is shown.
        """
        folder = self.work_dir / stage.name
        folder.mkdir(parents=True, exist_ok=True)
        spent_path = folder / 'seconds.json'
        before = (json.loads(spent_path.read_text())
                  if spent_path.is_file() else 0.)
        self.progress.start(stage)
        start = time.monotonic()
        tail: deque = deque(maxlen=25)
        log_path = folder / 'output.log'
        with open(log_path, 'a', encoding='utf-8') as log:
            process = self._running[stage.name] = subprocess.Popen(
                stage.command, stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT, text=True, encoding='utf-8',
                errors='replace', env=dict(
                    os.environ, PYTHONUNBUFFERED='1',
                    OMP_NUM_THREADS=str(self.threads)))
            assert process.stdout is not None
            try:
                for line in process.stdout:
                    log.write(line)
                    tail.append(line)
                    self.progress.line(stage, line)
                code = process.wait()
            finally:
                # Also when interrupted from the keyboard.
                if process.poll() is None:
                    process.terminate()
                    process.wait()
                del self._running[stage.name]
                seconds = before + time.monotonic() - start
                write_atomic(spent_path, json.dumps(seconds).encode())
        if code:
            if not self._ended:
                print(''.join(tail), file=sys.stderr)
            sys.exit(f'{stage.title} failed; all of its output is in '
                     f'{log_path}. The same command resumes once the cause '
                     'is fixed.')
        result = dict(seconds=round(seconds, 1), images=stage.images,
                      images_per_second=round(stage.images / seconds, 1))
        write_atomic(folder / 'done.json', json.dumps(result).encode())
        self.progress.end(stage, seconds)
        return result
