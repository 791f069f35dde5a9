"""How many batches and words fit into the minutes that there are."""
import argparse
import json
import logging
import os
import time
from pathlib import Path
from typing import Any, Dict, List

import torch
from benchmarks.measuring import take_turns
from benchmarks.models import random_pictures
from benchmarks.steps import text_data
from mmengine.config import Config
from mmengine.optim import build_optim_wrapper
from mmocr.registry import MODELS
from mmocr.utils import register_all_modules

from lmim.comparison.data import training_set
from lmim.comparison.protocol import read_protocol
from lmim.engine.launch import set_precision
from lmim.engine.precision import choose_precision
from lmim.models.layers import use_cpu_kernels
from lmim.utils.atomic import write_atomic
from lmim.utils.errors import UserError
from lmim.utils.log import quiet
from lmim.utils.machine import available_cores

#: What is compared; the numbers in it are planned here.
CONFIG = (Path(__file__).resolve().parents[2] /
          'configs/comparison/quickstart_vit-mini.py')
PROTOCOL = read_protocol(str(CONFIG), {})
TEACHER = PROTOCOL.methods['teacher']
#: Pictures of a batch.
BATCH = PROTOCOL.batch_size
#: Batches of MAE and of each recognizer, at least and at most.
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
#: Part of the words of a user's labelled pictures that is the test.
TEST_SHARE = 0.2
#: Most words that are rendered for training, and the words of the test.
WORDS, TEST_WORDS = 16000, 500


def resources() -> Dict[str, int]:
    """``threads`` of a process, and ``streams``, how many train at once.

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


def measure(settings: argparse.Namespace, startup: float) -> Dict[str, Any]:
    """Measure the steps of all stages, in a few seconds.

    Args:
        settings (argparse.Namespace): Precision and method.
        startup (float): Seconds from a command to its first batch.

    Returns:
        Dict[str, Any]: ``precision`` and the ``reason`` for it; what
        :func:`resources` gives; ``startup``; and ``steps``, the seconds of a
        batch of each stage.
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
    return dict(found, precision=precision.name, reason=precision.reason,
                startup=startup, steps=steps)


def make_plan(settings: argparse.Namespace, machine: Dict[str, Any],
              seconds: float) -> Dict[str, Any]:
    """Divide the time that is left.

    Numbers that the user gave are kept; the others share what is left.

    Args:
        settings (argparse.Namespace): What was asked for.
        machine (Dict[str, Any]): As measured.
        seconds (float): What is left of the minutes, set-up excluded.

    Returns:
        Dict[str, Any]: What was measured; ``minutes``; batches of each stage
        (``pretrain_iters``, ``lmim_iters``, ``finetune_iters``); ``samples``,
        the words for training and test; and the ``seconds`` that are expected.
    """
    alone = machine['streams'] == 1
    startup = machine['startup']
    steps = {name: max(step, FASTEST) * (1 if alone else SHARING)
             for name, step in machine['steps'].items()}
    times = lmim_batches(settings.method)
    given = {'mae': settings.pretrain_iters,
             'finetune': settings.finetune_iters}
    # What a batch costs, with those of other stages that go with it: LMIM's,
    # and those of the recognizer from scratch where nothing runs beside it.
    costs = {'mae': steps['mae'] + times * steps['lmim'],
             'finetune': steps['finetune'] * (2 if alone else 1)}
    # The longest stream: teacher, LMIM, its recognizer.
    starts = 4 if alone else 3
    free = (seconds * (1 - RESERVE) - starts * startup - REPORT
            - _render_seconds(settings.samples or [WORDS, TEST_WORDS], startup)
            - sum(costs[name] * (given[name] or 0) for name in costs))
    cost = sum(costs[name] for name in costs if not given[name])
    number = int(min(MOST, max(LEAST, free / cost))) if cost else MOST
    batches = {name: given[name] or number for name in given}
    batches['lmim'] = times * batches['mae']
    # Pre-training sees each word once, or several times where there are not
    # as many.
    samples = settings.samples or [min(WORDS, BATCH * batches['mae']),
                                   TEST_WORDS]
    expected = {name: startup + steps[name] * batches[name]
                for name in batches}
    return dict(
        machine, minutes=settings.minutes, pretrain_iters=batches['mae'],
        lmim_iters=batches['lmim'], finetune_iters=batches['finetune'],
        samples=samples, seconds=round(
            REPORT + _render_seconds(samples, startup) + sum(expected.values())
            + alone * expected['finetune']))


