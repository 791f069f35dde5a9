"""`pipeline`: from an unlabelled LMDB to batches of both views."""
import argparse
import random
import tempfile
from pathlib import Path
from typing import Any, Callable, Dict, List

import cv2
import numpy as np
import torch
from mmengine.config import Config
from mmocr.registry import TRANSFORMS
from torch.utils.data import default_collate

from lmim.cli import Command, at_least, track
from lmim.datasets import TextImageDataset
from lmim.datasets.lmdb_writer import LMDBWriter
from lmim.rendering import RenderedWords

from .measuring import Work, rates_table, take_turns
from .models import CONFIGS
from .plain.guidance import PlainPipeline

_SEED = 7
#: Different pictures of a generated set; each is used again and again.
PICTURES = 64


class PipelineBenchmark(Command):
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
        add('--batches', type=at_least(1), default=4, metavar='N',
            help='of ours in a round; the plain reference makes a quarter, '
            'at least one (default: %(default)s)')
        add('--rounds', type=at_least(1), default=5,
            help='(default: %(default)s)')

    def run(self, args: argparse.Namespace) -> Dict[str, Any]:
        """Measure both."""
        threads = cv2.getNumThreads(), torch.get_num_threads()
        cv2.setNumThreads(0)
        torch.set_num_threads(1)
        random.seed(_SEED)
        np.random.seed(_SEED)
        torch.manual_seed(_SEED)
        try:
            with tempfile.TemporaryDirectory() as folder:
                path = args.source or f'{folder}/rendered'
                if args.source is None:
                    make_lmdb(Path(path), 1000)
                dataset = TextImageDataset(path, pipeline=lmim_pipeline())
                plain = PlainPipeline(dataset.source.read)

                def ours(indices: List[int]) -> Any:
                    return default_collate(
                        [dataset[index] for index in indices])['inputs']

                rows = take_turns({
                    'plain': _round(plain.batch, len(dataset), args.batch,
                                    max(1, args.batches // 4)),
                    'ours': _round(ours, len(dataset), args.batch,
                                   args.batches)}, args.rounds)
                return {'unit': 'images/s', 'records': len(dataset),
                        'source': args.source or 'rendered words',
                        'batch': args.batch, 'rows': rows}
        finally:
            cv2.setNumThreads(threads[0])
            torch.set_num_threads(threads[1])

    def report(self, result: Dict[str, Any]) -> str:
        """A line for each side."""
        return (f'{result["records"]:,} records of {result["source"]}, one '
                f'thread, batches of {result["batch"]}\n'
                + rates_table(result['rows']))


def lmim_pipeline() -> List[Callable]:
    """The transforms of pre-training, as the configs have them."""
    cfg = Config.fromfile(CONFIGS / '_base_/pretrain_dataloader.py')
    return [TRANSFORMS.build(dict(step, _scope_='mmocr'))
            for step in cfg.lmim_pipeline]


def make_lmdb(path: Path, count: int) -> None:
    """An LMDB of rendered words, JPEG files of 1 to 2 KB, with labels."""
    words = RenderedWords(PICTURES)
    images = [cv2.imencode('.jpg', words[index].image)[1].tobytes()
              for index in range(PICTURES)]
    with LMDBWriter(path) as writer:
        for index in track(range(count), count, f'LMDB of {count:,}'):
            writer.add(images[index % PICTURES], f'word{index}')


def _round(make: Callable[[List[int]], Any], records: int, batch: int,
           batches: int) -> Work:
    """Makes some batches of records that are drawn at random."""
    rng = random.Random(_SEED)

    def work() -> int:
        for _ in range(batches):
            views = make([rng.randrange(records) for _ in range(batch)])
            assert [view.shape for view in views] == [(batch, 3, 32, 128)] * 2
        return batch * batches

    return work
