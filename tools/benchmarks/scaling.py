"""`scaling`: whether memory and time per picture grow with the set."""
import argparse
import tempfile
import time
from pathlib import Path
from typing import Any, Dict, Iterator

import cv2
import torch
from torch.utils.data import DataLoader, default_collate

from lmim.cli.command import Command, at_least
from lmim.datasets import LeanSampler, TextImageDataset

from .measuring import in_a_child, in_table, private_mb
from .pipeline import lmim_pipeline
from .sets import MAKERS, rendered_files

BATCH = 64


class ScalingBenchmark(Command):
    """Read generated sets of three sizes.

    A worker reads a set in the shuffled order of training, decodes, and makes
    both views of pre-training; the same number of pictures of each set, in a
    process of its own. Reported is the time from opening the set to the first
    batch, the time for a picture after it, and the memory that the main
    process and the worker have written to and share with no other
    (Private_Dirty of /proc/self/smaps_rollup, Linux).
    """

    name = 'scaling'
    summary = 'memory and time per picture by the size and kind of the set'

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the arguments."""
        add = parser.add_argument
        add('--records', type=at_least(100), default=10**6, metavar='N',
            help='of the largest set; a hundredth and a tenth are measured, '
            'too (default: %(default)s, of which an LMDB takes 2 GB)')
        add('--images', type=at_least(BATCH), default=10**4, metavar='N',
            help='that are read of each set (default: %(default)s)')
        add('--kind', nargs='+', choices=list(MAKERS), default=['lmdb'],
            help='an LMDB, a list of paths and labels, or the JSON of MMOCR '
            '(default: lmdb)')
        add('--folder', metavar='DIR',
            help='where the sets are made for the time of the benchmark '
            "(default: the system's folder for such)")

    def run(self, args: argparse.Namespace) -> Dict[str, Any]:
        """Make the sets and read them."""
        rows = []
        images = rendered_files()
        with tempfile.TemporaryDirectory(dir=args.folder) as folder:
            for kind in args.kind:
                for part in (100, 10, 1):
                    count = args.records // part
                    path = Path(folder) / f'{kind}-{count}'
                    MAKERS[kind](path, count, images)
                    rows.append(dict(kind=kind, records=count, **in_a_child(
                        read_set, path, args.images)))
        return {'images': args.images, 'rows': rows}

    def report(self, result: Dict[str, Any]) -> str:
        """The sets as a table."""
        lines = [f'{result["images"]:,} pictures of each set',
                 f'{"kind":5}{"records":>11}{"first batch s":>15}'
                 f'{"us a picture":>14}{"main MB":>9}{"worker MB":>11}']
        for row in result['rows']:
            lines.append(f'{row["kind"]:5}{row["records"]:11,}'
                         f'{row["first_s"]:15.2f}{row["picture_us"]:14.0f}'
                         f'{in_table(row["main_mb"], 1):>9}'
                         f'{in_table(row["worker_mb"], 1):>11}')
        return '\n'.join(lines)


class _WithMemory(TextImageDataset):
    """Adds the memory of its process to a picture of each batch."""

    reads = 0

    def __getitem__(self, index: int) -> Dict[str, Any]:
        """Both views, and the megabytes."""
        inputs = dict(super().__getitem__(index))['inputs']
        # Reading it takes as long as several pictures.
        own = (private_mb() or 0.) if self.reads % BATCH == 0 else 0.
        self.reads += 1
        return dict(inputs=inputs, own=own)


def read_set(path: Path, images: int) -> Dict[str, Any]:
    """Read a part of a set in training's order; in a process of its own."""
    torch.set_num_threads(1)
    cv2.setNumThreads(0)
    before = private_mb()
    start = time.perf_counter()
    dataset = _WithMemory(str(path), pipeline=lmim_pipeline())
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
    main = private_mb()
    return {'first_s': round(first - start, 3),
            'picture_us': round((end - first) / done * 1e6, 1),
            'main_mb': None if main is None or before is None else round(
                main - before, 1),
            'worker_mb': None if main is None else round(
                float(batch['own'].max()), 1)}