def lmim_batches(method: str) -> int:
    """Batches of LMIM for one of its teacher, in their shares of the budget.

    The paper's, with two views of a picture, makes half as many.
    """
    found = PROTOCOL.methods[method]
    return round((found.share - TEACHER.share) / found.passes
                 * TEACHER.passes / TEACHER.share)


def plan(settings: argparse.Namespace, process_start: float) -> Dict[str, Any]:
    """The plan of the first run, or a new one, which is kept.

    Args:
        settings (argparse.Namespace): What was asked for.
        process_start (float): ``time.time()`` when this process began.

    Raises:
        UserError: If the work dir holds a run with other settings.
    """
    path = Path(settings.work_dir, 'plan.json')
    asked = {key: value for key, value in vars(settings).items()
             if key != 'work_dir'}
    if path.is_file():
        found = json.loads(path.read_text())
        other = [f'{key}={value}' for key, value in found['settings'].items()
                 if asked[key] != value]
        if other:
            raise UserError(
                f'{settings.work_dir} holds a run with other settings '
                f'({", ".join(other)}). Name another --work-dir, or remove '
                'that folder to start over.')
        return found
    startup = 1.5 * (time.time() - process_start)
    begun = float(os.environ.get('LMIM_QUICKSTART_BEGUN', process_start))
    machine = measure(settings, startup)
    left = 60 * settings.minutes - (time.time() - begun)
    found = dict(make_plan(settings, machine, left), settings=asked)
    write_atomic(path, json.dumps(found, indent=2).encode())
    return found


def describe(found: Dict[str, Any]) -> str:
    """The plan in a few lines."""
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
        f'  about {found["seconds"] / 60:.1f} minutes from here')


def changes(settings: argparse.Namespace,
            planned: Dict[str, Any]) -> Dict[str, Any]:
    """Settings of the comparison that the plan and the user change."""
    found: Dict[str, Any] = {
        'precision': planned['precision'],
        # So that the teacher's share makes as many batches.
        'pretraining.views': round(
            planned['pretrain_iters'] * BATCH / TEACHER.share)}
    data = f'{settings.work_dir}/data'
    own = settings.own
    if isinstance(own, dict):
        own = dict(own, _delete_=True)  # the config has a path there
    if settings.labelled:
        words: Any = 'all'
        found.update(
            labelled=own, held_out=TEST_SHARE, tests=dict(_delete_=True),
            unlabelled=f'{data}/{training_set(TEST_SHARE)}.lmdb')
    else:
        words = min(settings.labels, planned['samples'][0])
        found.update({'labelled': f'{data}/train.lmdb',
                      'unlabelled': own or f'{data}/train.lmdb',
                      'tests.rendered': f'{data}/test.lmdb'})
    return dict(found, labels=[
        dict(words=words, batches=planned['finetune_iters'])])


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
    device = 'cuda' if torch.cuda.is_available() else 'cpu'
    with quiet(logging.ERROR):
        set_precision(cfg, precision)
        model = use_cpu_kernels(MODELS.build(cfg.model)).to(device).train()
        optimizer = build_optim_wrapper(model, cfg.optim_wrapper)
    data = text_data(BATCH, device) if reads else dict(
        inputs=[random_pictures(BATCH, device)] * len(model.view_levels),
        data_samples=None)
    side, = take_turns({'plain': lambda: model.train_step(data, optimizer)},
                       BATCH, rounds=2)
    return BATCH / side['fastest']
