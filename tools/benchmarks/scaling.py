"""`scaling`: whether memory and time per picture grow with the set."""
import argparse
import tempfile
import time
from itertools import chain, repeat
from multiprocessing import active_children
from pathlib import Path
from typing import Any, Dict

import cv2
import torch
from torch.utils.data import DataLoader, default_collate

from lmim.cli import at_least
from lmim.datasets import LeanSampler, TextImageDataset

from .measuring import Benchmark, in_a_child, memory_mb
from .pipeline import lmim_pipeline, make_lmdb

BATCH = 64


class ScalingBenchmark(Benchmark):
    """Read generated LMDBs of three sizes.

    A worker reads a set in the shuffled order of training, decodes, and makes
    both views of pre-training; the same number of pictures of each set, in a
    process of its own. Reported is the time from opening the set to the first
    batch, the time for a picture after it, and the memory that the main
    process and the worker have written to and share with no other
    (Private_Dirty of /proc/PID/smaps_rollup, Linux).
    """

    name = 'scaling'
    summary = 'memory and time per picture by the size of the set'

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the arguments."""
        add = parser.add_argument
        add('--records', type=at_least(100), default=10**6, metavar='N',
            help='of the largest set; a hundredth and a tenth are measured, '
            'too (default: %(default)s, which take 2 GB)')
        add('--images', type=at_least(BATCH), default=10**4, metavar='N',
            help='that are read of each set (default: %(default)s)')
        add('--folder', metavar='DIR',
            help='where the sets are made for the time of the benchmark '
            "(default: the system's folder for such)")

    def run(self, args: argparse.Namespace) -> Dict[str, Any]:
        """Make the sets and read them."""
        rows = []
        with tempfile.TemporaryDirectory(dir=args.folder) as folder:
            for count in (args.records // part for part in (100, 10, 1)):
                path = Path(folder) / str(count)
                make_lmdb(path, count)
                rows.append({'records': count, **in_a_child(
                    read_set, str(path), args.images)})
        return {'title': f'{args.images:,} pictures of each set', 'rows': rows}


def read_set(path: str, images: int) -> Dict[str, Any]:
    """Read a part of a set in training's order; in a process of its own."""
    torch.set_num_threads(1)
    cv2.setNumThreads(0)
    before = memory_mb('Private_Dirty')
    start = time.perf_counter()
    dataset = TextImageDataset(path, pipeline=lmim_pipeline())
    size = min(BATCH, len(dataset))
    loader = DataLoader(
        dataset, size, num_workers=1, drop_last=True, persistent_workers=True,
        sampler=LeanSampler(dataset, shuffle=True, seed=0),
        collate_fn=default_collate)
    # Across the ends of epochs, as training does.
    batches = chain.from_iterable(repeat(loader))
    next(batches)
    first = time.perf_counter()
    count = -(-images // size)
    for _ in range(count):
        next(batches)
    end = time.perf_counter()
    main = memory_mb('Private_Dirty')
    worker = [memory_mb('Private_Dirty', child.pid or 0)
              for child in active_children()][-1]
    return {'first batch s': round(first - start, 3),
            'us a picture': round((end - first) / (count * size) * 1e6, 1),
            'main MB': None if main is None or before is None else round(
                main - before, 1),
            'worker MB': worker}
