"""Running a step: progress, its log, and what is kept of it."""
import json
import os
import re
import subprocess
import sys
import time
from collections import deque
from pathlib import Path
from typing import Any, Dict, Optional

from stages import Stage

from lmim.engine.fileio import write_atomic

#: How long the steps take on two cores without a GPU, in seconds, measured;
#: the time that is left is told from it and from the speed seen so far.
NOMINAL = {
    'data': 12, 'mae': 55, 'lmim': 105, 'finetune': 105, 'scratch': 105,
    'evaluate-finetune': 7, 'evaluate-scratch': 7
}
_LINE = re.compile(r'Epoch\(train\)\s+\[\s*(\d+)\]\[\s*(\d+)/\s*(\d+)\]'
                   r'.*?eta: (\S+).*?\bloss: (\S+)')
_SILENCE = 10.


class Progress:
    """Tells how far the whole is; a line each ten seconds."""

    def __init__(self, names: list) -> None:
        self.names = names
        self.seen = 0.
        self.nominal = 0.
        self._told = 0.

    def start(self, stage: Stage) -> None:
        """Announce a step."""
        number = self.names.index(stage.name) + 1
        self.head = f'[{number}/{len(self.names)}] {stage.title}'
        self._told = time.monotonic()
        print(f'{self.head}: begins, {self._left(self.names[number - 1:])}',
              flush=True)
        self.later = self.names[number:]

    def line(self, text: str) -> None:
        """Look at a line of a step's output; tell from time to time."""
        found = _LINE.search(text)
        now = time.monotonic()
        if not found or now - self._told < _SILENCE:
            return
        self._told = now
        epoch, done, whole, eta, loss = found.groups()
        after = self._left(self.later)
        print(f'{self.head}: epoch {epoch}, {done}/{whole}, loss '
              f'{float(loss):.3f}, {eta} to go; then {after}', flush=True)

    def end(self, stage: Stage, seconds: float) -> None:
        """Note how long a step took."""
        self.seen += seconds
        self.nominal += NOMINAL[stage.name]
        rate = f', {stage.images / seconds:,.0f} images/s'
        print(f'{self.head}: done in {seconds:.0f} s'
              f'{rate if stage.images else ""}', flush=True)

    def _left(self, names: list) -> str:
        pace = self.seen / self.nominal if self.nominal else 1.
        seconds = pace * sum(NOMINAL[name] for name in names)
        return f'about {max(1, round(seconds / 60))} min in all' if (
            seconds >= 45) else f'about {seconds:.0f} s in all'


def kept(work_dir: Path, name: str) -> Optional[Dict[str, Any]]:
    """What was kept of a step that is done, or None."""
    path = work_dir / name / 'done.json'
    if not path.is_file():
        return None
    return json.loads(path.read_text())


def run(stage: Stage, work_dir: Path, progress: Progress) -> Dict[str, Any]:
    """Run a step that is not done yet.

    Args:
        stage (Stage): The step.
        work_dir (Path): The quick start's work dir.
        progress (Progress): Told of it.

    Returns:
        Dict[str, Any]: Seconds, pictures and pictures a second. A step that
        was interrupted and resumed counts the seconds of all its parts.

    Raises:
        SystemExit: If the step fails; the end of its output is shown.
    """
    folder = work_dir / stage.name
    folder.mkdir(parents=True, exist_ok=True)
    spent_path = folder / 'seconds.json'
    before = json.loads(spent_path.read_text()) if spent_path.is_file() else 0.
    progress.start(stage)
    start = time.monotonic()
    tail: deque = deque(maxlen=25)
    log_path = folder / 'output.log'
    with open(log_path, 'a', encoding='utf-8') as log:
        process = subprocess.Popen(
            stage.command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, encoding='utf-8', errors='replace',
            env=dict(os.environ, PYTHONUNBUFFERED='1'))
        assert process.stdout is not None
        try:
            for line in process.stdout:
                log.write(line)
                tail.append(line)
                progress.line(line)
            code = process.wait()
        finally:
            # Also when interrupted from the keyboard: nothing is left behind.
            if process.poll() is None:
                process.terminate()
                process.wait()
            seconds = before + time.monotonic() - start
            write_atomic(spent_path, json.dumps(seconds).encode())
    if code:
        print(''.join(tail), file=sys.stderr)
        sys.exit(f'{stage.title} failed; all of its output is in {log_path}. '
                 'The same command goes on from here once the cause is '
                 'mended.')
    result = dict(seconds=round(seconds, 1), images=stage.images,
                  images_per_second=round(stage.images / seconds, 1))
    write_atomic(folder / 'done.json', json.dumps(result).encode())
    progress.end(stage, seconds)
    return result
