"""The launch of training and testing: options, config, runner, and the end."""
import argparse
import atexit
import ctypes
import importlib.util
import os
import os.path as osp
import platform
import sys
from pathlib import Path
from typing import Any, Callable, Dict, List, NoReturn, Optional

import torch
import torch.distributed as dist
from mmengine.config import Config
from mmengine.logging import print_log
from mmengine.registry import RUNNERS, init_default_scope
from mmengine.runner import Runner

from lmim.datasets.known_sets import DATA_ROOT, read_config
from lmim.utils.atomic import write_atomic
from lmim.utils.errors import UserError, end_after
from lmim.utils.lock import claim_folder
from lmim.utils.log import accept_all_characters
from lmim.utils.options import SettingAction, expand_arguments, expand_home

from .channels import check_channels
from .config_checks import check_components, check_file, merge_options
from .config_fitting import fit_config
from .precision import (PRECISIONS, Precision, choose_precision,
                        warn_if_slower)

#: The optimizer wrapper of each precision.
WRAPPERS = {'fp32': 'OptimWrapper', 'bf16': 'BF16OptimWrapper',
            'fp16': 'AmpOptimWrapper'}

#: Where each launcher tells a process its number.
RANKS = {'pytorch': 'RANK', 'slurm': 'SLURM_PROCID',
         'mpi': 'OMPI_COMM_WORLD_RANK'}

#: In ``auto_scale_lr``: the accumulated iterations that are already counted.
COUNTED = 'counted_accumulation'


def add_common_options(parser: argparse.ArgumentParser, example: str) -> None:
    """Declare the options that training and testing share, as in MMOCR.

    The example is a setting that users of the tool may want to change, such
    as ``train_dataloader.batch_size=32``.
    """
    add = parser.add_argument
    add('--work-dir',
        help='folder for checkpoints, logs and results (default: work_dir of '
        'the config, else ./work_dirs/NAME_OF_CONFIG)')
    add('--cfg-options', nargs='+', action=SettingAction, metavar='KEY=VALUE',
        help=f'change settings of the config, such as {example} or '
        'key="[a,b]"; data_root=FOLDER says where all data sets lie')
    add('--precision', choices=PRECISIONS,
        help='auto: bf16 where it is faster here (fp16 on GPUs without it), '
        'else fp32, found by timing a matrix product '
        '(default: as the config says, fp32 where it says nothing)')
    add('--launcher', choices=['none', 'pytorch', 'slurm', 'mpi'],
        default='none', help='how several processes were started')
    add('--debug', action='store_true',
        help='show where an error was raised (as LMIM_DEBUG=1 does)')
    # Older launchers pass it; newer ones set the environment variable.
    add('--local_rank', '--local-rank', type=int, default=0)


def parse_args(parser: argparse.ArgumentParser,
               argv: Optional[List[str]] = None) -> argparse.Namespace:
    """Read the command line, and set the launcher's rank for MMEngine."""
    args = expand_arguments(parser.parse_args(argv))
    os.environ.setdefault('LOCAL_RANK', str(args.local_rank))
    return args


def load_config(args: argparse.Namespace) -> Config:
    """The config with what the common options change in it.

    ``data_root`` among the options becomes the environment variable that the
    configs read, of this process and those that it starts. MMOCR's own tools
    know the environment variable only.

    Raises:
        UserError: If ``data_root`` is not one folder, or the config has
            settings that nothing reads, or that do not fit one another.
    """
    options: Dict[str, Any] = dict(args.cfg_options or {})
    data_root = options.pop('data_root', None)
    if data_root is not None:
        if not isinstance(data_root, (str, int)) or data_root == '':
            raise UserError(
                f'--cfg-options data_root={data_root!r} is not one folder. '
                'Give the folder in which all data sets lie')
        os.environ[DATA_ROOT] = str(data_root)
    cfg = read_config(args.config)
    check_file(args.config)
    cfg.launcher = args.launcher
    merge_options(cfg, options)
    expand_home(cfg._cfg_dict)
    cfg.work_dir = args.work_dir or cfg.get('work_dir') or osp.join(
        './work_dirs', osp.splitext(osp.basename(args.config))[0])
    init_default_scope(cfg.get('default_scope', 'mmocr'))
    fit_config(cfg)
    check_components(cfg, options)
    check_channels(cfg)
    return cfg


