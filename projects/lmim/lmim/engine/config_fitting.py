"""Settings of a config that follow from one that was changed.

A loop, an optimizer or a number of workers is changed in one line; what the
config had for the one before would end the run.
"""
import difflib
import importlib.util
from pathlib import Path
from typing import Any, Dict, List, Sequence

import torch
from mmengine.config import Config, ConfigDict
from mmengine.logging import print_log

from lmim.checkpoints.dictionaries import (dictionaries_of, read_dict_file,
                                           write_dict_file)
from lmim.utils.errors import UserError

from .config_checks import Takes, arguments_of
from .widths import fit_widths

#: What only workers have.
OF_WORKERS = ('persistent_workers', 'prefetch_factor',
              'multiprocessing_context', 'timeout')
#: The library of each visualization backend, as pip calls it and as imported.
LIBRARIES = {
    'AimVisBackend': ('aim', 'aim'),
    'ClearMLVisBackend': ('clearml', 'clearml'),
    'DVCLiveVisBackend': ('dvclive', 'dvclive'),
    'MLflowVisBackend': ('mlflow', 'mlflow'),
    'NeptuneVisBackend': ('neptune', 'neptune'),
    'TensorboardVisBackend': ('tensorboard', 'tensorboard'),
    'WandbVisBackend': ('wandb', 'wandb'),
}
#: The part of a training that is warm-up where the config's is too long.
WARM_UP = 0.1


def fit_config(cfg: Config) -> None:
    """Let the parts of a config fit one another, in place; what is changed
    is logged.

    Raises:
        UserError: If something does not fit and cannot be made to.
    """
    _check_values(cfg)
    for name in ('train_dataloader', 'val_dataloader', 'test_dataloader'):
        loaders = cfg.get(name)
        for loader in loaders if isinstance(loaders, list) else [loaders]:
            if loader and not loader.get('num_workers'):
                for key in OF_WORKERS:
                    loader.pop(key, None)
    _fit_optimizer(cfg)
    _fit_loop(cfg)
    _check_backends(cfg)
    _fit_dictionaries(cfg)
    fit_widths(cfg)


def _check_values(cfg: Config) -> None:
    """Refuse numbers that are none, and text in the place of components.

    Raises:
        UserError: If there is any, naming all.
    """
    least = {'batch_size': 1, 'num_workers': 0, 'max_epochs': 1,
             'max_iters': 1}
    lines = [
        f'{part}.{key}={value!r}: give a whole number from {lowest} on'
        for part in ('train_dataloader', 'val_dataloader', 'test_dataloader',
                     'train_cfg')
        for one in [cfg.get(part)] if isinstance(one, dict)
        for key, lowest in least.items()
        for value in [one.get(key)] if value is not None and (
            not isinstance(value, int) or value < lowest)]
    lists = {'custom_hooks': cfg.get('custom_hooks'),
             'visualizer.vis_backends':
             (cfg.get('visualizer') or {}).get('vis_backends')}
    for name, parts in lists.items():
        if parts and (not isinstance(parts, (list, tuple))
                      or any(isinstance(one, (str, int)) for one in parts)):
            lines.append(f'{name} is a list of dict(type=...): write it in a '
                         'config file, as --cfg-options sets what is there')
    if lines:
        raise UserError('The config has values that do not do:\n'
                        + '\n'.join(f'  {line}' for line in lines))


def _log(text: str) -> None:
    print_log(text, 'current')


