"""A hook that writes down when training steps end."""
import json
import time
from pathlib import Path
from typing import Any, Dict

from mmengine.dist import get_rank
from mmengine.hooks import Hook
from mmengine.runner import Runner
from mmocr.registry import HOOKS

from .reader import private_memory


@HOOKS.register_module()
class StepClockHook(Hook):
    """Appends a line of JSON for each event to a file of this process.

    Each has ``event`` ('built', 'start', 'step' or 'epoch'), ``time``
    (seconds since 1970, which other processes know as well) and, at the end
    of an epoch, ``own``, the bytes that no other process shares.

    Args:
        path (str): The file; the process's rank is put behind its name.
    """

    priority = 'LOWEST'

    def __init__(self, path: str) -> None:
        self.file = Path(f'{path}.{get_rank()}')
        self._note('built')

    def before_train(self, runner: Runner) -> None:
        """The model and the data are there."""
        self._note('start')

    def after_train_iter(self, runner: Runner, batch_idx: int,
                         data_batch: Any = None, outputs: Any = None) -> None:
        """A step has ended."""
        self._note('step')

    def after_train_epoch(self, runner: Runner) -> None:
        """An epoch has ended."""
        memory = (private_memory() if Path('/proc/self/smaps_rollup').exists()
                  else {'own': 0})
        self._note('epoch', own=memory['own'])

    def _note(self, event: str, **facts: int) -> None:
        line: Dict[str, Any] = dict(event=event, time=time.time(), **facts)
        with open(self.file, 'a', encoding='utf-8') as file:
            file.write(json.dumps(line) + '\n')
