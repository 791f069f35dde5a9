"""`parallel`: two processes that train together, and two apart."""
import argparse
import os
import tempfile
from pathlib import Path
from statistics import median
from typing import Any, Dict, List

from lmim.cli.command import Command, at_least
from lmim.utils.progress import track
from lmim.models.backbones import TextViT

from .models import encoder_of
from .reader_sets import make_lmdb, pictures
from .training_runs import TrainingRun, step_times

#: Of the images per second of two runs apart.
GOAL = 0.85
PROCESSES = 2
#: Ways to exchange gradients, as the config has them.
WAYS: Dict[str, Dict[str, Any]] = {
    'as configured': {},
    'gradients as bucket views': dict(gradient_as_bucket_view=True),
    'static graph': dict(static_graph=True),
    'buckets of 100 MB': dict(bucket_cap_mb=100),
    'buckets of 5 MB': dict(bucket_cap_mb=5),
    # Of the optimizer wrapper.
    'every 4th step': dict(accumulative_counts=4),
}


class ParallelBenchmark(Command):
    """Two CPU processes that train together, beside two that train apart.

    Both sides are `tools/train.py` with LMIM's config of the ViT-S (a teacher
    with random weights), one thread and one core for each process, which
    reads its pictures itself. Together, they exchange gradients after each
    step by gloo, started by torch's launcher and wrapped by MMEngine. The
    share is that of the images per second of the two apart. What is lost is
    the exchange, and waiting for the slower of both: "every 4th step" shows
    how much of it the exchange is, as it is done then only.
    """

    name = 'parallel'
    summary = 'two CPU processes that train together, and two apart'

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the arguments."""
        add = parser.add_argument
        add('--arch', choices=sorted(TextViT.arch_zoo), default='small',
            help='of the ViT (default: %(default)s)')
        add('--batch', type=at_least(1), default=16, metavar='N',
            help='images of each process (default: %(default)s)')
        add('--steps', type=at_least(2), default=20, metavar='N',
            help='in each run; the first 2 do not count (default: '
            '%(default)s)')
        add('--rounds', type=at_least(1), default=3,
            help='(default: %(default)s)')
        add('--ways', nargs='+', choices=sorted(WAYS), metavar='WAY',
            default=list(WAYS), help='to exchange gradients (default: all of '
            f'{", ".join(map(repr, WAYS))})')
        add('--precision', choices=['fp32', 'bf16'], default='bf16',
            help='(default: %(default)s)')

    def run(self, args: argparse.Namespace) -> Dict[str, Any]:
        """Train apart and together, in turns.

        Raises:
            ValueError: If there are too few cores.
        """
        if hasattr(os, 'sched_getaffinity'):
            cores = sorted(os.sched_getaffinity(0))
        else:
            cores = list(range(os.cpu_count() or 1))
        if len(cores) < PROCESSES:
            raise ValueError(f'{PROCESSES} cores are needed, this process has '
                             f'{len(cores)}')
        cores = cores[:PROCESSES]
        rates: Dict[str, List[float]] = {name: [] for name in
                                         ('apart', *args.ways)}
        with tempfile.TemporaryDirectory() as folder:
            for processes in (1, PROCESSES):
                # Two epochs have the steps that are asked for.
                make_lmdb(Path(folder) / f'words{processes}',
                          processes * args.batch * ((args.steps + 1) // 2),
                          pictures())
            work = [(number, name) for number in range(args.rounds)
                    for name in rates]
            for number, name in track(work, len(work), 'runs'):
                place = Path(folder) / f'{number} {name}'.replace(' ', '-')
                if name == 'apart':
                    runs = [_start(place / str(core), args, {}, [core], 1)
                            for core in cores]
                else:
                    runs = [_start(place, args, WAYS[name], cores,
                                   PROCESSES)]
                rates[name].append(_images_per_second(runs, args.batch))
        rows = {name: {
            'median': round(median(found), 2),
            'rounds': [round(rate, 2) for rate in found],
            'share': round(median(mine / apart for mine, apart in zip(
                found, rates['apart'])), 3)} for name, found in rates.items()}
        return {'unit': 'images/s', 'arch': args.arch, 'batch': args.batch,
                'precision': args.precision, 'goal': GOAL, 'rows': rows}

    def report(self, result: Dict[str, Any]) -> str:
        """Tell it as a table."""
        lines = [
            f'LMIM, ViT {result["arch"]}, {result["precision"]}, '
            f'{PROCESSES} processes of one thread, batch {result["batch"]} '
            'each',
            f'{"":27}{"images/s":>10}{"share of apart":>16}  round by round']
        for name, row in result['rows'].items():
            lines.append(f'{name:27}{row["median"]:10.2f}{row["share"]:16.1%}'
                         f'  {", ".join(map(str, row["rounds"]))}')
        lines.append(f'goal: {result["goal"]:.0%}')
        return '\n'.join(lines)


def _start(folder: Path, args: argparse.Namespace, way: Dict[str, Any],
           cores: List[int], processes: int) -> TrainingRun:
    """Start to train, alone or together."""
    dims = encoder_of(args.arch).dims
    encoder = dict(type='TextViT', arch=args.arch, img_size=(32, 128),
                   patch_size=4)
    wrapper = {key: value for key, value in way.items()
               if key != 'accumulative_counts'}
    settings: Dict[str, Any] = dict(
        model=dict(
            backbone=dict(arch=args.arch),
            neck=dict(in_dims=dims, out_dims=dims),
            target_generator=dict(_delete_=True, type='RandomFeatureTarget',
                                  encoder=encoder)),
        optim_wrapper=dict(
            type={'bf16': 'BF16OptimWrapper',
                  'fp32': 'OptimWrapper'}[args.precision],
            accumulative_counts=way.get('accumulative_counts', 1)),
        train_dataloader=dict(batch_size=args.batch, num_workers=0,
                              persistent_workers=False))
    if wrapper:
        settings['model_wrapper_cfg'] = dict(
            type='MMDistributedDataParallel', broadcast_buffers=False,
            **wrapper)
    data = folder.parent if processes > 1 else folder.parent.parent
    return TrainingRun(
        'pretrain/lmim/lmim_vit-small_8xb64-10e_union14m-u.py',
        data / f'words{processes}', folder, settings, processes, cores)


def _images_per_second(runs: List[TrainingRun], batch: int) -> float:
    """Of all processes together, from their median steps."""
    try:
        total = 0.
        for run in runs:
            for rank in range(run.processes):
                # The mean: with accumulated gradients steps differ.
                times = step_times(run.events(rank), skip=2)
                total += batch * len(times) / sum(times)
        return total
    finally:
        for run in runs:
            run.stop()
