"""`memory`: what accumulation and activation checkpointing save and cost."""
import argparse
import time
from statistics import median
from typing import Any, Dict, List

import torch

from lmim.cli.command import Command, at_least
from lmim.utils.errors import UserError
from lmim.utils.progress import track

from .measuring import in_a_child, in_table, peak_mb
from .models import build_pretrain, optimizer_of, random_pictures
from .steps import add_model_arguments, precisions_of, pretrain_data


class MemoryBenchmark(Command):
    """A step of LMIM pre-training, in less memory for more time.

    A step has a number of images in each case: they are handed over at once
    or in parts whose gradients add up (optim_wrapper.accumulative_counts),
    with or without activation checkpointing in the encoder
    (model.backbone.with_cp). Weights and pictures are random.

    Each case has a process of its own. "peak" is the most that it had at once
    within a step, of which "base" was there before: weights, the optimizer's
    state, and on a CPU Python with its libraries. On a GPU it is what torch
    allocated.
    """

    name = 'memory'
    summary = 'memory and time of accumulation and activation checkpointing'

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the arguments."""
        add_model_arguments(parser, 'base')
        add = parser.add_argument
        add('--batch', type=at_least(1), default=64, metavar='N',
            help='images of a step (default: %(default)s)')
        add('--accumulate', type=at_least(1), nargs='+', default=[1, 4],
            metavar='N', help='parts of a step (default: 1 4)')
        add('--rounds', type=at_least(1), default=3,
            help='steps that are measured, after one that is not (default: '
            '%(default)s)')

    def run(self, args: argparse.Namespace) -> Dict[str, Any]:
        """Measure each case.

        Raises:
            UserError: If a step cannot be divided so.
        """
        for parts in args.accumulate:
            if args.batch % parts:
                raise UserError(f'--batch {args.batch} cannot be divided by '
                                f'--accumulate {parts}')
        cases = [(precision, parts, with_cp)
                 for precision in precisions_of(args)
                 for parts in args.accumulate for with_cp in (False, True)]
        rows: List[Dict[str, Any]] = []
        for precision, parts, with_cp in track(cases, len(cases), 'cases'):
            found = in_a_child(
                measure, args.arch, args.device, precision, args.batch, parts,
                with_cp, args.rounds, torch.get_num_threads())
            rows.append(dict(precision=precision, accumulate=parts,
                             with_cp=with_cp, **found))
        return {'arch': args.arch, 'batch': args.batch, 'device': args.device,
                'rows': rows}

    def report(self, result: Dict[str, Any]) -> str:
        """The cases as a table."""
        lines = [
            f'LMIM, ViT {result["arch"]}, {result["batch"]} images a step '
            f'on {result["device"]}',
            f'{"":5}{"parts":>6}{"with_cp":>9}{"base MB":>9}{"peak MB":>9}'
            f'{"s a step":>10}{"time":>7}']
        for row in result['rows']:
            lines.append(
                f'{row["precision"]:5}{row["accumulate"]:6}'
                f'{"yes" if row["with_cp"] else "no":>9}'
                f'{in_table(row["base_mb"]):>9}{in_table(row["peak_mb"]):>9}'
                f'{row["seconds"]:10.2f}'
                f'{row["seconds"] / result["rows"][0]["seconds"]:7.2f}')
        return '\n'.join(lines)


def measure(arch: str, device: str, precision: str, batch: int, parts: int,
            with_cp: bool, rounds: int, threads: int) -> Dict[str, Any]:
    """Memory and time of a step; called in a process of its own.

    Returns:
        dict: ``seconds`` (the median step), ``base_mb`` and ``peak_mb``
        (None where the system does not report it).
    """
    torch.set_num_threads(threads)
    model = build_pretrain(arch, device).train()
    model.backbone.with_cp = with_cp
    wrapper = optimizer_of(model, 'pretrain_adamw_cosine', precision,
                           accumulative_counts=parts)

    def step() -> None:
        for _ in range(parts):
            views = random_pictures(2 * batch // parts, device).chunk(2)
            model.train_step(pretrain_data(*views), wrapper)
        if device == 'cuda':
            torch.cuda.synchronize()

    step()  # makes the optimizer's state
    base, peak = peak_mb(lambda: None, device), peak_mb(step, device)
    seconds = []
    for _ in range(rounds):
        start = time.perf_counter()
        step()
        seconds.append(time.perf_counter() - start)
    return {'seconds': round(median(seconds), 4), 'base_mb': base,
            'peak_mb': peak}
