"""From an unlabelled LMDB to batches of both views; sets of three sizes."""
import argparse
import random
import tempfile
import time
from functools import partial
from itertools import chain, repeat
from multiprocessing import active_children
from pathlib import Path
from typing import Any, Callable, Dict, List

import cv2
import numpy as np
import torch
from mmengine.config import Config
from mmocr.registry import TRANSFORMS
from torch.utils.data import DataLoader, default_collate

from lmim.cli import at_least, track
from lmim.datasets import LeanSampler, TextImageDataset
from lmim.datasets.lmdb_writer import LMDBWriter
from lmim.rendering import RenderedWords

from .measuring import Benchmark, in_a_child, memory_mb, take_turns
from .models import CONFIGS
from .plain import PlainPipeline

_SEED = 7
#: Different pictures of a generated set; each is used again and again.
PICTURES = 64
#: Batches of each side in a round; pictures of a batch of `scaling`.
BATCHES, LOADED = 2, 64


class PipelineBenchmark(Benchmark):
    """Read pictures, decode them, and make both views, in one thread.

    Ours is TextImageDataset with lmim_pipeline of configs/_base_ and torch's
    default_collate. The plain reference reads the same files, decodes with
    Pillow, composes the guidance view in imgaug, and resizes and colours with
    Pillow and torchvision. Both give a batch of two uint8 tensors.
    """

    name = 'pipeline'
    summary = 'both views of pictures in an LMDB, per second and core'

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the arguments."""
        add = parser.add_argument
        add('--source', metavar='PATH',
            help='an LMDB or folder, such as crops of yours (default: '
            'rendered words, made for the time of the benchmark)')
        add('--batch', type=at_least(1), default=64, metavar='N',
            help='(default: %(default)s)')
        add('--rounds', type=at_least(1), default=5,
            help='(default: %(default)s)')

    def measure(self, args: argparse.Namespace) -> Dict[str, Any]:
        """Measure both."""
        cv2.setNumThreads(0)
        torch.set_num_threads(1)
        for seed in (random.seed, np.random.seed, torch.manual_seed):
            seed(_SEED)
        with tempfile.TemporaryDirectory() as folder:
            path = args.source or f'{folder}/rendered'
            if args.source is None:
                make_lmdb(Path(path), 1000)
            dataset = TextImageDataset(path, pipeline=pipeline_of('workers'))
            plain = PlainPipeline(dataset.source.read)
            rng = random.Random(_SEED)

            def side(make: Callable[[List[int]], Any]) -> None:
                for _ in range(BATCHES):
                    views = make(rng.choices(range(len(dataset)),
                                             k=args.batch))
                    assert [view.shape for view in views] == [
                        (args.batch, 3, 32, 128)] * 2

            def ours(indices: List[int]) -> Any:
                return default_collate(
                    [dataset[index] for index in indices])['inputs']

            return {
                'title': f'{len(dataset):,} records of '
                f'{args.source or "rendered words"}, one thread, batches of '
                f'{args.batch}',
                'rows': take_turns(
                    {'plain': partial(side, plain.batch),
                     'ours': partial(side, ours)},
                    BATCHES * args.batch, args.rounds)}


def pipeline_of(views: str) -> List[Callable]:
    """The transforms of pre-training, as the configs have them.

    ``views`` says who makes guidance views, 'workers' or 'device'.
    """
    cfg = Config.fromfile(CONFIGS / '_base_/pretrain_dataloader.py')
    name = {'workers': 'lmim_pipeline', 'device': 'device_pipeline'}[views]
    return [TRANSFORMS.build(dict(step, _scope_='mmocr'))
            for step in cfg[name]]


def make_lmdb(path: Path, count: int) -> None:
    """An LMDB of rendered words, JPEG files of 1 to 2 KB, with labels."""
    words = RenderedWords(PICTURES)
    images = [cv2.imencode('.jpg', words[index].image)[1].tobytes()
              for index in range(PICTURES)]
    with LMDBWriter(path) as writer:
        for index in track(range(count), count, f'LMDB of {count:,}'):
            writer.add(images[index % PICTURES], f'word{index}')


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
            'too (default: %(default)s, which take 2 GB in TMPDIR)')
        add('--images', type=at_least(LOADED), default=10**4, metavar='N',
            help='that are read of each set (default: %(default)s)')

    def measure(self, args: argparse.Namespace) -> Dict[str, Any]:
        """Make the sets and read them."""
        rows = []
        with tempfile.TemporaryDirectory() as folder:
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
    dataset = TextImageDataset(path, pipeline=pipeline_of('workers'))
    size = min(LOADED, len(dataset))
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
