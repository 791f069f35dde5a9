"""Real training runs, started as users start them."""
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Dict, List, Optional, Sequence

TOOLS = Path(__file__).resolve().parents[1]
CONFIGS = TOOLS.parent / 'configs'


class TrainingRun:
    """A process, or several that belong together, of `tools/train.py`.

    Args:
        config (str): Of the repository's folder `configs`.
        data (Path): The set of unlabelled pictures.
        folder (Path): The run's own; its config, log and results go there.
        settings (Dict[str, Any]): What is changed in the config;
            ``epochs`` is the number of them (2).
        processes (int): How many train together.
        cores (Sequence[int], optional): The cores that they may use.

    Attributes:
        began (float): When the command was given, seconds since 1970.
    """

    def __init__(self, config: str, data: Path, folder: Path,
                 settings: Dict[str, Any], processes: int = 1,
                 cores: Optional[Sequence[int]] = None) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.processes = folder, processes
        path = folder / 'config.py'
        loader = dict(settings.get('train_dataloader', {}))
        # What most runs would write is not what is measured.
        hooks = dict(pictures=dict(enable=False),
                     checkpoint=dict(interval=99))
        text = {
            '_base_': [str(CONFIGS / config)],
            'default_hooks': hooks,
            **{key: value for key, value in settings.items()
               if key != 'epochs'},
            'custom_imports': dict(imports=['lmim',
                                            'benchmarks.step_clock']),
            'custom_hooks': [dict(type='StepClockHook',
                                  path=str(folder / 'clock'))],
            # The warm-up takes one, so two are the least.
            'train_cfg': dict(max_epochs=settings.get('epochs', 2)),
            'train_dataloader': dict(loader, dataset=dict(paths=str(data))),
        }
        path.write_text(''.join(f'{key} = {value!r}\n'
                                for key, value in text.items()))
        command = [sys.executable]
        if processes > 1:
            command += ['-m', 'torch.distributed.run', '--standalone',
                        f'--nproc_per_node={processes}']
        command += [str(TOOLS / 'train.py'), str(path), '--work-dir',
                    str(folder / 'work')]
        if processes > 1:
            command += ['--launcher', 'pytorch']
        env = dict(os.environ, OMP_NUM_THREADS='1', PYTHONPATH=os.pathsep.join(
            [str(TOOLS), os.environ.get('PYTHONPATH', '')]))
        self._log = open(folder / 'log.txt', 'wb')
        self.began = time.time()
        self._process = subprocess.Popen(
            command, env=env, cwd=folder, stdin=subprocess.DEVNULL,
            stdout=self._log, stderr=subprocess.STDOUT)
        if cores is not None and hasattr(os, 'sched_setaffinity'):
            os.sched_setaffinity(self._process.pid, cores)

    def events(self, rank: int = 0) -> List[Dict[str, Any]]:
        """Wait for the end; what :class:`.StepClockHook` wrote.

        Args:
            rank (int): Of the process that is asked.

        Raises:
            OSError: If the run failed; with the end of its log.
        """
        status = self._process.wait()
        self._log.close()
        if status:
            log = (self.folder / 'log.txt').read_text(errors='replace')
            raise OSError(f'a training run ended with {status}:\n'
                          + '\n'.join(log.splitlines()[-8:]))
        text = (self.folder / f'clock.{rank}').read_text(encoding='utf-8')
        return [json.loads(line) for line in text.splitlines()]

    def stop(self) -> None:
        """End it, if it has not ended."""
        if self._process.poll() is None:
            self._process.terminate()
            self._process.wait()
        self._log.close()


def step_times(events: Sequence[Dict[str, Any]], skip: int) -> List[float]:
    """Seconds from the end of each step to that of the next of the epoch.

    Args:
        events (Sequence[Dict]): As of :meth:`TrainingRun.events`.
        skip (int): Steps at the beginning that do not count.
    """
    steps = [number for number, each in enumerate(events)
             if each['event'] == 'step'][skip:]
    return [events[number + 1]['time'] - events[number]['time']
            for number in steps if number + 1 < len(events)
            and events[number + 1]['event'] == 'step']
