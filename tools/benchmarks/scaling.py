"""`scaling`: whether memory and time per picture grow with the set."""
import argparse
import tempfile
import time
from pathlib import Path
from typing import Any, Dict, Iterator, Optional

import cv2
import torch
from torch.utils.data import DataLoader, default_collate

from lmim.cli import Command, at_least
from lmim.datasets import LeanSampler, TextImageDataset

from .measuring import in_a_child, memory_mb, table
from .pipeline import lmim_pipeline, make_lmdb

BATCH = 64


class ScalingBenchmark(Command):
    """Read generated LMDBs of three sizes.

    A worker reads a set in the shuffled order of training, decodes, and makes
    both views of pre-training; the same number of pictures of each set, in a
    process of its own. Reported is the time from opening the set to the first
    batch, the time for a picture after it, and the memory that the main
    process and the worker have written to and share with no other
    (Private_Dirty of /proc/self/smaps_rollup, Linux).
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
                rows.append(dict(records=count, **in_a_child(
                    read_set, str(path), args.images)))
        return {'images': args.images, 'rows': rows}

    def report(self, result: Dict[str, Any]) -> str:
        """The sets as a table."""
        return f'{result["images"]:,} pictures of each set\n' + table(
            ['records', 'first batch s', 'us a picture', 'main MB',
             'worker MB'],
            [[f'{row["records"]:,}', *list(row.values())[1:]]
             for row in result['rows']])


class _WithMemory(TextImageDataset):
    """Adds the memory of its process to a picture of each batch."""

    reads = 0

    def __getitem__(self, index: int) -> Dict[str, Any]:
        """Both views, and the megabytes."""
        inputs = dict(super().__getitem__(index))['inputs']
        # Reading it takes as long as several pictures.
        own = (memory_mb('Private_Dirty') if self.reads % BATCH == 0 else 0)
        self.reads += 1
        return dict(inputs=inputs, own=own or 0.)


def read_set(path: str, images: int) -> Dict[str, Optional[float]]:
    """Read a part of a set in training's order; in a process of its own."""
    torch.set_num_threads(1)
    cv2.setNumThreads(0)
    before = memory_mb('Private_Dirty')
    start = time.perf_counter()
    dataset = _WithMemory(path, pipeline=lmim_pipeline())
    loader = DataLoader(
        dataset, min(BATCH, len(dataset)), num_workers=1, drop_last=True,
        persistent_workers=True, sampler=LeanSampler(
            dataset, shuffle=True, seed=0), collate_fn=default_collate)

    def endless() -> Iterator[Dict[str, Any]]:
        while True:  # across the ends of epochs, as training does
            yield from loader

    batches = endless()
    batch = next(batches)
    first = time.perf_counter()
    done = 0
    while done < images:
        batch = next(batches)
        done += len(batch['own'])
    end = time.perf_counter()
    main = memory_mb('Private_Dirty')
    worker = round(float(batch['own'].max()), 1)
    return {'first_s': round(first - start, 3),
            'picture_us': round((end - first) / done * 1e6, 1),
            'main_mb': None if main is None or before is None else round(
                main - before, 1),
            'worker_mb': worker or None}