def save_config(cfg: Config, folder: Path, option: str) -> None:
    """Write the config of a run into its folder, unless it is there.

    Raises:
        UserError: If another run is there; ``option`` names a folder.
    """
    path, text = folder / 'config.py', cfg.pretty_text
    if path.is_file() and path.read_text(encoding='utf-8') != text:
        raise UserError(
            f'{folder} holds a run with other settings (compare {path}). '
            f'Name another {option}, or remove that folder')
    write_atomic(path, text.encode())


def build_runner(cfg: Config) -> Runner:
    """Build what trains and tests; see :func:`prepare_cpu_launch`."""
    hold_freed_memory()
    prepare_cpu_launch(cfg)
    build = RUNNERS.build if 'runner_type' in cfg else Runner.from_cfg
    return build(cfg)


def train(cfg: Config) -> Runner:
    """Build the runner of a config, and train in its work dir, alone.

    Raises:
        UserError: If another run writes into the work dir.
    """
    rank = os.environ.get(RANKS.get(cfg.get('launcher', 'none'), ''), '0')
    if rank == '0':  # the process that writes
        claim_folder(cfg.work_dir)
    runner = build_runner(cfg)
    runner.train()
    return runner


def _logged_precision(name: str) -> Precision:
    precision = choose_precision(name)
    print_log(f'Precision: {precision.name} ({precision.reason}).', 'current')
    return precision


def set_precision(cfg: Config, name: str) -> None:
    """Set one of :data:`PRECISIONS` for training, in the config.

    Raises:
        UserError: If the device lacks the precision, or the optimizer
            wrapper is not one that has a counterpart in mixed precision.
    """
    kind = cfg.optim_wrapper.get('type', 'OptimWrapper')
    if kind not in WRAPPERS.values():
        raise UserError(
            f'--precision and --amp know no counterpart of optim_wrapper.type='
            f"{kind}; leave them out, or use the type 'OptimWrapper'")
    precision = _logged_precision(name)
    cfg.optim_wrapper.type = WRAPPERS[precision.name]
    if precision.name == 'fp16':
        cfg.optim_wrapper.setdefault('loss_scale', 'dynamic')
        cfg.optim_wrapper.dtype = 'float16'
    else:
        # AmpOptimWrapper's own, in case the config had that one.
        cfg.optim_wrapper.pop('loss_scale', None)
        cfg.optim_wrapper.pop('dtype', None)


def set_test_precision(cfg: Config, name: str) -> None:
    """Set one of :data:`PRECISIONS` for testing, in the config.

    Raises:
        UserError: If the device lacks the precision.
    """
    precision = _logged_precision(name)
    warn_if_slower(precision)
    # MMEngine's loop has one switch for autocast; its dtype is torch's
    # setting on a GPU, and bfloat16 on a CPU.
    cfg.test_cfg.fp16 = precision.dtype is not None
    if precision.dtype is not None and torch.cuda.is_available():
        torch.set_autocast_gpu_dtype(precision.dtype)


def enable_auto_scale_lr(cfg: Config) -> None:
    """Scale the learning rate with the effective batch, in the config.

    MMEngine scales by batch size x processes / ``base_batch_size``. Dividing
    ``base_batch_size`` by the accumulated iterations counts these as well; a
    mark beside it keeps a dumped config from being divided again.

    Raises:
        UserError: If the config does not say for which batch its rate is.
    """
    scaling = cfg.get('auto_scale_lr') or {}
    if 'base_batch_size' not in scaling:
        raise UserError(
            '--auto-scale-lr needs to know the batch that the learning rate '
            'of the config is meant for. Add to the config: '
            'auto_scale_lr = dict(base_batch_size=512)')
    counts = cfg.optim_wrapper.get('accumulative_counts', 1)
    base = scaling['base_batch_size'] * scaling.get(COUNTED, 1)
    cfg.auto_scale_lr = dict(enable=True, base_batch_size=base / counts)
    cfg.auto_scale_lr[COUNTED] = counts


