"""Tasks: their order, what is kept of them, and the time that is left."""
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import List, Sequence

import pytest

from lmim.comparison.tasks import Progress, Task, TaskRunner, result_of


def task(name: str, code: str = '', needs: Sequence[str] = (),
         **kwargs) -> Task:
    return Task(name, name, lambda: [sys.executable, '-c', code], needs,
                **kwargs)


def run(tmp_path: Path, tasks: List[Task], workers: int = 2) -> List[str]:
    return TaskRunner(tmp_path, Progress(tasks, workers), 1).run_all()


def test_a_task_waits_for_what_it_needs(tmp_path):
    order = tmp_path / 'order.txt'

    def note(name: str) -> str:
        return f"open({str(order)!r}, 'a').write('{name} ')"

    assert run(tmp_path, [
        task('first', 'import time; time.sleep(.3); ' + note('first')),
        task('second', note('second'), ['first', 'done-before']),
        task('other', note('other'))]) == []
    assert order.read_text() == 'other first second '


def test_what_it_wrote_is_kept_and_its_time(tmp_path):
    result = str(tmp_path / 'one/result.json')
    assert run(tmp_path, [task(
        'one', "import time; time.sleep(.1); print('said'); "
        f"open({result!r}, 'w').write('{{\"a\": 1}}')",
        images=10)]) == []
    done = result_of(tmp_path, 'one')
    assert done['a'] == 1 and done['images'] == 10 and done['seconds'] > 0
    assert (tmp_path / 'one/output.log').read_text() == 'said\n'
    assert result_of(tmp_path, 'two') is None


def test_what_needs_a_failed_task_is_left_out_and_others_go_on(
        tmp_path, capsys):
    failed = run(tmp_path, [
        task('bad', "print('the cause'); raise SystemExit(3)"),
        task('after', needs=['bad']), task('other')], workers=1)
    assert len(failed) == 1 and 'bad failed' in failed[0]
    assert str(tmp_path / 'bad/output.log') in failed[0]
    assert 'the cause' in capsys.readouterr().err
    assert result_of(tmp_path, 'other') and not result_of(tmp_path, 'bad')
    assert not (tmp_path / 'after').exists()


def test_nothing_runs_on_when_it_is_ended(tmp_path):
    code = (
        'import sys\n'
        'from pathlib import Path\n'
        'from lmim.comparison.tasks import Progress, Task, TaskRunner\n'
        "code = 'import os, time; print(os.getpid()); time.sleep(600)'\n"
        "command = [sys.executable, '-c', code]\n"
        "task = Task('long', 'long', lambda: command)\n"
        f'TaskRunner(Path({str(tmp_path)!r}), Progress([task], 1), 1)'
        '.run_all()\n')
    process = subprocess.Popen([sys.executable, '-c', code])
    log = tmp_path / 'long/output.log'
    while not log.is_file() or not log.read_text():
        assert process.poll() is None
        time.sleep(0.1)
    process.terminate()
    assert process.wait() != 0
    with pytest.raises(ProcessLookupError):
        os.kill(int(log.read_text()), 0)
    assert result_of(tmp_path, 'long') is None


def test_seconds_of_an_interrupted_task_count(tmp_path):
    (tmp_path / 'one').mkdir()
    (tmp_path / 'one/seconds.json').write_text(json.dumps(100.))
    run(tmp_path, [task('one', 'import time; time.sleep(.1)')])
    assert 100 < result_of(tmp_path, 'one')['seconds'] < 110


def test_time_left_follows_needs_workers_and_pace(monkeypatch):
    now = [0.]
    monkeypatch.setattr(time, 'monotonic', lambda: now[0])
    tasks = [task('a', kind='x', cost=10., epochs=2),
             task('b', needs=['a'], kind='x', cost=20.),
             task('c', kind='y', cost=5.)]
    progress, alone = Progress(tasks, 2), Progress(tasks, 1)
    alone.start(tasks[0])
    alone.end(tasks[0], 10.)
    assert alone.seconds_left() == 20. + 5.  # c after b, at the pace of a
    progress.start(tasks[0])
    assert progress.seconds_left() is None
    now[0] = 6.
    progress.line(tasks[0], 'Epoch(train) [1][5/10] lr: 1 loss: 2.5 x')
    # A quarter of a in 6 s: 18 s are left of it, and b takes 48.
    assert progress.seconds_left() == 18. + 48.
    now[0] = 30.
    progress.end(tasks[0], 30.)
    assert progress.seconds_left() == 60.  # c beside b
    assert progress.left() == '; about 60 s to go in all'
