"""Small trainings, of everything that trains, to break."""
import socket
import time
from pathlib import Path
from typing import Any, Callable, Dict, List, NamedTuple

import torch

from lmim.cli.data import main as data_main

from .harness import REPO, Broken, Process, Room, call, tool

#: Updates of a run, and after how many of them a checkpoint is written.
UPDATES, INTERVAL = 12, 2
#: The last one.
LAST = f'iter_{UPDATES}.pth'
BATCH = 4


class Kind(NamedTuple):
    """A kind of training."""
    config: str  # below configs/
    options: Dict[str, Any]
    processes: int = 1


MAE = 'pretrain/mae/mae_vit-mini_1xb64_rendered.py'
LMIM = 'pretrain/lmim/lmim_vit-mini_1xb64_rendered.py'
KINDS = {
    'MIM': Kind(MAE, {}),
    'LMIM': Kind(LMIM, {'model__target_generator__checkpoint': 'TEACHER'}),
    'moving average (DiG)': Kind(
        'pretrain/dig/dig_vit-mini_1xb64_rendered.py', {}),
    'fine-tuning': Kind(
        'textrecog/transformer/transformer_vit-mini_1xb64_rendered-labels.py',
        {'model__backbone__init_cfg__checkpoint': 'TEACHER',
         'val_dataloader__dataset__paths': 'WORDS',
         'test_dataloader__dataset__paths': 'WORDS',
         'val_dataloader__batch_size': BATCH,
         'val_dataloader__num_workers': 0,
         'val_dataloader__persistent_workers': False,
         'train_cfg__val_interval': 2}),
    'gathered gradients': Kind(MAE, {'optim_wrapper__accumulative_counts': 3}),
    'two processes': Kind(MAE, {}, processes=2),
}


def words(room: Room) -> Path:
    """A set of rendered words, made once for all cases."""
    folder = room.shared / 'words'
    if not folder.exists():
        Process(call(data_main, 'render', folder, '--train', UPDATES * BATCH
                     // 2, '--test', 8), room.shared).wait().fine()
    return folder / 'train.lmdb'


def teacher(room: Room) -> Path:
    """A run of MAE that others start from, made once for all cases."""
    path = room.shared / 'teacher' / LAST
    if not path.exists():
        train(room, KINDS['MIM'], room.shared / 'teacher')
    return path


def with_hook(kind: Kind, path: Path, hook: Dict[str, Any]) -> Kind:
    """A kind of run with one hook more, by a config that is written."""
    path.write_text(f'_base_ = {str(REPO / "configs" / kind.config)!r}\n'
                    f'default_hooks = dict(added={hook!r})\n')
    return kind._replace(config=str(path))


def start(room: Room, kind: Kind, work_dir: Path, *args: object,
          **options: object) -> List[Process]:
    """Begin a run of two epochs; its processes, of which the first writes."""
    places = {'WORDS': words(room)}
    if 'TEACHER' in kind.options.values():
        places['TEACHER'] = teacher(room)
    given = {key: places.get(str(value), value)
             for key, value in kind.options.items()}
    line = tool(
        'train.py', REPO / 'configs' / kind.config, '--work-dir', work_dir,
        *args, *(['--launcher', 'pytorch'] if kind.processes > 1 else []),
        **{
            'train_dataloader__dataset__paths': places['WORDS'],
            'train_dataloader__batch_size': BATCH // kind.processes,
            'train_dataloader__num_workers': 1,
            'train_dataloader__pin_memory': False,
            'default_hooks__pictures__enable': False,
            'default_hooks__logger__interval': 1,
            'default_hooks__checkpoint__by_epoch': False,
            'default_hooks__checkpoint__interval': INTERVAL,
            'default_hooks__checkpoint__max_keep_ckpts': 3,
            'train_cfg__max_epochs': 2, **given, **options})
    with socket.socket() as free:
        free.bind(('127.0.0.1', 0))
        port = str(free.getsockname()[1])
    return [Process(line, room.folder, dict(
        RANK=str(rank), LOCAL_RANK=str(rank), WORLD_SIZE=str(kind.processes),
        MASTER_ADDR='127.0.0.1', MASTER_PORT=port))
        for rank in range(kind.processes)]


def train(room: Room, kind: Kind, work_dir: Path, *args: object,
          **options: object) -> float:
    """Run it to its end, and wait; the seconds from its first update on."""
    processes = start(room, kind, work_dir, *args, **options)
    begun = await_training(processes, work_dir, work_dir.exists())
    for process in processes:
        process.wait().fine()
    return time.monotonic() - begun


def runs_of(work_dir: Path) -> List[Path]:
    """The folders of logs, of which each run makes one as it begins."""
    return sorted(work_dir.glob('*/vis_data/config.py'))


def await_training(processes: List[Process], work_dir: Path,
                   again: bool = False) -> float:
    """Wait until a run has been set up; the time then."""
    before = len(runs_of(work_dir)) if again else 0
    while len(runs_of(work_dir)) == before:
        if any(process.has_ended() for process in processes):
            break
        time.sleep(0.005)
    return time.monotonic()


#: What two checkpoints may differ in: times, and when and where it ran.
ASIDE = ('time', 'data_time', 'memory', 'eta')


def content(path: Path) -> Dict[str, Any]:
    """All of a checkpoint that a run goes on from, by dotted names."""
    held = torch.load(path, weights_only=False)  # of our own making
    logs = held['message_hub']['log_scalars']
    held['message_hub'] = {
        'logs': {name: list(buffer._log_history)
                 for name, buffer in logs.items()
                 if not name.endswith(ASIDE)},
        'counts': {name: held['message_hub']['runtime_info'].get(name)
                   for name in ('iter', 'epoch', 'loop_stage')}}
    held['meta'] = {name: held['meta'][name]
                    for name in ('iter', 'epoch', 'seed')}
    return flat(held)


def flat(value: Any, name: str = '') -> Dict[str, Any]:
    """Nested dicts and lists by dotted names."""
    items = (value.items() if isinstance(value, dict) else
             enumerate(value) if isinstance(value, (list, tuple)) else None)
    if items is None:
        return {name: value}
    return {key: each for inner, part in items
            for key, each in flat(part, f'{name}.{inner}').items()}


def same(one: Path, other: Path) -> int:
    """How many values two checkpoints have, if all are the same to the bit.

    Raises:
        Broken: If they are not, with the first that differs.
    """
    left, right = content(one), content(other)
    for name in sorted(left.keys() ^ right.keys()):
        raise Broken(f'only one of {one} and {other} has {name}')
    for name, value in left.items():
        equal = (torch.equal(value, right[name]) if torch.is_tensor(value)
                 else value == right[name])
        if not equal:
            raise Broken(f'{name} of {one} and {other} differ: '
                         f'{str(value)[:80]} and {str(right[name])[:80]}')
    return len(left)


def eventually(condition: Callable[[], bool], seconds: float) -> bool:
    """Whether something becomes true within some time."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True
