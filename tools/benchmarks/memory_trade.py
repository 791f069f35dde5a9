"""`memory`: what accumulation and activation checkpointing save and cost."""
import argparse
import time
from functools import partial
from statistics import median
from typing import Any, Dict, List, Optional

import torch

from lmim.cli.command import Command, at_least
from lmim.utils.progress import track
from lmim.models.backbones import TextViT

from .children import in_a_child
from .memory import PeakMemory
from .model_benchmark import default_precisions, random_pictures
from .models import build_pretrain, optimizer_of
from .peak import wait

#: In MB; what ViT-B is to be trained in.
GOAL = 8 * 1024


class MemoryBenchmark(Command):
    """A step of LMIM pre-training, in less memory for more time.

    A step has a number of images whatever is tried: they are handed over at
    once or in parts whose gradients add up
    (optim_wrapper.accumulative_counts), with or without activation
    checkpointing in the encoder (model.backbone.with_cp). Weights and
    pictures are random.

    Each way has a process of its own. "peak" is the most that it had at once
    within a step, of which "base" was there before: weights, the optimizer's
    state, and on a CPU Python with its libraries. On a GPU it is what torch
    allocated.
    """

    name = 'memory'
    summary = 'memory and time of accumulation and activation checkpointing'

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the arguments."""
        add = parser.add_argument
        add('--arch', choices=sorted(TextViT.arch_zoo), default='base',
            help='of the ViT (default: %(default)s)')
        add('--batch', type=at_least(1), default=64, metavar='N',
            help='images of a step (default: %(default)s)')
        add('--accumulate', type=at_least(1), nargs='+', default=[1, 4],
            metavar='N', help='parts of a step (default: 1 4)')
        add('--device', choices=['cpu', 'cuda'],
            default='cuda' if torch.cuda.is_available() else 'cpu',
            help='(default here: %(default)s)')
        add('--precision', choices=['fp32', 'bf16'],
            help='(default: bf16 where the device computes in it)')
        add('--rounds', type=at_least(1), default=3,
            help='steps that are measured, after one that is not (default: '
            '%(default)s)')

    def run(self, args: argparse.Namespace) -> Dict[str, Any]:
        """Measure each way.

        Raises:
            ValueError: If a step cannot be divided so.
        """
        for parts in args.accumulate:
            if args.batch % parts:
                raise ValueError(f'--batch {args.batch} cannot be divided by '
                                 f'--accumulate {parts}')
        precision = args.precision or default_precisions(args.device)[-1]
        ways = [(parts, with_cp) for parts in args.accumulate
                for with_cp in (False, True)]
        rows: List[Dict[str, Any]] = []
        for parts, with_cp in track(ways, len(ways), 'ways'):
            found = in_a_child(
                measure, args.arch, args.device, precision, args.batch, parts,
                with_cp, args.rounds, torch.get_num_threads(), start='spawn')
            rows.append(dict(accumulate=parts, with_cp=with_cp, **found))
        for row in rows:
            row['time_ratio'] = round(row['seconds'] / rows[0]['seconds'], 2)
        return {'arch': args.arch, 'batch': args.batch, 'device': args.device,
                'precision': precision, 'goal_mb': GOAL, 'rows': rows}

    def report(self, result: Dict[str, Any]) -> str:
        """Tell it as a table."""
        lines = [
            f'LMIM, ViT {result["arch"]}, {result["batch"]} images a step, '
            f'{result["precision"]} on {result["device"]}',
            f'{"parts":>5}{"with_cp":>9}{"base MB":>9}{"peak MB":>9}'
            f'{"within 8 GB":>13}{"s a step":>10}{"images/s":>10}{"time":>7}']
        for row in result['rows']:
            peak, fits = '-', '-'
            if row['peak_mb'] is not None:
                peak = f'{row["peak_mb"]:,}'
                fits = 'yes' if row['peak_mb'] <= result['goal_mb'] else 'no'
            base = '-' if row['base_mb'] is None else f'{row["base_mb"]:,}'
            lines.append(
                f'{row["accumulate"]:5}{"yes" if row["with_cp"] else "no":>9}'
                f'{base:>9}{peak:>9}{fits:>13}{row["seconds"]:10.2f}'
                f'{result["batch"] / row["seconds"]:10.1f}'
                f'{row["time_ratio"]:7.2f}')
        return '\n'.join(lines)


def measure(arch: str, device: str, precision: str, batch: int, parts: int,
            with_cp: bool, rounds: int, threads: int) -> Dict[str, Any]:
    """Memory and time of a step; called in a process of its own.

    Returns:
        dict: ``seconds`` (the median step), ``base_mb`` and ``peak_mb``
        (None where the system does not tell).
    """
    torch.set_num_threads(threads)
    model = build_pretrain(arch, device).train()
    model.backbone.with_cp = with_cp
    wrapper = optimizer_of(model, 'pretrain_adamw_cosine', precision,
                           accumulative_counts=parts)
    step = partial(_step, model, wrapper, batch // parts, parts, device)
    step()  # makes the optimizer's state
    base = _peak(lambda: None, device)
    peak = _peak(step, device)
    seconds = []
    for _ in range(rounds):
        start = time.perf_counter()
        step()
        seconds.append(time.perf_counter() - start)
    return {'seconds': round(median(seconds), 4), 'base_mb': base,
            'peak_mb': peak}


def _step(model: Any, wrapper: Any, images: int, parts: int,
          device: str) -> None:
    """An update of the weights from so many parts."""
    for _ in range(parts):
        views = random_pictures(2 * images, device).chunk(2)
        model.train_step(dict(inputs=list(views),
                              data_samples=torch.arange(images)), wrapper)
    wait(device)


def _peak(work: Any, device: str) -> Optional[int]:
    with PeakMemory(device) as memory:
        work()
    return None if memory.megabytes is None else round(memory.megabytes)
