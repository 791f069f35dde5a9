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

from lmim.cli import at_least, track
from lmim.datasets import TextImageDataset
from lmim.datasets.lmdb_writer import LMDBWriter
from lmim.rendering import RenderedWords

from .measuring import Benchmark, Work, take_turns
from .models import CONFIGS
from .plain import PlainPipeline

_SEED = 7
#: Different pictures of a generated set; each is used again and again.
PICTURES = 64


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
        add('--batches', type=at_least(1), default=4, metavar='N',
            help='of ours in a round; the plain reference makes a quarter, '
            'at least one (default: %(default)s)')
        add('--rounds', type=at_least(1), default=5,
            help='(default: %(default)s)')

    def run(self, args: argparse.Namespace) -> Dict[str, Any]:
        """Measure both."""
        cv2.setNumThreads(0)
        torch.set_num_threads(1)
        for seed in (random.seed, np.random.seed, torch.manual_seed):
            seed(_SEED)
        with tempfile.TemporaryDirectory() as folder:
            path = args.source or f'{folder}/rendered'
            if args.source is None:
                make_lmdb(Path(path), 1000)
            dataset = TextImageDataset(path, pipeline=lmim_pipeline())
            plain = PlainPipeline(dataset.source.read)
            rng = random.Random(_SEED)

            def side(make: Callable[[List[int]], Any], batches: int) -> Work:
                def work() -> None:
                    for _ in range(batches):
                        views = make(rng.choices(range(len(dataset)),
                                                 k=args.batch))
                        assert [view.shape for view in views] == [
                            (args.batch, 3, 32, 128)] * 2

                return work, batches * args.batch

            return {
                'title': f'{len(dataset):,} records of '
                f'{args.source or "rendered words"}, one thread, batches of '
                f'{args.batch}',
                'rows': take_turns({
                    'plain': side(plain.batch, max(1, args.batches // 4)),
                    'ours': side(lambda indices: default_collate(
                        [dataset[index] for index in indices])['inputs'],
                        args.batches)}, args.rounds)}


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
