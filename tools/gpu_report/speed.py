"""How fast are training and reading, and what part of the device's peak?"""
import itertools
import json
import subprocess
import sys
import time
from pathlib import Path
from statistics import median
from typing import Any, Callable, Dict, List, Optional, Tuple

import torch
from benchmarks.models import build, optimizer_of, random_pictures
from benchmarks.steps import pretrain_data, text_data
from torch.profiler import ProfilerActivity, profile
from torch.utils.flop_counter import FlopCounterMode

from .part import Room, read_room, synchronize

BENCHMARK = Path(__file__).resolve().parents[1] / 'benchmark.py'
#: What torch.compile is given; None does not compile.
COMPILE: Dict[str, Optional[str]] = {
    'eager': None, 'compiled': 'default', 'CUDA graphs': 'reduce-overhead',
    'autotuned': 'max-autotune'}
#: Of our training steps; a CPU is here to try the script itself.
PRECISION = {'cuda': 'bf16', 'cpu': 'fp32'}


def mae_data(count: int, device: str) -> Dict[str, Any]:
    """A batch of MAE, which sees one view."""
    return dict(inputs=random_pictures(count, device),
                data_samples=torch.arange(count))


#: Kind of :func:`build`, schedule and data of a training.
TRAININGS: Dict[str, Tuple[str, str, Callable[[int, str], Any]]] = {
    'MAE': ('mae', 'pretrain_adamw_cosine', mae_data),
    'LMIM': ('pretrain', 'pretrain_adamw_cosine', pretrain_data),
    'fine-tuning': ('autoregressive', 'finetune_adamw_cosine', text_data)}


def seconds_of(work: Callable[[], Any], device: str, rounds: int) -> float:
    """Seconds of a call, the median of some after two others."""
    taken = []
    for _ in range(rounds + 2):
        synchronize(device)
        start = time.perf_counter()
        work()
        synchronize(device)
        taken.append(time.perf_counter() - start)
    return median(taken[2:])


def peak(room: Room) -> float:
    """TFLOP/s of a large product of matrices in bfloat16."""
    side = 256 if room.quick else 8192
    left, right = (torch.randn(side, side, device=room.device,
                               dtype=torch.bfloat16) for _ in range(2))
    seconds = seconds_of(lambda: left @ right, room.device, 10)
    found = 2 * side**3 / seconds / 1e12
    room.rows.add('peak', product=f'{side}x{side}, bf16',
                  tflops=round(found, 3))
    return found


class Step:
    """A training step, as MMEngine makes it.

    Args:
        name (str): One of :data:`TRAININGS`.
        arch (str): Of the ViT.
        count (int): Pictures of a batch.
        device (str): 'cuda' or 'cpu'.
        way (str): One of :data:`COMPILE`.
    """

    def __init__(self, name: str, arch: str, count: int, device: str,
                 way: str = 'eager') -> None:
        kind, schedule, make = TRAININGS[name]
        self.model = build(kind, arch, device).train()
        mode = COMPILE[way]
        if mode is not None:  # as MMEngine's runner compiles
            self.model.forward = torch.compile(self.model.forward, mode=mode)
        self.wrapper = optimizer_of(self.model, schedule,
                                    PRECISION[device])
        self.batch = make(count, device)

    def __call__(self) -> None:
        """Losses, gradients, update."""
        self.model.train_step(self.batch, self.wrapper)


def tflop_of(name: str, arch: str, device: str, count: int = 4) -> float:
    """Operations of a step for one picture, counted."""
    step = Step(name, arch, count, device)
    with FlopCounterMode(display=False) as counter:
        step()
    return counter.get_total_flops() / count / 1e12


