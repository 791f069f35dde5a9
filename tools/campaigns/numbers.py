"""Numbers that are none, at random places; and the same seed, twice."""
import re
from functools import partial
from pathlib import Path
from typing import Any, Iterator, Optional

import torch
from mmengine.hooks import Hook
from mmengine.runner import Runner
from mmocr.registry import HOOKS
from torch import nn

from lmim.engine.hooks.checkpoint_hook import bare_model

from .harness import Broken, Case, Room
from .runs import (KINDS, LAST, UPDATES, Kind, same, start, train,
                   with_hook)

#: Where a value is spoilt, and of which kind of run.
PLACES = {
    'loss': 'MIM', 'gradient': 'MIM', 'target': 'MIM', 'weight': 'MIM',
    'state of the optimizer': 'MIM',
    'moving average': 'moving average (DiG)',
    'statistics of batch norm': 'moving average (DiG)',
}


@HOOKS.register_module()
class SpoilHook(Hook):
    """Spoils a value before the update of a number.

    Args:
        place (str): Of ``PLACES``.
        value (str): What is put there: 'nan', 'inf' or '-inf'.
        update (int): Before which update, from 1 on.
        number (float): From 0 to 1, which of the tensors.
    """

    priority = 'VERY_HIGH'

    def __init__(self, place: str, value: str, update: int,
                 number: float) -> None:
        self.place, self.value = place, float(value)
        self.update, self.number = update, number
        self.now = False

    def before_train(self, runner: Runner) -> None:
        """Stand by where values pass."""
        model = bare_model(runner.model)
        if self.place == 'loss':
            model.neck.register_forward_hook(self._spoil_output)
        elif self.place == 'target':
            model.target_generator.register_forward_hook(self._spoil_output)
        elif self.place == 'gradient':
            params = [param for param in model.parameters()
                      if param.requires_grad]
            self._one(params).register_hook(
                lambda gradient: gradient + self.value if self.now
                else gradient)

    def before_train_iter(self, runner: Runner, batch_idx: int,
                          data_batch: Any = None) -> None:
        """Spoil what stays."""
        self.now = runner.iter + 1 == self.update
        if not self.now:
            return
        model = bare_model(runner.model)
        optimizer = runner.optim_wrapper.optimizer
        kept = {
            'weight': list(model.backbone.parameters()),
            'state of the optimizer': [
                state['exp_avg'] for state in optimizer.state.values()],
            'moving average': [
                weight for name, weight in model.named_parameters()
                if name.startswith('ema.')],
            # Those of the average are copied from the others.
            'statistics of batch norm': [
                module.running_mean for name, module in model.named_modules()
                if isinstance(module, nn.modules.batchnorm._BatchNorm)
                and not name.startswith('ema.')],
        }
        if self.place in kept:
            with torch.no_grad():
                self._one(kept[self.place]).view(-1)[0] = self.value

    def _one(self, tensors: Any) -> torch.Tensor:
        return tensors[int(self.number * len(tensors))]

    def _spoil_output(self, module: nn.Module, args: Any,
                      output: Any) -> Optional[Any]:
        if not self.now:
            return None
        return (output + self.value if torch.is_tensor(output) else
                type(output)([output[0] + self.value, *output[1:]]))


def cases(trials: int) -> Iterator[Case]:
    """Spoilt values, and runs that have to be the same."""
    for trial in range(max(1, trials // 4)):
        for place in PLACES:
            yield Case('numbers', f'{place} spoilt {trial + 1}',
                       partial(spoilt, place=place))
        for place in ('loss', 'gradient'):
            yield Case('numbers', f'{place} left out {trial + 1}',
                       partial(left_out, place=place))
    for name in ('MIM', 'LMIM', 'fine-tuning'):
        for workers in (0, 2):
            yield Case('numbers', f'{name}, {workers} workers',
                       partial(repeated, name=name, workers=workers))


def config(room: Room, kind: Kind, place: str, value: str,
           update: int) -> Kind:
    """A kind of run with a value spoilt."""
    return with_hook(kind, room.folder / 'config.py', dict(
        type='SpoilHook', place=place, value=value, update=update,
        number=room.draw.random()))


def finite(work_dir: Path) -> int:
    """How many checkpoints there are, if all their weights are numbers.

    Raises:
        Broken: If not.
    """
    paths = list(work_dir.glob('*.pth'))
    for path in paths:
        for name, value in torch.load(path)['state_dict'].items():
            if value.isnan().any():
                raise Broken(f'{name} of {path.name} is not finite')
    return len(paths)


def spoilt(room: Room, place: str) -> str:
    """The run stops, tells of it, and what is kept is good."""
    value = room.draw.choice(('nan', 'inf', '-inf'))
    if place == 'statistics of batch norm':
        value = 'nan'  # an infinite mean becomes one with the next batch
    update = room.draw.randrange(3, UPDATES)
    kind = config(room, KINDS[PLACES[place]], place, value, update)
    work_dir = room.folder / 'run'
    process = start(room, kind, work_dir)[0]
    message = process.wait().refused('not finite', 'iteration')
    kept = finite(work_dir)
    return f'{value} at {update}: {message[:90]}; {kept} checkpoints are good'


def left_out(room: Room, place: str) -> str:
    """The update is left out and told of; the run goes on."""
    update = room.draw.randrange(2, UPDATES)
    kind = config(room, KINDS['MIM'], place,
                  room.draw.choice(('nan', 'inf', '-inf')), update)
    work_dir = room.folder / 'run'
    process = start(room, kind, work_dir, default_hooks__loss_check__skip=2)[0]
    ended = process.wait().fine()
    told = re.findall(r'; (\d+) were left out', ended.text)
    if told != ['1']:
        raise Broken(f'left out: {told}')
    finite(work_dir)
    last = torch.load(work_dir / LAST)['state_dict']
    for name, value in last.items():
        if not value.isfinite().all():
            raise Broken(f'{name} is not finite')
    return f'update {update} was left out'


def repeated(room: Room, name: str, workers: int) -> str:
    """The same seed with another number of workers."""
    reference = room.shared / f'one_worker_{name}'
    kind = KINDS[name]
    if not reference.exists():
        train(room, kind, reference)
    work_dir = room.folder / 'run'
    train(room, kind, work_dir, train_dataloader__num_workers=workers,
          train_dataloader__persistent_workers=bool(workers))
    values = same(work_dir / LAST, reference / LAST)
    return f'{values} values are the same'


