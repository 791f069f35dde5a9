"""What the command line tools do to a config before the runner is built."""
import atexit
import linecache
import logging
import os
import os.path as osp
import sys
from typing import Callable, NoReturn

import torch
import torch.distributed as dist
from mmengine.config import Config
from mmengine.logging import print_log

from .error_origin import origin_of
from .precision import choose_precision, warning_of

#: The optimizer wrapper of each precision.
WRAPPERS = {'fp32': 'OptimWrapper', 'bf16': 'BF16OptimWrapper',
            'fp16': 'AmpOptimWrapper'}

#: In ``auto_scale_lr``: the accumulated iterations that are already counted.
COUNTED = 'counted_accumulation'


def set_work_dir(cfg: Config, work_dir: str, config_path: str) -> None:
    """Set the work dir: the option, else the config's, else by its name."""
    name = osp.splitext(osp.basename(config_path))[0]
    cfg.work_dir = work_dir or cfg.get('work_dir') or osp.join(
        './work_dirs', name)


def set_precision(cfg: Config, name: str) -> None:
    """Train in a precision; ``'auto'`` takes what is fastest here.

    Args:
        cfg (Config): The config, changed in place.
        name (str): One of :data:`~lmim.engine.precision.PRECISIONS`.

    Raises:
        ValueError: If the device lacks the precision, or the optimizer
            wrapper is not one that has a counterpart in mixed precision.
    """
    kind = cfg.optim_wrapper.get('type', 'OptimWrapper')
    if kind not in WRAPPERS.values():
        raise ValueError(
            f'--precision and --amp know no counterpart of optim_wrapper.type='
            f"{kind}; leave them out, or use the type 'OptimWrapper'")
    precision = choose_precision(name)
    print_log(f'Precision: {precision.name} ({precision.reason}).', 'current')
    cfg.optim_wrapper.type = WRAPPERS[precision.name]
    if precision.name == 'fp16':
        cfg.optim_wrapper.setdefault('loss_scale', 'dynamic')
        cfg.optim_wrapper.dtype = 'float16'
    else:
        # AmpOptimWrapper's own, in case the config had that one.
        cfg.optim_wrapper.pop('loss_scale', None)
        cfg.optim_wrapper.pop('dtype', None)


def set_test_precision(cfg: Config, name: str) -> None:
    """Test in a precision; ``'auto'`` takes what is fastest here.

    Args:
        cfg (Config): The config, changed in place.
        name (str): One of :data:`~lmim.engine.precision.PRECISIONS`.

    Raises:
        ValueError: If the device lacks the precision.
    """
    precision = choose_precision(name)
    print_log(f'Precision: {precision.name} ({precision.reason}).', 'current')
    warning = warning_of(precision)
    if warning is not None:
        print_log(warning, 'current', logging.WARNING)
    # MMEngine's loop has one switch for autocast; its dtype is torch's
    # setting on a GPU, and bfloat16 on a CPU.
    cfg.test_cfg.fp16 = precision.dtype is not None
    if precision.dtype is not None and torch.cuda.is_available():
        torch.set_autocast_gpu_dtype(precision.dtype)


def enable_auto_scale_lr(cfg: Config) -> None:
    """Scale the learning rate with the effective batch.

    MMEngine scales by batch size x processes / ``base_batch_size``. Dividing
    ``base_batch_size`` by the accumulated iterations counts these as well; a
    mark beside it keeps a dumped config from being divided again.

    Args:
        cfg (Config): The config, changed in place.

    Raises:
        ValueError: If the config does not tell the batch of its rate.
    """
    scaling = cfg.get('auto_scale_lr') or {}
    if 'base_batch_size' not in scaling:
        raise ValueError(
            '--auto-scale-lr needs to know the batch that the learning rate '
            'of the config is meant for. Add to the config: '
            'auto_scale_lr = dict(base_batch_size=512)')
    counts = cfg.optim_wrapper.get('accumulative_counts', 1)
    base = scaling['base_batch_size'] * scaling.get(COUNTED, 1)
    cfg.auto_scale_lr = dict(enable=True, base_batch_size=base / counts)
    cfg.auto_scale_lr[COUNTED] = counts


def prepare_cpu_launch(cfg: Config) -> None:
    """Let several processes train on CPUs.

    MMEngine's launchers choose a CUDA device and hand it to the model's
    wrapper; both fail without one. Where there is a GPU nothing is done.

    Args:
        cfg (Config): The config, changed in place.

    Raises:
        ValueError: If the launcher is another than ``pytorch``.
    """
    if cfg.launcher == 'none' or torch.cuda.is_available():
        return
    if cfg.launcher != 'pytorch':
        raise ValueError(
            f'--launcher {cfg.launcher} needs GPUs and none is visible. '
            'Several processes on CPUs: tools/dist_train.sh CONFIG PROCESSES')
    if not dist.is_initialized():
        dist.init_process_group('gloo')
    wrapper = cfg.get('model_wrapper_cfg') or dict(
        type='MMDistributedDataParallel',
        broadcast_buffers=False,
        find_unused_parameters=cfg.get('find_unused_parameters', False))
    cfg.model_wrapper_cfg = dict(wrapper, device_ids=None)


def run_cleanly(main: Callable[[], None], debug: bool = False) -> int:
    """Run a tool; an error that a user can mend ends in one message.

    Args:
        main (Callable): The tool.
        debug (bool): Whether to show where it was raised all the same; so
            does the environment's ``LMIM_DEBUG=1``. Defaults to False.

    Returns:
        int: The exit status: 0, or 1 after an error.

    Raises:
        Exception: What the tool raised, where the mend is not the user's.
    """
    try:
        main()
        return 0
    except Exception as error:
        if debug or os.environ.get('LMIM_DEBUG', '') not in ('', '0'):
            raise
        if not _is_meant_for_user(error):
            raise
        text = origin_of(error).message
        rank = int(os.environ.get('RANK', 0))
        if rank:  # one process tells it in full
            text = f'[process {rank}] {text.splitlines()[0]}'
        print(f'\nError: {text}\n(LMIM_DEBUG=1 shows where it was raised.)',
              file=sys.stderr, flush=True)
        return 1
    finally:
        if dist.is_available() and dist.is_initialized():
            dist.destroy_process_group()


def leave(status: int) -> NoReturn:
    """End a tool's process with an exit status.

    One of several processes ends without Python's own finalisation. A thread
    of gloo may still be letting go of the tensors of the last collective,
    for which it needs the interpreter: when that is being taken down, the
    process aborts ('terminate called without an active exception') after all
    is done, and the launcher reports a failure. It happened in a third of
    the runs on a busy machine.

    Args:
        status (int): The exit status.
    """
    if int(os.environ.get('WORLD_SIZE', 1)) > 1:
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)
    sys.exit(status)


def _is_meant_for_user(error: BaseException) -> bool:
    """Whether an error was raised on purpose, with a message for the user.

    That is a file that is not there, a name that a registry does not know,
    and whatever a ``raise`` of this package says; not what a library or an
    operation inside this package fails with.
    """
    if isinstance(error, (FileNotFoundError, FloatingPointError)):
        return True
    if isinstance(error, KeyError) and 'registry' in str(error):
        return True
    origin = origin_of(error)
    package = osp.dirname(osp.dirname(osp.abspath(__file__)))
    line = linecache.getline(origin.file, origin.line)
    return (osp.abspath(origin.file).startswith(package + os.sep)
            and line.lstrip().startswith('raise'))
