"""Very many records, workers, lines of logs and pictures."""
import json
import time
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any, Dict, Iterator, List, Optional, Tuple

import cv2
import numpy as np
from mmengine.hooks import Hook
from mmengine.runner import Runner
from mmocr.registry import HOOKS

from lmim.cli.main import main as lmim_main
from lmim.datasets.lmdb_writer import LMDBWriter

from .harness import REPO, Broken, Case, Process, Room, call
from .runs import KINDS, LAST, Kind, eventually, start, train, with_hook

MIB = 2**20
#: Seconds until the first batch.
FIRST_BATCH = 5.
#: Memory of a record, in bytes, that the main process may take: an order of
#: 8 bytes; where sets are mixed what is drawn as well, a pass, and what orders
#: it.
BYTES, MIXED_BYTES = 12, 48
#: How many times as long an update may take after a week of them.
SLOWER = 1.2
WEEK = 7 * 24 * 3600
#: Changes of a recognizer, which then takes less time than reading and
#: decoding its pictures.
SMALL = dict(
    backbone=dict(vit=dict(
        init_cfg=None, patch_size=(32, 16),
        arch=dict(_delete_=True, embed_dims=32, num_layers=1, num_heads=1,
                  feedforward_channels=32))),
    decoder=dict(in_channels=32))


def cases(trials: int) -> Iterator[Case]:
    """With 20 trials as large as the issue is: ten million records."""
    records = 500_000 * trials
    for workers in (1, 8):
        yield Case('scale', f'an LMDB of {records:,} records, {workers} '
                   f'worker(s)', partial(many_records, records=records,
                                         workers=workers))
    yield Case('scale', f'{records:,} records and {records // 100:,}, mixed',
               partial(many_records, records=records, workers=1, mixed=True))
    lines = records // 10
    yield Case('scale', f'a list of {lines:,} lines',
               partial(many_records, records=lines, workers=1, listed=True))
    steps = WEEK * trials // 20
    yield Case('scale', f'{steps:,} updates were logged',
               partial(long_log, steps=steps))
    pictures = 50_000 * trials
    yield Case('scale', f'{pictures:,} pictures read',
               partial(many_pictures, pictures=pictures))


def picture() -> bytes:
    """A small picture of a stroke."""
    image = np.full((16, 48, 3), 200, np.uint8)
    cv2.line(image, (4, 12), (40, 4), (0, 0, 0), 2)
    return cv2.imencode('.png', image)[1].tobytes()


def big(room: Room, records: int, listed: bool = False) -> Path:
    """A set of very many records, made once for all cases."""
    path = room.shared / f'{records}{".txt" if listed else ".lmdb"}'
    if path.exists():
        return path

    def make() -> None:
        image = picture()
        if listed:
            (room.shared / 'word.png').write_bytes(image)
            with path.open('w') as file:
                for number in range(records):
                    file.write(f'word.png\tword{number}\n')
            return
        with LMDBWriter(path) as writer:
            for _ in range(records):
                writer.add(image)

    Process(make, room.shared).wait(900).fine()
    return path


def own_memory(pid: int) -> float:
    """MiB that a process has for itself: mapped files do not count."""
    for line in Path(f'/proc/{pid}/status').read_text().splitlines():
        if line.startswith('RssAnon'):
            return int(line.split()[1]) / 1024
    return 0.


def scalars(work_dir: Path) -> List[Dict[str, Any]]:
    """What the last run logged."""
    last = sorted(work_dir.glob('*/vis_data/scalars.json'))[-1]
    return [json.loads(line) for line in last.read_text().splitlines()]