def _fit_optimizer(cfg: Config) -> None:
    """Leave out arguments of another optimizer, such as AdamW's of SGD."""
    optimizer = (cfg.get('optim_wrapper') or {}).get('optimizer')
    if not isinstance(optimizer, dict) or 'type' not in optimizer:
        return
    names, takes = arguments_of(optimizer['type'])
    kinds: List[Any] = [
        kind for kind in vars(torch.optim).values()
        if isinstance(kind, type) and issubclass(kind, torch.optim.Optimizer)]
    if names is None and isinstance(optimizer['type'], str):
        known = sorted(kind.__name__ for kind in kinds)
        near = difflib.get_close_matches(optimizer['type'], known, 1)
        raise UserError(
            f'optim_wrapper.optimizer.type={optimizer["type"]}: there is no '
            'such optimizer; ' + (f'do you mean {near[0]}?' if near else
                                  f'there are {", ".join(known)}'))
    if names is None or takes is Takes.ANY:
        return
    others = frozenset().union(*(arguments_of(kind)[0] or frozenset()
                                 for kind in kinds))
    left = sorted((others & set(optimizer)) - names)
    for key in left:
        optimizer.pop(key)
    if left:
        _log(f'{optimizer["type"]} has no {", ".join(left)}, which the config '
             'had for another optimizer: left out. Look whether lr='
             f'{optimizer.get("lr")} is meant for it.')


