"""The tools as users type them, run in this process to save the imports."""
import contextlib
import io
import itertools
import json
import os
import runpy
import sys
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, NamedTuple, Optional
from unittest import mock

import torch

from lmim.cli.data import main as data_main
from lmim.engine.launch import run_cleanly

REPO = Path(__file__).resolve().parents[1]
TOOLS = REPO / 'tools'

#: Runs of one name would share MMEngine's message hub and visualizer.
_NUMBERS = itertools.count()


class Outcome(NamedTuple):
    """How a tool ended: its exit status, and what it said."""
    code: int
    stderr: str
    stdout: str = ''


def mini_config(folder: str) -> Path:
    """The CPU-sized config in a folder below `configs`, by its name."""
    name = Path(folder).name
    return next((REPO / 'configs' / folder).glob(f'{name}_vit-mini_*.py'))


def small_loader(name: str, batch_size: int,
                 num_workers: int = 0) -> Dict[str, Any]:
    """Options for a dataloader of a few pictures."""
    return {
        f'{name}.batch_size': batch_size,
        f'{name}.num_workers': num_workers,
        f'{name}.persistent_workers': num_workers > 0,
        f'{name}.pin_memory': False,
    }


def arguments(*args: Any, options: Optional[Dict[str, Any]] = None
              ) -> List[str]:
    """A command line with `--cfg-options`."""
    name = f'run{next(_NUMBERS)}'
    options = {
        'experiment_name': name, 'visualizer.name': name, **(options or {})
    }
    pairs = [f'{key}={value}' for key, value in options.items()]
    return [*map(str, args), '--cfg-options', *pairs]


def run_tool(name: str, cwd: Path, *args: Any,
             options: Optional[Dict[str, Any]] = None) -> Outcome:
    """Run `tools/train.py` or `tools/test.py` in a folder."""
    line = [name, *arguments(*args, options=options)]
    stderr = io.StringIO()
    # For its logs MMEngine formats the config four times, a second in all,
    # and starts the C compiler to know its version.
    with _state_kept(cwd), mock.patch.object(
            sys, 'argv', line), contextlib.redirect_stderr(stderr), mock.patch(
                'mmengine.config.config.FormatCode',
                lambda text, **kwargs: (text, False)), mock.patch(
                    'mmengine.runner.runner.collect_env', dict):
        tool = runpy.run_path(str(TOOLS / name))
        parsed = tool['parse_args']()
        code = run_cleanly(lambda: tool['main'](parsed))
    return Outcome(code, stderr.getvalue())


def run_data(cwd: Path, *args: Any) -> Dict[str, Any]:
    """Run `lmim data ... --json` in a folder; what it printed."""
    with _state_kept(cwd):
        return call_json(data_main, *args)


def call(main: Callable[[List[str]], int], *args: Any) -> Outcome:
    """Run a command of `lmim`."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main([*map(str, args)])
    return Outcome(code, err.getvalue(), out.getvalue())


def call_json(main: Callable[[List[str]], int], *args: Any) -> Dict[str, Any]:
    """Run it with `--json`: what it printed, and its exit status as `code`."""
    outcome = call(main, *args, '--json')
    return dict(json.loads(outcome.stdout), code=outcome.code)


@contextlib.contextmanager
def _state_kept(cwd: Path) -> Iterator[None]:
    """What a run changes in a process, put back; one thread meanwhile."""
    before, threads = Path.cwd(), torch.get_num_threads()
    path = [str(TOOLS), *sys.path]
    os.chdir(cwd)
    torch.set_num_threads(1)
    try:
        with mock.patch.dict(os.environ), mock.patch.object(
                sys, 'path', path):
            os.environ.pop('LMIM_DEBUG', None)
            yield
    finally:
        os.chdir(before)
        torch.set_num_threads(threads)


def log_of(work_dir: Path) -> str:
    """The log file of the last run in a work dir."""
    return sorted(work_dir.glob('*/*.log'))[-1].read_text(encoding='utf-8')


def scalars_of(work_dir: Path) -> List[Dict[str, Any]]:
    """The numbers that the last run in a work dir logged, line by line."""
    run = sorted(work_dir.glob('*/*.log'))[-1].parent
    found = [*run.glob('vis_data/scalars.json'), *run.glob(f'{run.name}.json')]
    return [json.loads(line) for line in found[0].read_text().splitlines()]


def saved_files(work_dir: Path) -> Dict[str, bytes]:
    """Checkpoints and the pointer to the last one, by name."""
    return {
        path.name: path.read_bytes()
        for pattern in ('*.pth', 'last_checkpoint')
        for path in work_dir.glob(pattern)
    }
