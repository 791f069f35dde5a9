"""How many batches and words fit into the minutes that there are."""
import json
import logging
import os
import time
from pathlib import Path
from typing import Any, Dict, List, NamedTuple

import torch
from mmengine.config import Config
from mmengine.optim import build_optim_wrapper
from mmengine.structures import LabelData
from mmocr.registry import MODELS
from mmocr.structures import TextRecogDataSample
from mmocr.utils import register_all_modules
from settings import Settings

from lmim.comparison.protocol import read_protocol
from lmim.engine.launch import set_precision
from lmim.engine.precision import choose_precision
from lmim.models.layers import use_cpu_kernels
from lmim.utils.atomic import write_atomic
from lmim.utils.log import quiet
from lmim.utils.machine import available_cores

#: What is compared; the numbers in it are planned here.
PROTOCOL = read_protocol(str(
    Path(__file__).resolve().parents[2] /
    'configs/comparison/quickstart_vit-mini.py'), {})
TEACHER = PROTOCOL.methods['teacher']
#: Pictures of a batch.
BATCH = PROTOCOL.batch_size
#: Batches of MAE and of each recognizer, in proportion.
PROPORTIONS = {'mae': 1, 'finetune': 1}
#: Batches of a unit of them, at least and at most.
LEAST, MOST = 4, 4000
#: Training is slower than the steps alone: workers make the batches, and two
#: trainings share the caches and the memory of one machine.
SHARING = 1.3
#: What no batch is faster than: one worker makes about 3,000 views a second.
FASTEST = BATCH / 3000
#: Seconds for tables and pictures at the end.
REPORT = 6.
#: Share of the time that is kept back.
RESERVE = 0.1
#: Most words that are rendered for training, and the words of the test.
WORDS, TEST_WORDS = 16000, 500


class Machine(NamedTuple):
    """What was measured of the machine.

    Attributes:
        precision (str): The precision to train in.
        reason (str): Why, with figures.
        threads (int): Threads of each process.
        streams (int): 2 where the recognizer from scratch is trained beside
            the others, else 1.
        startup (float): Seconds from a command to its first batch.
        steps (Dict[str, float]): Seconds of a batch of each stage.
    """
    precision: str
    reason: str
    threads: int
    streams: int
    startup: float
    steps: Dict[str, float]


