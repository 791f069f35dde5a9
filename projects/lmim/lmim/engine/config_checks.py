"""A config is checked before a run is built: settings that nothing reads.

MMEngine takes any setting. One with a misspelt name, or of MMOCR 0.x, would
change nothing, without a word.
"""
import ast
import difflib
import enum
import inspect
import re
from functools import lru_cache
from pathlib import Path
from typing import (Any, Dict, FrozenSet, Iterable, Iterator, List, Optional,
                    Set, Tuple)

import mmocr.registry
import torch
from mmengine.config import Config
from mmengine.logging import print_log
from mmengine.registry import Registry
from mmengine.runner import Runner
from rapidfuzz.distance import OSA
from torch.utils.data import DataLoader

from lmim.utils.errors import UserError

#: What MMEngine, MMOCR and this project read at the top of a config.
KNOWN: FrozenSet[str] = frozenset(
    inspect.signature(Runner.__init__).parameters) - {'self', 'cfg'} | {
        'activation_checkpointing', 'compile', 'custom_imports',
        'efficient_conv_bn_eval', 'find_unused_parameters',
        'model_wrapper_cfg', 'runner_type', 'strategy', 'sync_bn',
        'tta_model', 'tta_pipeline'}

#: Names of MMOCR 0.x, and others that are tried, with today's.
TODAY: Dict[str, str] = {
    'batch_size': 'train_dataloader.batch_size',
    'checkpoint_config': 'default_hooks.checkpoint',
    'cudnn_benchmark': 'env_cfg.cudnn_benchmark',
    'data': 'train_dataloader, val_dataloader and test_dataloader',
    'data.samples_per_gpu': 'train_dataloader.batch_size',
    'data.test': 'test_dataloader.dataset',
    'data.test_dataloader': 'test_dataloader',
    'data.train': 'train_dataloader.dataset',
    'data.train_dataloader': 'train_dataloader',
    'data.val': 'val_dataloader.dataset',
    'data.val_dataloader': 'val_dataloader',
    'data.workers_per_gpu': 'train_dataloader.num_workers',
    'deterministic': 'randomness.deterministic',
    'dist_params': 'env_cfg.dist_cfg',
    'epochs': 'train_cfg.max_epochs',
    'evaluation': 'val_evaluator, and train_cfg.val_interval',
    'evaluation.interval': 'train_cfg.val_interval',
    'evaluation.metric': 'val_evaluator.metrics',
    'evaluation.rule': 'default_hooks.checkpoint.rule',
    'evaluation.save_best': 'default_hooks.checkpoint.save_best',
    'fp16': '--precision of the command, or optim_wrapper.type',
    'gpu_ids': 'the environment variable CUDA_VISIBLE_DEVICES',
    'gpus': 'tools/dist_train.sh CONFIG GPUS',
    'log_config': 'default_hooks.logger, and visualizer.vis_backends',
    'log_config.hooks': 'visualizer.vis_backends',
    'log_config.interval': 'default_hooks.logger.interval',
    'lr': 'optim_wrapper.optimizer.lr',
    'lr_config': 'param_scheduler',
    'max_epochs': 'train_cfg.max_epochs',
    'max_iters': 'train_cfg.max_iters',
    'model.label_convertor': 'model.decoder.dictionary',
    'model.pretrained': 'load_from, or model.backbone.init_cfg',
    'momentum_config': 'param_scheduler',
    'mp_start_method': 'env_cfg.mp_cfg.mp_start_method',
    'num_workers': 'train_dataloader.num_workers',
    'opencv_num_threads': 'env_cfg.mp_cfg.opencv_num_threads',
    'optimizer': 'optim_wrapper.optimizer',
    'optimizer_config': 'optim_wrapper',
    'optimizer_config.grad_clip': 'optim_wrapper.clip_grad',
    'resume_from': '--resume CHECKPOINT of the command',
    'runner': 'train_cfg',
    'runner.max_epochs': 'train_cfg.max_epochs',
    'runner.max_iters': 'train_cfg.max_iters',
    'runner.type': 'train_cfg.type',
    'samples_per_gpu': 'train_dataloader.batch_size',
    'save_best': 'default_hooks.checkpoint.save_best',
    'seed': 'randomness.seed',
    'total_epochs': 'train_cfg.max_epochs',
    'total_iters': 'train_cfg.max_iters',
    'val_interval': 'train_cfg.val_interval',
    'weight_decay': 'optim_wrapper.optimizer.weight_decay',
    'workers_per_gpu': 'train_dataloader.num_workers',
    'workflow': 'train_cfg and val_cfg',
}

