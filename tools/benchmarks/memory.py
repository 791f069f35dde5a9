"""`memory`: what accumulation and activation checkpointing save and cost."""
import argparse
import time
from itertools import product
from statistics import median
from typing import Any, Dict, Optional, Tuple

import torch

from lmim.cli import Command, at_least, track
from lmim.utils.errors import UserError

from .measuring import in_a_child, memory_mb, table
from .models import build_pretrain, optimizer_of, random_pictures
from .steps import add_model_arguments, precisions_of, pretrain_data


class MemoryBenchmark(Command):
    """A step of LMIM pre-training, in less memory for more time.

    A step has a number of images in each case: they are handed over at once
    or in parts whose gradients add up (optim_wrapper.accumulative_counts),
    with or without activation checkpointing in the encoder
    (model.backbone.with_cp). Weights and pictures are random.

    Each case has a process of its own. "peak" is the most that it had at
    once: on a CPU with Python and its libraries (Linux), on a GPU what torch
    allocated.
    """

    name = 'memory'
    summary = 'memory and time of accumulation and activation checkpointing'

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the arguments."""
        add_model_arguments(parser, 'base', rounds=3)
        add = parser.add_argument
        add('--batch', type=at_least(1), default=64, metavar='N',
            help='images of a step (default: %(default)s)')
        add('--accumulate', type=at_least(1), nargs='+', default=[1, 4],
            metavar='N', help='parts of a step (default: 1 4)')

    def run(self, args: argparse.Namespace) -> Dict[str, Any]:
        """Measure each case.

        Raises:
            UserError: If a step cannot be divided so.
        """
        for parts in args.accumulate:
            if args.batch % parts:
                raise UserError(f'--batch {args.batch} cannot be divided by '
                                f'--accumulate {parts}')
        cases = list(product(precisions_of(args), args.accumulate,
                             (False, True)))
        rows = []
        for precision, parts, with_cp in track(cases, len(cases), 'cases'):
            seconds, peak = in_a_child(
                measure, args.arch, args.device, precision, args.batch, parts,
                with_cp, args.rounds, torch.get_num_threads())
            rows.append(dict(precision=precision, accumulate=parts,
                             with_cp=with_cp, seconds=seconds, peak_mb=peak))
        return {'arch': args.arch, 'batch': args.batch, 'device': args.device,
                'rows': rows}

    def report(self, result: Dict[str, Any]) -> str:
        """The cases as a table."""
        return (f'LMIM, ViT {result["arch"]}, {result["batch"]} images a step '
                f'on {result["device"]}\n' + table(
                    ['', 'parts', 'with_cp', 'seconds a step', 'peak MB'],
                    [[row['precision'], row['accumulate'],
                      'yes' if row['with_cp'] else 'no', row['seconds'],
                      row['peak_mb']] for row in result['rows']]))


def measure(arch: str, device: str, precision: str, batch: int, parts: int,
            with_cp: bool, rounds: int, threads: int
            ) -> Tuple[float, Optional[float]]:
    """Seconds of the median step and the peak in MB, in its own process."""
    torch.set_num_threads(threads)
    model = build_pretrain(arch, device).train()
    model.backbone.with_cp = with_cp
    wrapper = optimizer_of(model, 'pretrain_adamw_cosine', precision,
                           accumulative_counts=parts)
    seconds = []
    for _ in range(1 + rounds):  # the first makes the optimizer's state
        start = time.perf_counter()
        for _ in range(parts):
            views = random_pictures(2 * batch // parts, device).chunk(2)
            model.train_step(pretrain_data(*views), wrapper)
        if device == 'cuda':
            torch.cuda.synchronize()
        seconds.append(time.perf_counter() - start)
    peak = memory_mb('VmHWM')
    if device == 'cuda':
        peak = round(torch.cuda.max_memory_allocated() / 2**20, 1)
    return round(median(seconds[1:]), 4), peak
