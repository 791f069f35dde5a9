"""How many pictures a second do workers deliver, and does a step wait?"""
import os
import time
from itertools import chain, repeat
from pathlib import Path
from typing import Any, Iterator

import cv2
import torch
from benchmarks.pipeline import make_lmdb, pipeline_of
from mmocr.registry import DATASETS
from torch.utils.data import DataLoader, default_collate

from lmim.datasets import LeanSampler

from .part import Room, read_room, synchronize
from .speed import Step

#: Seconds of each measurement.
SECONDS = 4.


def set_of(source: str, folder: Path, quick: bool) -> Any:
    """Pictures in an LMDB, or words that are rendered when they are read."""
    if source == 'LMDB':
        path = folder / 'pictures.lmdb'
        if not path.exists():
            make_lmdb(path, 500 if quick else 20_000)
        cfg: Any = dict(type='TextImageDataset', paths=str(path))
    else:
        cfg = dict(type='RenderedTextDataset', length=10**6, style='varied')
    return DATASETS.build(dict(cfg, _scope_='mmocr', pipeline=[]))


def batches_of(dataset: Any, workers: int, batch: int, pin: bool
               ) -> Iterator[Any]:
    """Batches of both views without an end, as training loads them."""
    loader = DataLoader(
        dataset, batch, num_workers=workers, drop_last=True, pin_memory=pin,
        persistent_workers=True, collate_fn=default_collate,
        sampler=LeanSampler(dataset, shuffle=True, seed=0),
        worker_init_fn=_one_thread)
    return chain.from_iterable(repeat(loader))


def _one_thread(worker: int) -> None:
    torch.set_num_threads(1)
    cv2.setNumThreads(0)


def rates(room: Room) -> int:
    """Pictures a second by the number of workers; the most of them."""
    cores = os.cpu_count() or 1
    numbers = [number for number in (14, 8, 4, 2, 1) if number <= cores]
    if room.quick:
        numbers = numbers[:1]
    batch = 32 if room.quick else 256
    seconds = 1. if room.quick else SECONDS
    for source, views in (('LMDB', 'workers'), ('rendered', 'workers'),
                          ('LMDB', 'device')):
        dataset = set_of(source, room.out, room.quick)
        dataset.pipeline.transforms.extend(pipeline_of(views))
        for workers in numbers:
            batches = batches_of(dataset, workers, batch,
                                 room.device == 'cuda')
            start = time.perf_counter()
            next(batches)
            first = time.perf_counter()
            count = 0
            # What was prepared ahead is not what workers keep up.
            ahead = 2 * workers
            while True:
                next(batches)
                count += 1
                if count == ahead:
                    begin, made = time.perf_counter(), 0
                elif count > ahead:
                    made += batch
                    if time.perf_counter() - begin > seconds:
                        break
            rate = made / (time.perf_counter() - begin)
            room.rows.add('loading', source=source, views_made_by=views,
                          workers=workers,
                          images_per_s=round(rate, 1),
                          each_worker=round(rate / workers, 1),
                          first_batch_s=round(first - start, 2))
            del batches
    return numbers[0]


def waiting(room: Room, workers: int) -> None:
    """A training of LMIM whose batches are loaded: what it waits for them."""
    arch, count = ('mini', 8) if room.quick else ('small', 512)
    steps = 4 if room.quick else 40
    for source in ('LMDB', 'rendered'):
        dataset = set_of(source, room.out, room.quick)
        dataset.pipeline.transforms.extend(pipeline_of('workers'))
        step = Step('LMIM', arch, count, room.device)
        for _ in range(3):
            step()
        batches = batches_of(dataset, workers, count, room.device == 'cuda')
        next(batches)
        waits = 0.
        synchronize(room.device)
        start = time.perf_counter()
        for _ in range(steps):
            before = time.perf_counter()
            step.batch = next(batches)
            waits += time.perf_counter() - before
            step()
        synchronize(room.device)
        taken = time.perf_counter() - start
        room.rows.add('waiting', source=source, workers=workers, batch=count,
                      images_per_s=round(steps * count / taken, 1),
                      waiting_share=round(waits / taken, 3))
        del batches


def main() -> None:
    """All of it."""
    room = read_room(__doc__ or '')
    torch.set_num_threads(1)
    cv2.setNumThreads(0)
    waiting(room, rates(room))


if __name__ == '__main__':
    main()
