"""`scaling`: whether memory and time per image grow with sets and epochs."""
import argparse
import os
import tempfile
import time
from pathlib import Path
from typing import Any, Dict, Iterator, List

import cv2
import torch
from mmengine.config import Config
from mmocr.registry import TRANSFORMS
from torch.utils.data import DataLoader, default_collate

from lmim.cli.command import Command, at_least
from lmim.datasets import LeanSampler, TextImageDataset

from .children import in_a_child
from .pipeline import CONFIG
from .reader import MB, private_memory
from .reader_sets import make_lmdb, pictures
from .training_runs import TrainingRun, step_times

BATCH = 64


class ScalingBenchmark(Command):
    """Read sets of three sizes, and train for many epochs on one.

    "sets": a worker reads an unlabelled LMDB in the shuffled order of
    training, decodes, and makes both views of pre-training; the same number
    of pictures of each set, in a process of its own. Told is the time for a
    picture from the beginning to the first batch, and after it; and the
    memory that the main process and the worker share with no other
    (Private_Dirty of /proc/self/smaps_rollup).

    "epochs": `tools/train.py` with the small MAE of the quick start, which
    tells how long a step took in each epoch and what memory the process has
    at its end.
    """

    name = 'scaling'
    summary = 'memory and time per image by size of the set and by epoch'

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the arguments."""
        add = parser.add_argument
        add('--records', type=at_least(100 * BATCH), default=10**6,
            metavar='N', help='of the largest set; a hundredth and a tenth '
            'are measured, too (default: %(default)s, which take 2 GB)')
        add('--images', type=at_least(BATCH), default=10**4, metavar='N',
            help='that are read of each set (default: %(default)s)')
        add('--epochs', type=at_least(2), default=20, metavar='N',
            help='(default: %(default)s)')
        add('--epoch-images', type=at_least(2 * BATCH), default=2048,
            metavar='N', help='of an epoch (default: %(default)s)')
        add('--folder', metavar='DIR',
            help='where the sets are made for the time of the benchmark '
            "(default: the system's folder for such)")

    def run(self, args: argparse.Namespace) -> Dict[str, Any]:
        """Make the sets, read them, and train.

        Raises:
            OSError: Where the system does not tell of memory.
        """
        if not os.path.exists('/proc/self/smaps_rollup'):
            raise OSError('memory is read from /proc/self/smaps_rollup, which '
                          'this system does not have: Linux 4.14 or later '
                          'does')
        images = pictures()
        sets, counts = [], [args.records // 100, args.records // 10,
                            args.records]
        with tempfile.TemporaryDirectory(dir=args.folder) as folder:
            for count in counts:
                path = Path(folder) / str(count)
                make_lmdb(path, count, images)
                sets.append(dict(records=count, **in_a_child(
                    read_set, path, args.images)))
            path = Path(folder) / 'epochs'
            make_lmdb(path, args.epoch_images, images)
            run = TrainingRun(
                'pretrain/mae/mae_vit-mini_1xb64_rendered.py', path,
                Path(folder) / 'run',
                dict(epochs=args.epochs,
                     train_dataloader=dict(batch_size=BATCH)))
            try:
                epochs = _epochs(run.events())
            finally:
                run.stop()
        return {'images': args.images, 'sets': sets,
                'epoch_images': args.epoch_images, 'epochs': epochs}

    def report(self, result: Dict[str, Any]) -> str:
        """Tell it as two tables."""
        lines = [f'{result["images"]:,} pictures of each set',
                 f'{"records":>10}{"first batch s":>15}{"us a picture":>14}'
                 f'{"main MB":>9}{"worker MB":>11}']
        for row in result['sets']:
            lines.append(f'{row["records"]:10,}{row["first_s"]:15.2f}'
                         f'{row["picture_us"]:14.0f}{row["main_mb"]:9.1f}'
                         f'{row["worker_mb"]:11.1f}')
        lines += ['', f'epochs of {result["epoch_images"]:,} pictures',
                  f'{"epoch":>10}{"us a picture":>29}{"main MB":>9}']
        for row in _some(result['epochs']):
            lines.append(f'{row["epoch"]:10}{row["picture_us"]:29.0f}'
                         f'{row["main_mb"]:9.1f}')
        return '\n'.join(lines)


class _WithMemory(TextImageDataset):
    """Gives the memory of its process with a picture of each batch."""

    reads = 0

    def __getitem__(self, index: int) -> Dict[str, Any]:
        """Both views, and the bytes."""
        item = dict(super().__getitem__(index))
        # Looking takes as long as several pictures.
        own = private_memory()['own'] if self.reads % BATCH == 0 else 0
        self.reads += 1
        return dict(inputs=item['inputs'], own=own)


def read_set(path: Path, images: int) -> Dict[str, float]:
    """Read a part of a set in training's order; in a process of its own."""
    torch.set_num_threads(1)
    cv2.setNumThreads(0)
    start = time.perf_counter()
    dataset = _WithMemory(
        str(path), pipeline=[TRANSFORMS.build(dict(step, _scope_='mmocr'))
                             for step in
                             Config.fromfile(CONFIG)['lmim_pipeline']])
    loader = DataLoader(
        dataset, BATCH, num_workers=1, persistent_workers=True,
        drop_last=True,
        sampler=LeanSampler(dataset, shuffle=True, seed=0),
        collate_fn=default_collate)
    batches: Iterator[Dict[str, Any]] = iter(loader)
    worker = int(next(batches)['own'].max())
    first = time.perf_counter()
    # As training does, batches are taken across the ends of epochs.
    for _ in range(images // BATCH):
        batch = next(batches, None)
        if batch is None:
            batches = iter(loader)
            batch = next(batches)
        worker = int(batch['own'].max())
    end = time.perf_counter()
    return {'first_s': round(first - start, 3),
            'picture_us': round(
                (end - first) / (images // BATCH * BATCH) * 1e6, 1),
            'main_mb': round(private_memory()['own'] / MB, 1),
            'worker_mb': round(worker / MB, 1)}


def _epochs(events: List[Dict[str, Any]]) -> List[Dict[str, float]]:
    """Time for a picture, and memory, by epoch."""
    rows: List[Dict[str, float]] = []
    begin = 0
    for number, event in enumerate(events):
        if event['event'] == 'epoch':
            times = step_times(events[begin:number], skip=1)
            rows.append({
                'epoch': len(rows) + 1,
                'picture_us': round(
                    sum(times) / max(1, len(times)) / BATCH * 1e6, 1),
                'main_mb': round(event['own'] / MB, 1)})
            begin = number
    return rows


def _some(rows: List[Dict[str, float]]) -> List[Dict[str, float]]:
    """At most ten of the rows, the first and the last among them."""
    picked = {round(index * (len(rows) - 1) / 9) for index in range(10)}
    return [rows[index] for index in sorted(picked)] if rows else []
