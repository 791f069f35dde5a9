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

from lmim.cli.command import Command, at_least
from lmim.datasets import TextImageDataset

from .measuring import Work, rates_table, take_turns
from .models import CONFIGS
from .plain.guidance import PlainPipeline
from .sets import make_lmdb, rendered_files

_SEED = 7


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
        add('--batch', type=at_least(1), nargs='+', default=[64],
            metavar='N', help='(default: 64)')
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
                path = args.source
                if path is None:
                    path = str(Path(folder) / 'rendered')
                    make_lmdb(Path(path), 1000, rendered_files())
                return self._measure(path, args)
        finally:
            cv2.setNumThreads(threads[0])
            torch.set_num_threads(threads[1])

    @staticmethod
    def _measure(path: str, args: argparse.Namespace) -> Dict[str, Any]:
        dataset = TextImageDataset(path, pipeline=lmim_pipeline())
        plain = PlainPipeline(dataset.source.read)
        records, batches = len(dataset), []
        for batch in args.batch:
            sides: Dict[str, Work] = {
                'plain': _rounds(plain.batch, records, batch,
                                 max(1, args.batches // 4)),
                'ours': _rounds(
                    lambda indices: default_collate(
                        [dataset[index] for index in indices])['inputs'],
                    records, batch, args.batches)}
            batches.append({'batch': batch, 'rows': take_turns(
                sides, args.rounds, title=f'batches of {batch}')})
        return {'unit': 'images/s', 'records': records,
                'source': args.source or 'rendered words',
                'batches': batches}

    def report(self, result: Dict[str, Any]) -> str:
        """A table for each batch size."""
        lines = [f'{result["records"]:,} records of {result["source"]}, one '
                 'thread']
        for each in result['batches']:
            lines += ['', f'batches of {each["batch"]}',
                      rates_table(each['rows'])]
        return '\n'.join(lines)


def lmim_pipeline() -> List[Callable]:
    """The transforms of pre-training, as the configs have them."""
    cfg = Config.fromfile(CONFIGS / '_base_/pretrain_dataloader.py')
    return [TRANSFORMS.build(dict(step, _scope_='mmocr'))
            for step in cfg.lmim_pipeline]


def _rounds(make: Callable[[List[int]], Any], records: int, batch: int,
            batches: int) -> Work:
    """Makes some batches of records that are drawn at random."""
    rng = random.Random(_SEED)

    def work() -> int:
        for _ in range(batches):
            views = make([rng.randrange(records) for _ in range(batch)])
            assert [view.shape for view in views] == [(batch, 3, 32, 128)] * 2
        return batch * batches

    return work