def prepare_cpu_launch(cfg: Config) -> None:
    """Let several processes train on CPUs, by changes of the config.

    MMEngine's launchers choose a CUDA device and hand it to the model's
    wrapper; both fail without one. Where there is a GPU nothing is done.

    Raises:
        UserError: If the launcher is another than ``pytorch``.
    """
    if cfg.launcher == 'none' or torch.cuda.is_available():
        return
    if cfg.launcher != 'pytorch':
        raise UserError(
            f'--launcher {cfg.launcher} needs GPUs and none is visible. '
            'Several processes on CPUs: tools/dist_train.sh CONFIG PROCESSES')
    if not dist.is_initialized():
        dist.init_process_group('gloo')
    wrapper = cfg.get('model_wrapper_cfg') or dict(
        type='MMDistributedDataParallel',
        broadcast_buffers=False,
        find_unused_parameters=cfg.get('find_unused_parameters', False))
    cfg.model_wrapper_cfg = dict(wrapper, device_ids=None)


def add_tensorboard(cfg: Config) -> None:
    """Have the config write scalars and pictures for TensorBoard as well.

    Raises:
        UserError: If TensorBoard is not installed, or the config has no
            visualizer.
    """
    if importlib.util.find_spec('tensorboard') is None:
        raise UserError('--tensorboard needs TensorBoard, which is not '
                        'installed: pip install tensorboard')
    visualizer = cfg.get('visualizer')
    if not visualizer:
        raise UserError(
            '--tensorboard adds to the visualizer, and the config has none. '
            "Add to it: visualizer = dict(type='TextRecogLocalVisualizer', "
            "name='visualizer', vis_backends=[dict(type='LocalVisBackend')])")
    backends = list(visualizer.get('vis_backends') or [])
    kind = 'TensorboardVisBackend'
    if not any(backend['type'] == kind for backend in backends):
        visualizer.vis_backends = [*backends, dict(type=kind)]


def hold_freed_memory() -> bool:
    """Keep freed memory in the process, for the next step, on CPUs.

    glibc gives large blocks back to the system as they are freed. A step of
    training frees and asks for gigabytes of them, and the system clears each
    page anew: 390,000 pages and 7 % of a step of LMIM ViT-S at batch 16, 12 %
    at batch 48. The peak stays as it is. Nothing is done where there is a
    GPU, whose memory torch holds itself, nor with another C library. Returns
    whether memory is held from now on.
    """
    if torch.cuda.is_available() or platform.libc_ver()[0] != 'glibc':
        return False
    libc = ctypes.CDLL(None)
    trim_threshold, mmap_max = -1, -4  # parameters of mallopt (malloc.h)
    return bool(libc.mallopt(mmap_max, 0)
                and libc.mallopt(trim_threshold, 2**31 - 1))


def run_cleanly(main: Callable[[], None], debug: bool = False) -> int:
    """Run a tool; an error that a user can fix ends in one message.

    Other errors are raised, with ``debug`` all; see
    :func:`lmim.utils.errors.end_after`. The exit status is 0, or 1 after one.
    """
    accept_all_characters()
    try:
        main()
        return 0
    except Exception as error:
        return end_after(error, debug=debug)
    finally:
        if dist.is_available() and dist.is_initialized():
            dist.destroy_process_group()


def leave(status: int) -> NoReturn:
    """End a tool's process with an exit status.

    One of several processes ends without Python's own finalisation. A thread
    of gloo may still be releasing the tensors of the last collective, for
    which it needs the interpreter: when that is being taken down, the process
    aborts ('terminate called without an active exception') after all is done,
    and the launcher reports a failure. It happened in a third of the runs on
    a busy machine.
    """
    if int(os.environ.get('WORLD_SIZE', 1)) > 1:
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)
    sys.exit(status)
