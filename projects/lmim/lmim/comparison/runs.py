"""The runs of a comparison, each an ordinary config in a work dir."""
import sys
from functools import partial
from pathlib import Path
from typing import Callable, List

from mmengine.config import Config

from lmim.datasets import TextImageDataset
from lmim.datasets.known_sets import read_config
from lmim.engine import launch
from lmim.engine.hooks.checkpoint_hook import find_resumable
from lmim.utils.errors import UserError

from .data import Sets, longest_label
from .protocol import LabelCount, Method, Paths, Protocol
from .tasks import Task

#: A step of the recognizer costs about as much as so many passes of the
#: encoder over masked pictures; for the first estimate of the time.
_RECOGNIZER_COST = 2.


def pretraining_name(method: str, seed: int) -> str:
    """The folder of a pre-training."""
    return f'pretrain/{method}-seed{seed}'


def finetuning_name(stage: str, method: str, count: LabelCount,
                    seed: int) -> str:
    """The folder of a fine-tuning."""
    return f'{stage}/{method}-{count.name}-seed{seed}'


def pretrainings(protocol: Protocol, work_dir: Path) -> List[Task]:
    """Tasks that pre-train each method, teachers first."""
    tasks = []
    samples = len(TextImageDataset(protocol.unlabelled))
    for seed in protocol.seeds:
        for name in protocol.pretrained():
            method = protocol.methods[name]
            run = pretraining_name(name, seed)
            # Of few pictures, so that a warm-up of an epoch has two updates.
            batch = max(1, min(protocol.batch_size, samples // 2))
            updates = protocol.updates(name)
            needs = [pretraining_name(method.teacher, seed)
                     ] if method.teacher else []
            images = updates * batch
            tasks.append(Task(
                run, f'{name}, pre-training, seed {seed}',
                partial(_command, work_dir / run, partial(
                    _pretraining, protocol, method, seed, batch, updates,
                    [work_dir / need for need in needs])),
                needs, f'pretrain {name}', images * method.passes, images,
                _epochs(updates)))
    return tasks


def finetunings(protocol: Protocol, sets: Sets, work_dir: Path) -> List[Task]:
    """Tasks that train and evaluate a recognizer, by labels and seed."""
    tasks = []
    longest = longest_label(sets)
    sizes = {name: len(TextImageDataset(str(path)))
             for name, path in sets.train.items()}
    for seed in protocol.seeds:
        for count in protocol.labels:
            samples = sizes[count.name]
            batch = max(1, min(protocol.recognizer_batch_size, samples // 2))
            for name in protocol.compared:
                method = protocol.methods[name]
                updates = protocol.batches(name, count)
                images = updates * batch
                needs = [pretraining_name(name, seed)
                         ] if method.config else []
                run = finetuning_name(sets.stage, name, count, seed)
                tasks.append(Task(
                    run, f'{name}, {count.name} labels, seed {seed}',
                    partial(_command, work_dir / run, partial(
                        _finetuning, protocol, sets, method, count, seed,
                        batch, longest, [work_dir / need for need in needs])),
                    needs, 'finetune', images * _RECOGNIZER_COST *
                    method.recognizer_passes, images, _epochs(updates)))
    return tasks


def _epochs(updates: int) -> int:
    """Epochs of a run: the first is the warm-up, a tenth where it can be."""
    return 10 if updates >= 20 else 2


def _pretraining(protocol: Protocol, method: Method, seed: int, batch: int,
                 updates: int, teachers: List[Path]) -> Config:
    cfg = read_config(str(method.config))
    for teacher in teachers:
        cfg.merge_from_dict(
            {'model.target_generator.checkpoint': _checkpoint(teacher)})
        if method.warm_start:
            cfg.model.backbone.init_cfg = dict(
                type='Pretrained', checkpoint=_checkpoint(teacher))
    _set_run(cfg, protocol, seed, batch, updates)
    if not method.own_data:
        _set_data(cfg.train_dataloader, protocol.unlabelled)
    cfg.merge_from_dict({**protocol.options, **method.options})
    cfg.probe_words = (protocol.labelled if isinstance(
        protocol.labelled, (list, tuple)) else [protocol.labelled])
    return cfg


def _finetuning(protocol: Protocol, sets: Sets, method: Method,
                count: LabelCount, seed: int, batch: int, longest: int,
                encoders: List[Path]) -> Config:
    cfg = read_config(str(protocol.recognizer))
    # What is learnt is measured once, at the end.
    cfg.val_cfg = cfg.val_dataloader = cfg.val_evaluator = None
    if 'max_seq_len' in cfg.model.decoder:
        # With the tokens for start and end.
        cfg.model.decoder.max_seq_len = max(
            cfg.model.decoder.max_seq_len, longest + 2)
    # In other recognizers than the paper's it is within a feature map.
    vit = cfg.model.backbone.get('vit', cfg.model.backbone)
    vit.init_cfg = dict(
        type='Pretrained', checkpoint=_checkpoint(encoders[0])
    ) if encoders else None
    vit.update(method.encoder)
    _set_run(cfg, protocol, seed, batch, protocol.batches(method.name, count))
    _set_data(cfg.train_dataloader, str(sets.train[count.name]))
    tested = cfg.test_dataloader.dataset
    # Of several sets, which are tested alike.
    pipeline = (tested.get('pipeline') or tested.datasets[0].pipeline)
    cfg.test_dataloader.dataset = dict(
        type='ConcatDataset', pipeline=pipeline, datasets=[
            dict(type='TextImageDataset', paths=paths, with_text=True,
                 test_mode=True, published=dict(name=name))
            for name, paths in sets.tests.items()])
    cfg.test_evaluator.dataset_prefixes = list(sets.tests)
    cfg.merge_from_dict({**protocol.recognizer_options, **method.recognizer})
    return cfg


def _set_run(cfg: Config, protocol: Protocol, seed: int, batch: int,
             updates: int) -> None:
    """Seed, length, checkpoints and precision of a run.

    An epoch is a part of the run, not a pass over the set, so that each run
    makes as many updates as it is given, whatever the size of its set.
    """
    epochs = _epochs(updates)
    # A warm-up needs two updates.
    per_epoch = max(2, round(updates / epochs))
    cfg.randomness = dict(seed=seed)
    cfg.train_dataloader.batch_size = batch
    cfg.train_dataloader.sampler = dict(
        type='RatioSampler', epoch_length=per_epoch * batch)
    cfg.train_cfg.max_epochs = epochs
    cfg.precision = protocol.precision
    cfg.default_hooks.checkpoint.update(
        by_epoch=False, interval=500, max_keep_ckpts=1)


def _set_data(dataloader: Config, paths: Paths) -> None:
    """Let a config read other pictures, through its own pipeline."""
    dataset = dataloader.dataset
    with_text = dataset.get('with_text', 'datasets' in dataset)
    dataloader.dataset = dict(
        type='TextImageDataset', paths=paths, with_text=with_text,
        pipeline=dataset.pipeline)


def _checkpoint(folder: Path) -> str:
    """The checkpoint that a run ended with."""
    path = find_resumable(folder)
    if path is None:
        raise UserError(f'{folder} has no checkpoint although it is done: '
                        'remove the folder, so that it is run again')
    return path


def _command(folder: Path, make: Callable[[], Config]) -> List[str]:
    """Write the config of a run, and give the command that does it."""
    cfg = make()
    cfg.work_dir = str(folder)
    launch.save_config(cfg, folder, '--work-dir')
    return [sys.executable, '-m', 'lmim.comparison.one_run', str(folder)]

