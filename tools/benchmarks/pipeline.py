"""`pipeline`: from an unlabelled LMDB to batches of both views."""
import argparse
import random
import tempfile
from pathlib import Path
from typing import Any, Dict, Iterator, List

import cv2
import numpy as np
import torch
from mmengine.config import Config
from mmocr.registry import TRANSFORMS
from torch.utils.data import default_collate

from lmim.cli.command import Command, at_least
from lmim.datasets import GuidanceView, TextImageDataset
from lmim.datasets.decoding import decode_image
from lmim.datasets.transforms.guidance_view import OPERATIONS
from lmim.visualization import save_figure

from .plain.guidance import PlainGuidanceView, PlainPipeline
from .profiling import profile_table
from .reader_sets import make_lmdb, pictures
from .tables import rates_table
from .turns import Work, take_turns
from .view_pictures import draw_both
from .view_statistics import (DIFFERENT, Draw, check_views, size_of,
                              statistics)

CONFIG = (Path(__file__).parents[2]
          / 'configs/_base_/pretrain_dataloader.py')
_SEED = 7


class PipelineBenchmark(Command):
    """Read pictures, decode them, and make both views, in one thread.

    Ours is TextImageDataset with lmim_pipeline of configs/_base_ and torch's
    default_collate. The plain reference reads the same files, decodes with
    Pillow, composes the guidance view in imgaug, and resizes and colours with
    Pillow and torchvision. Both give a batch of two uint8 tensors.

    Before they are measured, statistics of their guidance views must agree:
    brightness, contrast, saturation, how many are grey, angles of rotation
    and how far a bend moves points. Colours are compared without perspective
    and bend: these differ on purpose, as imgaug's move parts of the picture
    out of sight.
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
        add('--views', type=at_least(200), default=600, metavar='N',
            help='drawn for each statistic (default: %(default)s)')
        add('--sheet', metavar='FILE', help='views by both ways, as PNG')
        add('--device', choices=['cpu'], default='cpu',
            help='pictures are read and drawn on the CPU')
        add('--profile', action='store_true',
            help="add torch.profiler's table of a batch of ours")

    def run(self, args: argparse.Namespace) -> Dict[str, Any]:
        """Check and measure."""
        threads = cv2.getNumThreads(), torch.get_num_threads()
        cv2.setNumThreads(0)
        torch.set_num_threads(1)
        _seed()
        try:
            views = check_views(statistics(our_view, args.views),
                                statistics(plain_view, args.views))
            with tempfile.TemporaryDirectory() as folder:
                path = args.source
                if path is None:
                    path = str(Path(folder) / 'rendered')
                    make_lmdb(Path(path), 1000, pictures())
                return self._measure(path, args, views)
        finally:
            cv2.setNumThreads(threads[0])
            torch.set_num_threads(threads[1])

    @staticmethod
    def _measure(path: str, args: argparse.Namespace,
                 views: Dict[str, Any]) -> Dict[str, Any]:
        dataset = TextImageDataset(
            path, pipeline=[TRANSFORMS.build(dict(step, _scope_='mmocr'))
                            for step in
                            Config.fromfile(CONFIG)['lmim_pipeline']])
        plain = PlainPipeline(dataset.source.read)
        if args.sheet:
            save_figure(draw_both([
                decode_image(dataset.source.read(index))
                for index in range(min(6, len(dataset)))]), args.sheet)
        result: Dict[str, Any] = {
            'unit': 'images/s', 'source': args.source or 'rendered words',
            'records': len(dataset), 'views': views, 'batches': []}
        for batch in args.batch:
            ours = _Round(dataset, batch, args.batches, _our_batch)
            sides: Dict[str, Work] = {
                'plain': _Round(plain, batch, max(1, args.batches // 4),
                                PlainPipeline.batch, len(dataset)),
                'ours': ours}
            row: Dict[str, Any] = {'batch': batch, 'rows': take_turns(
                sides, args.rounds, title=f'batches of {batch}')}
            if args.profile:
                row['profile'] = profile_table(ours)
            result['batches'].append(row)
        return result

    def report(self, result: Dict[str, Any]) -> str:
        """Tell the statistics, and a table for each batch size."""
        lines = [f'{result["records"]:,} records of {result["source"]}, one '
                 'thread', f'{"guidance view":28}{"ours":>9}{"plain":>9}'
                 f'{"allowed":>9}']
        lines += [f'{name:28}{row["ours"]:9.4g}{row["plain"]:9.4g}'
                  f'{row["allowed difference"]:9.3g}'
                  for name, row in result['views'].items()]
        for each in result['batches']:
            lines += ['', f'batches of {each["batch"]}',
                      rates_table(each['rows']), each.get('profile', '')]
        return '\n'.join(lines).rstrip()


class _Round:
    """Some batches of records drawn at random."""

    def __init__(self, reader: Any, batch: int, batches: int, make: Any,
                 records: int = 0) -> None:
        self.indices = self._drawn(records or len(reader), batch)
        self.reader, self.make = reader, make
        self.batch, self.batches = batch, batches

    @staticmethod
    def _drawn(records: int, batch: int) -> Iterator[List[int]]:
        rng = random.Random(_SEED)
        while True:
            yield [rng.randrange(records) for _ in range(batch)]

    def __call__(self) -> int:
        for _ in range(self.batches):
            both = self.make(self.reader, next(self.indices))
            assert [view.shape for view in both] == [
                (self.batch, 3, 32, 128)] * 2
        return self.batch * self.batches


def _our_batch(dataset: TextImageDataset,
               indices: List[int]) -> List[torch.Tensor]:
    return default_collate([dataset[index] for index in indices])['inputs']


def _seed() -> None:
    """What each side draws from."""
    import imgaug
    random.seed(_SEED)
    np.random.seed(_SEED)
    torch.manual_seed(_SEED)
    imgaug.random.seed(_SEED)


def our_view(*only: str) -> Draw:
    """Our transform, as :func:`.view_statistics.statistics` takes it."""
    options: Dict[str, Any] = dict.fromkeys(DIFFERENT)
    if only:
        options = {name: None for name in OPERATIONS if name not in only}
        options.update(color_jitter_prob=0., gray_prob=0.)
    transform = GuidanceView('medium', size_of(only), **options)
    return lambda img: transform(dict(img=img))['guidance_img']


def plain_view(*only: str) -> Draw:
    """The plain reference, as :func:`.view_statistics.statistics` takes it."""
    return PlainGuidanceView(size_of(only), only, DIFFERENT)