_LOADER = frozenset(inspect.signature(DataLoader.__init__).parameters) | {
    'num_batch_per_epoch', 'disable_subprocess_warning'}
_LOOP = frozenset({'type', 'by_epoch'})
#: What the parts of a config without a component of their own may have.
PARTS: Dict[str, FrozenSet[str]] = {
    'auto_scale_lr': frozenset({'enable', 'base_batch_size',
                                'counted_accumulation'}),
    'compile': frozenset(inspect.signature(torch.compile).parameters)
    if hasattr(torch, 'compile') else frozenset(),
    'custom_imports': frozenset({'imports', 'allow_failed_imports'}),
    'env_cfg': frozenset({'cudnn_benchmark', 'mp_cfg', 'dist_cfg',
                          'resource_limit'}),
    'env_cfg.mp_cfg': frozenset({'mp_start_method', 'opencv_num_threads'}),
    'optim_wrapper.paramwise_cfg': frozenset({
        'bias_decay_mult', 'bias_lr_mult', 'bypass_duplicate', 'custom_keys',
        'dcn_offset_lr_mult', 'dwconv_decay_mult', 'flat_decay_mult',
        'layer_decay_rate', 'norm_decay_mult'}),
    'randomness': frozenset({'seed', 'diff_rank_seed', 'deterministic'}),
    'test_dataloader': _LOADER,
    'train_dataloader': _LOADER,
    'val_dataloader': _LOADER,
}
#: What the place of a component takes beside its own arguments.
BESIDE: Dict[str, FrozenSet[str]] = {
    'custom_hooks': frozenset({'priority'}),
    'default_hooks': frozenset({'priority'}),
    'optim_wrapper': frozenset({'constructor', 'optimizer', 'paramwise_cfg'}),
    'param_scheduler': frozenset({'convert_to_iter_based'}),
    'test_cfg': _LOOP, 'train_cfg': _LOOP, 'val_cfg': _LOOP,
}
#: The component that is meant where a part names none.
DEFAULT_TYPES = {
    'optim_wrapper': 'OptimWrapper', 'test_cfg': 'TestLoop',
    'val_cfg': 'ValLoop', 'visualizer': 'Visualizer',
    'log_processor': 'LogProcessor',
    'model.decoder.refinement': 'AttentionRefinement'}
#: Below these there are components.
WALKED = (*DEFAULT_TYPES, 'custom_hooks', 'default_hooks', 'model',
          'param_scheduler', 'test_dataloader', 'test_evaluator', 'train_cfg',
          'train_dataloader', 'val_dataloader', 'val_evaluator', *PARTS)


class Takes(enum.IntEnum):
    """What a component takes beside the arguments that it names."""
    THESE = 0  # nothing
    INHERITED = 1  # the arguments of what it inherits from, by ``**kwargs``
    ANY = 2


_ALWAYS = frozenset({'type', '_scope_', '_delete_'})


