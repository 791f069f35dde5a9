"""`precision`: training in bfloat16 beside training in fp32."""
import argparse
from statistics import mean, stdev
from typing import Any, Dict, Iterator, List, Tuple

import numpy as np
import torch
from matplotlib.figure import Figure
from mmengine.dataset import pseudo_collate
from mmengine.structures import LabelData
from mmocr.registry import TRANSFORMS
from torch.utils.data import default_collate

from lmim.cli.command import Command, at_least
from lmim.utils.progress import track
from lmim.datasets import RenderedTextDataset
from lmim.visualization import save_figure

from .finetune import empty_sample
from .models import build_config

#: By task: the loss that is compared, and the config.
TASKS = {
    'pretrain': ('loss_recon',
                 'pretrain/lmim/lmim_vit-mini_1xb64_rendered.py'),
    'finetune': ('loss_ce',
                 'textrecog/lmim/lmim_vit-mini_1xb64_rendered-labels.py')}
PRECISIONS = 'fp32', 'bf16'
#: What is averaged at the end of a curve, as batches differ.
LAST = 50


class PrecisionBenchmark(Command):
    """Train in fp32 and in bfloat16 on the same rendered words.

    Models and optimizers are those of the configs for a CPU; LMIM's teacher
    has random weights. The rate is the config's, without a schedule.
    Both see the same pictures in the same order, once for each seed. The
    final loss is the mean over the last 50 steps. What fp32 runs of several
    seeds differ by is the noise that the difference of the precisions is
    compared with.
    """

    name = 'precision'
    summary = 'losses of training in bfloat16 beside those in fp32'

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the arguments."""
        add = parser.add_argument
        add('--tasks', nargs='+', choices=sorted(TASKS), default=list(TASKS),
            help='(default: both)')
        add('--steps', type=at_least(2), default=300,
            help='(default: %(default)s)')
        add('--seeds', type=at_least(2), default=3,
            help='runs of each precision (default: %(default)s)')
        add('--batch', type=at_least(1), default=64,
            help='(default: %(default)s)')
        add('--device', choices=['cpu', 'cuda'],
            default='cuda' if torch.cuda.is_available() else 'cpu',
            help='(default here: %(default)s)')
        add('--picture', metavar='FILE', help='curves, as PNG')

    def run(self, args: argparse.Namespace) -> Dict[str, Any]:
        """Train, and compare the ends."""
        runs = [(task, precision, seed) for task in args.tasks
                for precision in PRECISIONS for seed in range(args.seeds)]
        curves: Dict[str, Dict[str, List[List[float]]]] = {
            task: {name: [] for name in PRECISIONS} for task in args.tasks}
        for task, precision, seed in track(runs, len(runs), 'runs'):
            curves[task][precision].append(
                list(_train(task, precision, seed, args)))
        if args.picture:
            save_figure(_draw(curves), args.picture)
        rows = {}
        for task, found in curves.items():
            ends = {name: [mean(curve[-LAST:]) for curve in found[name]]
                    for name in PRECISIONS}
            pairs = [bf16 - fp32
                     for fp32, bf16 in zip(ends['fp32'], ends['bf16'])]
            rows[task] = dict(
                loss=TASKS[task][0],
                **{name: round(mean(ends[name]), 5) for name in PRECISIONS},
                noise=round(stdev(ends['fp32']), 5),
                differences=[round(pair, 5) for pair in pairs])
        return {'steps': args.steps, 'batch': args.batch,
                'seeds': args.seeds, 'tasks': rows}

    def report(self, result: Dict[str, Any]) -> str:
        """Final losses, and how they differ."""
        lines = ['ViT mini, {steps} steps of {batch} rendered words, '
                 '{seeds} seeds'.format(**result)]
        for task, row in result['tasks'].items():
            lines.append(
                f'{task}: final {row["loss"]} {row["fp32"]:.4f} in fp32, '
                f'{row["bf16"]:.4f} in bf16; seeds differ by '
                f'{row["noise"]:.4f} (standard deviation), the precisions by '
                + ', '.join(f'{each:+.4f}' for each in row['differences']))
        return '\n'.join(lines)


def _train(task: str, precision: str, seed: int,
           args: argparse.Namespace) -> Iterator[float]:
    """The loss of each step."""
    loss, config = TASKS[task]
    model, wrapper = build_config(config, args.device, precision)
    model.train()
    for number, batch in enumerate(_batches(task, seed, args)):
        # The same masks and dropout at the same step.
        torch.manual_seed(1000 * seed + number)
        yield float(model.train_step(batch, wrapper)[loss])


def _batches(task: str, seed: int,
             args: argparse.Namespace) -> Iterator[Dict[str, Any]]:
    """Batches of rendered words as a loader gives them."""
    dataset = RenderedTextDataset(
        args.steps * args.batch, seed=seed, with_text=True,
        guidance_size=(32, 128))
    resize = TRANSFORMS.build(
        dict(type='Resize', scale=(128, 32), _scope_='mmocr'))
    for start in range(0, len(dataset), args.batch):
        words = [resize(dataset[start + k]) for k in range(args.batch)]
        if task == 'pretrain':
            images, views = default_collate(
                [(_pixels(word['img']), _pixels(word['guidance_img']))
                 for word in words])
            yield dict(inputs=[images.to(args.device),
                               views.to(args.device)],
                       data_samples=torch.arange(len(words)))
        else:
            yield pseudo_collate([_labelled(word) for word in words])


def _labelled(word: Dict[str, Any]) -> Dict[str, Any]:
    sample = empty_sample()
    sample.gt_text = LabelData(item=word['instances'][0]['text'])
    return dict(inputs=_pixels(word['img']), data_samples=sample)


def _pixels(image: np.ndarray) -> torch.Tensor:
    """Pixels (H, W, 3) as (3, H, W)."""
    return torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1)))


def _draw(curves: Dict[str, Dict[str, List[List[float]]]]) -> Figure:
    """A panel for each task; thin lines are the runs."""
    figure = Figure(figsize=(5 * len(curves), 3.2), layout='constrained')
    axes = figure.subplots(1, len(curves), squeeze=False)[0]
    colors = {'fp32': 'tab:blue', 'bf16': 'tab:orange'}
    for axis, (task, found) in zip(axes, curves.items()):
        for name, runs in found.items():
            for number, run in enumerate(runs):
                steps, values = _smooth(run)
                axis.plot(steps, values, color=colors[name], linewidth=1,
                          alpha=0.8, label=None if number else name,
                          linestyle='-' if name == 'fp32' else '--')
        axis.set_title(f'{task}, a line for each seed', fontsize=10)
        axis.set_xlabel('step')
        axis.set_ylabel(TASKS[task][0])
        axis.grid(alpha=0.3)
        axis.legend()
    return figure


def _smooth(values: List[float],
            width: int = 10) -> Tuple[np.ndarray, np.ndarray]:
    """Means over some steps, and the last of each."""
    width = min(width, len(values))
    means = np.convolve(values, np.ones(width) / width, mode='valid')
    return np.arange(width, len(values) + 1), means
