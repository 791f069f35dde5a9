"""`memory`: what accumulation and activation checkpointing save and cost."""
import argparse
import time
from itertools import product
from statistics import median
from typing import Any, Dict

import torch

from lmim.cli import at_least, track
from lmim.utils.errors import UserError

from .measuring import Benchmark, in_a_child, memory_mb
from .models import build, optimizer_of
from .steps import add_model_arguments, precisions_of, pretrain_data


class MemoryBenchmark(Benchmark):
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
        return {
            'title': f'LMIM, ViT {args.arch}, {args.batch} images a step on '
            f'{args.device}', 'rows': [
                in_a_child(measure, args, torch.get_num_threads(), *case)
                for case in track(cases, len(cases), 'cases')]}


def measure(args: argparse.Namespace, threads: int, precision: str,
            parts: int, with_cp: bool) -> Dict[str, Any]:
    """The row of a case, in its own process."""
    torch.set_num_threads(threads)
    model = build('pretrain', args.arch, args.device).train()
    model.backbone.with_cp = with_cp
    wrapper = optimizer_of(model, 'pretrain_adamw_cosine', precision,
                           accumulative_counts=parts)
    seconds = []
    for _ in range(1 + args.rounds):  # the first makes the optimizer's state
        start = time.perf_counter()
        for _ in range(parts):
            model.train_step(pretrain_data(args.batch // parts, args.device),
                             wrapper)
        if args.device == 'cuda':
            torch.cuda.synchronize()
        seconds.append(time.perf_counter() - start)
    peak = memory_mb('VmHWM')
    if args.device == 'cuda':
        peak = round(torch.cuda.max_memory_allocated() / 2**20, 1)
    return {'precision': precision, 'parts': parts,
            'with_cp': 'yes' if with_cp else 'no',
            'seconds a step': round(median(seconds[1:]), 4), 'peak MB': peak}