def resources() -> Dict[str, int]:
    """Threads of a process and how many train at once.

    On a CPU two trainings with half of the cores each get more done than one
    with all: small models use few threads well, and threads that wait for a
    core which another process holds stop all the others.
    """
    cores = available_cores()
    if torch.cuda.is_available():
        return dict(threads=max(1, cores // 2), streams=1)
    # On more than two cores one each is left to the workers.
    threads = (cores - 2 * (cores > 2)) // 2
    return dict(threads=max(1, threads), streams=2 if cores > 1 else 1)


def measure(settings: Settings, startup: float) -> Machine:
    """Measure the steps of all stages, in a few seconds.

    Args:
        settings (Settings): Precision and method.
        startup (float): Seconds from a command to its first batch.
    """
    register_all_modules()
    found = resources()
    threads = torch.get_num_threads()
    torch.set_num_threads(found['threads'])
    precision = choose_precision(settings.precision)
    steps = {name: _step_seconds(str(config), precision.name)
             for name, config in dict(
                 mae=TEACHER.config,
                 lmim=PROTOCOL.methods[settings.method].config,
                 finetune=PROTOCOL.recognizer).items()}
    torch.set_num_threads(threads)
    return Machine(precision.name, precision.reason, startup=startup,
                   steps=steps, **found)


def make_plan(settings: Settings, machine: Machine,
              seconds: float) -> Dict[str, Any]:
    """Divide the time that is left.

    Numbers that the user gave are kept; the others share what is left.

    Args:
        settings (Settings): What was asked for.
        machine (Machine): As measured.
        seconds (float): What is left of the minutes, set-up excluded.

    Returns:
        Dict[str, Any]: ``minutes``, ``precision``, ``reason``, ``threads``,
        ``streams``, ``pretrain_iters``, ``finetune_iters``, ``samples``
        (words for training and test), ``measured_steps`` and the expected
        ``seconds`` of each stage.
    """
    steps = {name: max(step, FASTEST) * (SHARING if machine.streams > 1 else 1)
             for name, step in machine.steps.items()}
    times = lmim_batches(settings)
    # What a batch costs, with those of other stages that go with it: LMIM's,
    # and those of the recognizer from scratch where nothing runs beside it.
    alone = machine.streams == 1
    costs = {'mae': steps['mae'] + times * steps['lmim'],
             'finetune': steps['finetune'] * (2 if alone else 1)}
    given = {'mae': settings.pretrain_iters,
             'finetune': settings.finetune_iters}
    # The longest stream: teacher, LMIM, its recognizer.
    starts = 4 if alone else 3
    free = (seconds * (1 - RESERVE) - starts * machine.startup - REPORT
            - _render_seconds(settings.samples or [WORDS, TEST_WORDS],
                              machine.startup)
            - sum(costs[name] * number for name, number in given.items()
                  if number is not None))
    cost = sum(costs[name] * PROPORTIONS[name]
               for name, number in given.items() if number is None)
    unit = int(min(MOST, max(LEAST, free / cost))) if cost else MOST
    planned = {name: unit * PROPORTIONS[name] if number is None else number
               for name, number in given.items()}
    planned['lmim'] = times * planned['mae']
    # Pre-training sees each word once, or several times where there are not
    # as many.
    samples = settings.samples or [min(WORDS, BATCH * planned['mae']),
                                   TEST_WORDS]
    stage_seconds = {
        'data': _render_seconds(samples, machine.startup),
        **{name: machine.startup + steps[name] * number
           for name, number in planned.items()}}
    stage_seconds['scratch'] = stage_seconds['finetune']
    return dict(
        minutes=settings.minutes, precision=machine.precision,
        reason=machine.reason, threads=machine.threads,
        streams=machine.streams, pretrain_iters=planned['mae'],
        lmim_iters=planned['lmim'],
        finetune_iters=planned['finetune'], samples=samples,
        measured_steps={name: round(step, 4)
                        for name, step in machine.steps.items()},
        seconds={name: round(value, 1)
                 for name, value in stage_seconds.items()})


def lmim_batches(settings: Settings) -> int:
    """Batches of LMIM for one of its teacher, in their shares of the budget.

    The paper's, with two views of a picture, makes half as many.
    """
    method = PROTOCOL.methods[settings.method]
    return round((method.share - TEACHER.share) / method.passes
                 * TEACHER.passes / TEACHER.share)


def plan(settings: Settings, process_start: float) -> Dict[str, Any]:
    """The plan of the first run, or a new one, which is kept.

    Args:
        settings (Settings): What was asked for.
        process_start (float): ``time.time()`` when this process began.
    """
    path = settings.work_dir / 'plan.json'
    if path.is_file():
        return json.loads(path.read_text())
    startup = 1.5 * (time.time() - process_start)
    begun = float(os.environ.get('LMIM_QUICKSTART_BEGUN', process_start))
    machine = measure(settings, startup)
    left = 60 * settings.minutes - (time.time() - begun)
    found = make_plan(settings, machine, left)
    write_atomic(path, json.dumps(found, indent=2).encode())
    return found


def describe(found: Dict[str, Any]) -> str:
    """The plan in a few lines."""
    minutes = expected_seconds(found['seconds'], found['streams']) / 60
    return (
        f'Plan for {found["minutes"]:g} minutes:\n'
        f'  precision {found["precision"]} ({found["reason"]})\n'
        f'  {found["threads"]} thread(s) a process; the recognizer from '
        f'scratch is trained {"beside" if found["streams"] > 1 else "after"} '
        'the others\n'
        f'  {found["samples"][0]:,} words to train on and '
        f'{found["samples"][1]:,} to test on (without --data)\n'
        f'  batches of {BATCH}: {found["pretrain_iters"]:,} for MAE, '
        f'{found["lmim_iters"]:,} for LMIM, {found["finetune_iters"]:,} for '
        'each recognizer\n'
        f'  about {minutes:.1f} minutes from here')


def stage_of(task: str) -> str:
    """The stage of the plan that a task of the comparison belongs to."""
    kind, name = task.split('/')
    if kind != 'pretrain':
        return 'scratch' if name.startswith('scratch') else 'finetune'
    return 'mae' if name.startswith('teacher') else 'lmim'


def expected_seconds(seconds: Dict[str, float], streams: int) -> float:
    """How long all steps take, by what each takes and how many run at once."""
    first = sum(seconds[name] for name in ('mae', 'lmim', 'finetune'))
    both = (max(first, seconds['scratch']) if streams > 1
            else first + seconds['scratch'])
    return REPORT + seconds['data'] + both


def _render_seconds(samples: List[int], startup: float) -> float:
    """About how long rendering takes: a millisecond a word on a slow core."""
    return startup + sum(samples) / 1000


def _step_seconds(config: str, precision: str) -> float:
    """Time a training step on random pictures, after a first one."""
    cfg = Config.fromfile(config)
    reads = config == str(PROTOCOL.recognizer)
    if reads:
        cfg.model.backbone.init_cfg = None
    elif 'checkpoint' in cfg.model.target_generator:
        cfg.model.target_generator.checkpoint = None
    with quiet(logging.ERROR):
        set_precision(cfg, precision)
    device = 'cuda' if torch.cuda.is_available() else 'cpu'
    model = use_cpu_kernels(MODELS.build(cfg.model)).to(device).train()
    with quiet(logging.ERROR):
        optimizer = build_optim_wrapper(model, cfg.optim_wrapper)
    pictures = torch.randint(0, 256, (BATCH, 3, 32, 128), dtype=torch.uint8)
    if reads:
        words = [TextRecogDataSample(
            metainfo=dict(valid_ratio=1.0, img_shape=(32, 128)),
            gt_text=LabelData(item='words')) for _ in range(BATCH)]
        data: Dict[str, Any] = dict(inputs=list(pictures), data_samples=words)
    else:
        data = dict(inputs=[pictures] * len(model.view_levels),
                    data_samples=None)
    taken = []
    for _ in range(3):
        start = time.perf_counter()
        model.train_step(data, optimizer)
        if device == 'cuda':
            torch.cuda.synchronize()
        taken.append(time.perf_counter() - start)
    return min(taken[1:])