def merge_options(cfg: Config, options: Dict[str, Any]) -> None:
    """Merge ``--cfg-options`` into a config.

    Raises:
        UserError: If nothing reads one of them, naming all such with the
            nearest name, or one does not fit the config.
    """
    backbone = (cfg.get('model') or {}).get('backbone') or {}
    if 'vit' in backbone:  # what loads the encoder is the ViT in it
        options = {re.sub(r'^(model\.backbone)(\.init_cfg\b)', r'\1.vit\2',
                          key): value for key, value in options.items()}
    known = KNOWN | set(cfg)
    lines = [f'  {key}{_instead(key, cfg, known)}' for key in options
             if key.split('.')[0] not in known]
    if lines:
        raise UserError('--cfg-options has settings that nothing reads:\n'
                        + '\n'.join(lines))
    helpers = [key for key in options if key.split('.')[0] not in KNOWN]
    if helpers:
        print_log(
            f'{", ".join(helpers)} of --cfg-options: variables of the config '
            'file, which has been read with the old values; settings that '
            'were made from them stay as they are. Give these instead.',
            'current', 30)
    try:
        cfg.merge_from_dict(options)
    except (AttributeError, IndexError, KeyError, TypeError) as error:
        raise UserError(
            f'--cfg-options {", ".join(options)}: one does not fit the '
            f'config: {error}') from error


def check_file(path: str) -> None:
    """Refuse a misspelt or outdated setting of a config file.

    Files have variables of any names. One is taken for a setting if the file
    does not use it and its name is of MMOCR 0.x, or at most two letters from
    that of a setting.

    Raises:
        UserError: If there is any, naming all.
    """
    if Path(path).suffix != '.py':
        return
    tree = ast.parse(Path(path).read_text(encoding='utf-8-sig'))
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)
            and isinstance(node.ctx, ast.Load)}
    used |= {node.attr for node in ast.walk(tree)
             if isinstance(node, ast.Attribute)}
    lines = []
    for node in tree.body:
        targets = node.targets if isinstance(node, ast.Assign) else []
        for target in targets:
            name = target.id if isinstance(target, ast.Name) else ''
            if not name or name in used or name in KNOWN or name[0] == '_':
                continue
            near = next((one for one in sorted(KNOWN) if len(one) > 5
                         and OSA.distance(name, one, score_cutoff=2) <= 2),
                        None)
            today = TODAY.get(name)
            if near or today:
                lines.append(f'  {name} in line {node.lineno}: '
                             + (f'do you mean {near}?' if near else
                                f'today that is {today}'))
    if lines:
        raise UserError(f'{path} has settings that nothing reads:\n'
                        + '\n'.join(lines))


def check_components(cfg: Config, options: Iterable[str] = ()) -> None:
    """Refuse arguments that the components of a config do not have.

    Components that take any, and those that are not known, are left alone.
    A component of MMOCR may take any, ignore them, and be given one by
    MMOCR's own configs: so what goes to ``**kwargs`` is only refused in an
    option, and where nothing says what they may be, if a name is near.

    Args:
        cfg (Config): The config, with the options.
        options (Iterable[str]): What ``--cfg-options`` set.

    Raises:
        UserError: If there is any, naming all with the nearest name.
    """
    lines: List[str] = []
    for name in WALKED:
        if '.' not in name:
            lines += _wrong(cfg.get(name), name, name, tuple(options))
    if lines:
        raise UserError('The config has settings that nothing reads:\n'
                        + '\n'.join(f'  {line}' for line in lines))