def many_records(room: Room, records: int, workers: int, mixed: bool = False,
                 listed: bool = False) -> str:
    """Begin at once, in little memory; be killed; go on at once."""
    path = big(room, records, listed)
    options: Dict[str, Any] = dict(
        train_dataloader__num_workers=workers,
        train_dataloader__dataset__paths=path)
    if mixed:
        small = big(room, records // 100)
        options.update(
            train_dataloader__dataset__paths=f'[{path},{small}]',
            train_dataloader__sampler__type='RatioSampler',
            train_dataloader__sampler__ratios='[0.8,0.2]')
    usual = memory_of_training(room, dict(
        train_dataloader__num_workers=workers))[0]
    most = usual + (MIXED_BYTES if mixed else BYTES) * records / MIB + 20
    told = []
    work_dir = room.folder / 'run'
    for what, until in (('begun', 6), ('resumed', 12)):
        used, first = memory_of_training(room, options, work_dir, until)
        told.append(f'{what} after {first:.1f} s with {used - usual:.0f} MiB '
                    'more than for 24 records')
        if first > FIRST_BATCH:
            raise Broken(f'the first batch took {first:.1f} s')
        if used > most:
            raise Broken(f'{used:.0f} MiB, of {most:.0f} at most')
    return '; '.join(told)


def memory_of_training(room: Room, options: Dict[str, Any],
                       work_dir: Optional[Path] = None,
                       until: int = 6) -> Tuple[float, float]:
    """MiB of a run that is killed after some updates, and how many seconds
    it waited for its first batch.
    """
    work_dir = work_dir or room.folder / f'usual_{time.monotonic_ns()}'
    process = start(room, KINDS['MIM'], work_dir, '--resume', **options)[0]
    written = work_dir / f'iter_{until}.pth'
    if not eventually(lambda: written.exists() or process.has_ended(), 120):
        process.kill()
        raise Broken('nothing was trained in two minutes')
    if process.has_ended():
        process.wait().fine()
        used = 0.
    else:
        used = own_memory(process.pid)
        process.kill()
        process.wait()
    return used, scalars(work_dir)[0]['data_time']


@HOOKS.register_module()
class LongLogHook(Hook):
    """As if a run had made very many updates before."""

    priority = 'VERY_HIGH'

    def __init__(self, steps: int) -> None:
        self.steps = steps

    def before_train_iter(self, runner: Runner, batch_idx: int,
                          data_batch: Any = None) -> None:
        """Lengthen what was logged of the first update."""
        if runner.iter != 1:
            return
        for buffer in runner.message_hub.log_scalars.values():
            for name in ('_log_history', '_count_history'):
                values = getattr(buffer, name)
                setattr(buffer, name, np.resize(values, self.steps))


def long_log(room: Room, steps: int) -> str:
    """Updates take as long as at the beginning."""
    seconds = {}
    for count in (2, steps):
        kind = with_hook(KINDS['MIM'], room.folder / f'config_{count}.py',
                         dict(type='LongLogHook', steps=count))
        work_dir = room.folder / f'run_{count}'
        start(room, kind, work_dir,
              default_hooks__checkpoint__interval=1000,
              train_cfg__max_epochs=10)[0].wait().fine()
        seconds[count] = median(
            each['time'] for each in scalars(work_dir)[10:])
    ratio = seconds[steps] / seconds[2]
    if ratio > SLOWER:
        raise Broken(f'an update takes {ratio:.2f} times as long')
    return f'an update takes {ratio:.2f} times as long'


def many_pictures(room: Room, pictures: int) -> str:
    """Reading takes no more memory for the last than for the first."""
    config = room.folder / 'small.py'
    base = REPO / 'configs/textrecog/ctc/ctc_vit-mini_1xb64_rendered-labels.py'
    config.write_text(f'_base_ = {str(base)!r}\nmodel = {SMALL!r}\n')
    usual = KINDS['fine-tuning'].options.items()
    train(room, Kind(str(config), {key: value for key, value in usual
                                   if 'init_cfg' not in key}),
          room.folder / 'recognizer')
    process = Process(
        call(lmim_main, 'infer', big(room, pictures), '--checkpoint',
             room.folder / 'recognizer' / LAST, '--output', 'out.txt'),
        room.folder)
    used = []
    end = time.monotonic() + 3600
    while not process.has_ended() and time.monotonic() < end:
        try:
            used.append(own_memory(process.pid))
        except FileNotFoundError:
            break
        time.sleep(0.2)
    process.wait().fine()
    lines = (room.folder / 'out.txt').read_text().count('\n')
    if lines != pictures:
        raise Broken(f'{lines:,} lines for {pictures:,} pictures')
    early, late = (max(used[:len(used) // 3]), max(used))
    if late > early + 20:
        raise Broken(f'{early:.0f} MiB in the first third, {late:.0f} in all')
    return (f'{early:.0f} MiB in the first third, {late:.0f} in all; '
            f'{pictures / (len(used) * 0.2):.0f} pictures/s')