def _fit_loop(cfg: Config) -> None:
    """Let schedule, checkpoints and log count as the training loop does."""
    loop = cfg.get('train_cfg')
    if not loop:
        return
    kind = loop.get('type', 'EpochBasedTrainLoop' if loop.get(
        'by_epoch', True) else 'IterBasedTrainLoop')
    by_epoch = kind != 'IterBasedTrainLoop'
    if 'type' in loop:
        loop.pop('by_epoch', None)
    if by_epoch:
        if 'max_iters' in loop and kind in ('EpochBasedTrainLoop',
                                            'ResumableEpochLoop'):
            raise UserError(
                f'train_cfg.max_iters={loop.max_iters} needs the loop that '
                'counts iterations, and train_cfg.type is '
                f'{kind}: train_cfg.type=IterBasedTrainLoop. Or give '
                'train_cfg.max_epochs')
        return
    if 'max_iters' not in loop:
        raise UserError('train_cfg.type=IterBasedTrainLoop needs the number '
                        'of iterations: train_cfg.max_iters=10000')
    loop.pop('max_epochs', None)
    changed = []
    schedule = cfg.get('param_scheduler')
    schedulers = [one for one in (schedule if isinstance(
        schedule, (list, tuple)) else [schedule]) if isinstance(one, dict)]
    if any(one.get('by_epoch', True) for one in schedulers):
        cfg.param_scheduler = _count_iterations(schedulers,
                                                int(loop.max_iters))
        changed.append(f'param_scheduler (warm-up: {WARM_UP:.0%})')
    hooks = cfg.get('default_hooks') or {}
    saving = hooks.get('checkpoint')
    if saving and saving.get('by_epoch', True):
        saving.update(by_epoch=False, interval=int(loop.get(
            'val_interval', max(1, loop.max_iters // 10))))
        changed.append(f'checkpoints (every {saving.interval} iterations)')
    if cfg.get('log_processor') and cfg.log_processor.get('by_epoch', True):
        cfg.log_processor.by_epoch = False
        changed.append('log')
    if changed:
        _log('Counted in iterations, as the training loop does: '
             f'{", ".join(changed)}.')


def _count_iterations(schedulers: Sequence[Dict[str, Any]],
                      total: int) -> List[Dict[str, Any]]:
    """Let a warm-up of some epochs and what follows count iterations.

    A warm-up of less than two iterations is left out.
    """
    ends = {one['end'] for one in schedulers if 'end' in one
            and one.get('by_epoch', True) and not one.get('begin')}
    warm_up = round(total * WARM_UP)
    warm_up = warm_up if warm_up > 1 else 0
    counted = []
    for one in schedulers:
        if not one.get('by_epoch', True):
            counted.append(one)
            continue
        begin, end = one.get('begin', 0), one.get('end')
        if begin not in {0} | ends or (begin and end) or (
                {'milestones', 'step_size', 'T_max'} & set(one)):
            raise UserError(
                f'param_scheduler has a {one["type"]} that counts epochs, and '
                'the training loop counts iterations: give it by_epoch=False '
                'with begin and end in iterations, without '
                'convert_to_iter_based')
        one.pop('convert_to_iter_based', None)
        one.update(by_epoch=False, begin=warm_up if begin else 0,
                   end=warm_up if end else total)
        if one['end']:
            counted.append(one)
    return counted


def fit_schedule(schedulers: List[Dict[str, Any]], epochs: int,
                 length: int) -> List[Dict[str, Any]]:
    """Shorten or leave out a warm-up that is longer than the training allows.

    Args:
        schedulers (List[dict]): The configs of ``param_scheduler``.
        epochs (int): How many epochs are trained.
        length (int): The iterations of an epoch.

    Returns:
        List[dict]: The same, or what stands for them: the warm-up ends after
        a tenth of the training, and is left out where that is less than two
        iterations.

    Raises:
        UserError: If a scheduler begins when the training has ended and is
            not counted in iterations.
    """
    ours = [one for one in schedulers if isinstance(one, dict)
            and one.get('by_epoch', True)]
    begin = max((one.get('begin', 0) for one in ours), default=0)
    ends = [one['end'] for one in ours if one.get('type') == 'LinearLR'
            and 'end' in one and not one.get('begin')
            and one.get('convert_to_iter_based')]
    # MMEngine's LinearLR stays at its start where it has one step.
    if begin < epochs and not any(end * length < 2 for end in ends):
        return schedulers
    if not all(one.get('convert_to_iter_based') for one in ours):
        raise UserError(
            f'param_scheduler has a part that begins at epoch {begin}, and '
            f'training ends after {epochs}: lower its `begin` and the `end` '
            'of the part before, or raise train_cfg.max_epochs')
    warm_up = epochs * WARM_UP if begin >= epochs else max(ends)
    keep = warm_up * length >= 2
    _log(f'The warm-up takes the first {warm_up * length:.0f} of '
         f'{epochs * length} iterations, as the training has {epochs} '
         'epoch(s).' if keep else 'There is no warm-up: the training has '
         f'{epochs * length} iteration(s).')
    fitted = []
    for one in schedulers:
        one = ConfigDict(one) if isinstance(one, dict) else one
        if one in ours:
            if one.get('begin', 0):
                one.begin = warm_up if keep else 0
            elif 'end' in one:
                if not keep:
                    continue
                one.end = min(one.end, warm_up)
        fitted.append(one)
    return fitted


def _check_backends(cfg: Config) -> None:
    """Refuse a backend whose library is not installed, before training."""
    backends = (cfg.get('visualizer') or {}).get('vis_backends') or []
    for backend in backends:
        kind = backend.get('type')
        name, module = LIBRARIES.get(str(kind).rpartition('.')[2], ('', ''))
        if module and importlib.util.find_spec(module) is None:
            raise UserError(
                f'{kind} in visualizer.vis_backends needs {name}, which is '
                f'not installed: pip install {name}, or take the backend out '
                'of the config')


def _fit_dictionaries(cfg: Config) -> None:
    """Refuse a dictionary file that MMOCR would; a byte order mark is left
    out in a copy in the work dir.
    """
    model = cfg.get('model')
    for part in dictionaries_of(model) if isinstance(model, dict) else []:
        path = Path(part['dict_file'])
        if not path.is_file():
            raise UserError(f'dict_file={path} does not exist: give the '
                            'dictionary of the labels, a character a line '
                            '(lmim data dictionary makes one)')
        characters = read_dict_file(path)
        if path.read_bytes().startswith(b'\xef\xbb\xbf'):
            copy = Path(cfg.get('work_dir') or '.') / path.name
            write_dict_file(copy, characters, overwrite=True)
            part['dict_file'] = str(copy)
            _log(f'{path} begins with a byte order mark: the copy without it, '
                 f'{copy}, is used.')