def _wrong(value: Any, where: str, place: str,
           options: Tuple[str, ...]) -> Iterator[str]:
    """What is wrong with a part of a config, and with the parts of it."""
    if isinstance(value, (list, tuple)):
        for number, item in enumerate(value):
            yield from _wrong(item, f'{where}.{number}', place, options)
        return
    # Parts of other libraries have components of equal names.
    if not isinstance(value, dict) or value.get('_scope_', 'mmocr') not in (
            'mmocr', 'mmengine'):
        return
    kind = value.get('type', DEFAULT_TYPES.get(where))
    names, takes = ((PARTS.get(where), Takes.THESE) if kind is None else
                    arguments_of(kind))
    if names is not None:
        allowed = names | _ALWAYS | (
            BESIDE.get(place, frozenset()) if where.count('.') < 2 else set())
        for key in sorted(set(map(str, value)) - allowed):
            given = any(f'{one}.'.startswith(f'{where}.{key}.')
                        for one in options)
            today = TODAY.get(f'{where}.{key}')
            near = difflib.get_close_matches(key, sorted(names), 1)
            if takes is not Takes.THESE and not given or (
                    takes is Takes.ANY and not near and not today):
                continue
            told = (f'today that is {today}' if today else
                    f'do you mean {near[0]}?' if near else
                    f'it takes {", ".join(sorted(names)[:12])}')
            yield f'{where}.{key}: {told}'
    if where == 'default_hooks':
        for key, hook in value.items():
            if isinstance(hook, dict) and 'type' not in hook:
                near = difflib.get_close_matches(
                    key, [one for one in value if one != key], 1)
                yield (f'{where}.{key}: there is no such hook; '
                       + (f'do you mean {where}.{near[0]}?' if near else
                          'a new one needs a type'))
    for key, part in value.items():
        # What these hold is taken apart by rules of their own.
        if not str(key).endswith(('_cfg', 'dcn', 'plugins')) or (
                f'{where}.{key}' in PARTS):
            yield from _wrong(part, f'{where}.{key}', place, options)


@lru_cache(maxsize=None)
def arguments_of(kind: Any) -> Tuple[Optional[FrozenSet[str]], Takes]:
    """The arguments of a component, by its name in a config or its class.

    Returns:
        Tuple: The names, None where it is not known, and what else it takes.
    """
    components = [kind]
    if isinstance(kind, str):
        components = []
        for registry in vars(mmocr.registry).values():
            if isinstance(registry, Registry):
                try:
                    components.append(registry.get(kind))
                except (ImportError, RuntimeError, ValueError):
                    continue  # which the build will report
    several = [_arguments(one) for one in components if one is not None]
    if not several:
        return None, Takes.ANY
    return (frozenset().union(*(names for names, _ in several)),
            max(takes for _, takes in several))


def _arguments(component: Any) -> Tuple[FrozenSet[str], Takes]:
    """The arguments of a class or function, with those it hands on."""
    names: Set[str] = set()
    functions: List[Any] = [component]
    if inspect.isclass(component):
        functions = [vars(one)['__init__'] for one in component.__mro__[:-1]
                     if '__init__' in vars(one)]
    for number, function in enumerate(functions):
        try:
            parameters = inspect.signature(function).parameters.values()
        except (TypeError, ValueError):
            return frozenset(names), Takes.ANY
        names |= {one.name for one in parameters if one.kind in (
            one.POSITIONAL_OR_KEYWORD, one.KEYWORD_ONLY)}
        if not any(one.kind is one.VAR_KEYWORD for one in parameters):
            return frozenset(names) - {'self'}, Takes(number > 0)
    # A class without a constructor takes none.
    return frozenset(names) - {'self'}, (
        Takes.ANY if functions else Takes.THESE)


def _instead(key: str, cfg: Config, known: Iterable[str]) -> str:
    """What may be meant by an option that nothing reads."""
    parts = key.split('.')
    for count in range(len(parts), 0, -1):
        today = TODAY.get('.'.join(parts[:count]))
        if today:
            return f': today that is {today}'
    near = difflib.get_close_matches(parts[0], sorted(known), 1, 0.7)
    if near:
        return f': do you mean {".".join([near[0], *parts[1:]])}?'
    paths = [path for path, _ in _settings(cfg) if path.split('.')[-1]
             == parts[-1] and path.split('.')[0] in KNOWN]
    if paths:
        return f': do you mean {" or ".join(paths[:3])}?'
    return ''


def _settings(value: Any, where: str = '') -> Iterator[Tuple[str, Any]]:
    """All settings of a config by their names in ``--cfg-options``."""
    for key, part in value.items():
        path = f'{where}.{key}' if where else str(key)
        yield path, part
        if isinstance(part, dict):
            yield from _settings(part, path)