def steps(room: Room, best: float) -> None:
    """Rates of training steps, in order of worth."""
    archs = ['mini'] if room.quick else ['small', 'base']
    batches = [4] if room.quick else [512, 1024, 256, 2048]
    ways = ['eager', 'compiled', 'CUDA graphs']
    first = [('LMIM', archs[0], batches[0], way) for way in ways]
    rest = [case for case in itertools.product(
        TRAININGS, archs, batches, ways) if case not in first]
    # Whole sets of batches for small models before larger ones, and what
    # takes long to compile last.
    rest.sort(key=lambda case: (
        case[3] != 'eager', batches.index(case[2]) > 1, archs.index(case[1])))
    if room.quick:
        rest = rest[:3]
    work: Dict[Tuple[str, str], float] = {}
    for name, arch, count, way in [
            *first, *rest, ('LMIM', archs[0], batches[0], 'autotuned')]:
        row: Dict[str, Any] = dict(
            training=name, ViT=arch, batch=count, way=way)
        if (name, arch) not in work:
            work[name, arch] = tflop_of(name, arch, room.device)
        if room.device == 'cuda':
            torch.cuda.empty_cache()
            torch.cuda.reset_peak_memory_stats()
        start = time.perf_counter()
        try:
            step = Step(name, arch, count, room.device, way)
            seconds = seconds_of(step, room.device, 1 if room.quick else 8)
        except torch.OutOfMemoryError:
            room.rows.add('steps', **row, images_per_s='out of memory')
            continue
        rate = count / seconds
        row.update(
            images_per_s=round(rate, 1), ms=round(1000 * seconds, 2),
            tflops=round(rate * work[name, arch], 2),
            share_of_peak=round(rate * work[name, arch] / best, 3),
            first_steps_s=round(time.perf_counter() - start, 1))
        if room.device == 'cuda':
            row['memory_GiB'] = round(
                torch.cuda.max_memory_allocated() / 2**30, 2)
        room.rows.add('steps', **row)
        del step
        torch._dynamo.reset()


def beside_plain(room: Room, name: str, batches: List[int]) -> None:
    """Rates of ours and of the plain reference, in turns within one run."""
    command = [
        sys.executable, str(BENCHMARK), name, '--device', room.device,
        '--arch', 'mini' if room.quick else 'small', '--batch',
        *map(str, batches), '--precision', PRECISION[room.device], '--rounds',
        '1' if room.quick else '5', '--json']
    if room.device == 'cuda':
        command += ['--plain-precision', 'fp16']
    ended = subprocess.run(command, capture_output=True, text=True)
    if ended.returncode:
        room.rows.add('beside plain', benchmark=name, side='-',
                      failed=ended.stderr.strip()[-300:])
        return
    for row in json.loads(ended.stdout)['rows']:
        room.rows.add('beside plain', benchmark=name, **row)


def trace(room: Room) -> None:
    """Where the time of one step of LMIM goes."""
    arch, count = ('mini', 4) if room.quick else ('small', 512)
    step = Step('LMIM', arch, count, room.device)
    for _ in range(3):
        step()
    synchronize(room.device)
    activities = [ProfilerActivity.CPU]
    if room.device == 'cuda':
        activities.append(ProfilerActivity.CUDA)
    with profile(activities=activities) as found:
        step()
        synchronize(room.device)
    found.export_chrome_trace(str(room.out / 'trace.json.gz'))
    on_device = room.device == 'cuda'
    averages = found.key_averages()

    def own(event: Any) -> float:
        """Microseconds of an event's own."""
        return (event.self_device_time_total if on_device else
                event.self_cpu_time_total)

    # On a GPU kernels alone: an operator repeats the time of its kernels.
    kinds = [event for event in averages if not on_device
             or event.device_type == torch.autograd.DeviceType.CUDA]
    total = sum(map(own, kinds))
    for event in sorted(kinds, key=own, reverse=True)[:20]:
        room.rows.add('kernels', kernel=event.key[:90], calls=event.count,
                      ms=round(own(event) / 1000, 3),
                      share=round(own(event) / max(total, 1e-9), 3))
    spans = sorted(
        (event.time_range.start, event.time_range.end)
        for event in found.events()
        if event.device_type == torch.autograd.DeviceType.CUDA)
    if spans:
        busy, end = 0., spans[0][0]
        for begin, stop in spans:
            busy += max(0., stop - max(begin, end))
            end = max(end, stop)
        copies = sum(own(event) for event in kinds if 'Memcpy' in event.key)
        room.rows.add(
            'gaps', step_ms=round((end - spans[0][0]) / 1000, 3),
            busy_ms=round(busy / 1000, 3),
            idle_share=round(1 - busy / (end - spans[0][0]), 3),
            kernels=len(spans), copies_ms=round(copies / 1000, 3))


def main() -> None:
    """All of it, the most telling first."""
    room = read_room(__doc__ or '')
    best = peak(room)
    trace(room)
    batches = [4] if room.quick else [512]
    beside_plain(room, 'pretrain', batches)
    beside_plain(room, 'recognize', [1, 4] if room.quick else [1, 64, 512])
    steps(room, best)
    beside_plain(room, 'finetune', batches)


if __name__ == '__main__':
    main()
