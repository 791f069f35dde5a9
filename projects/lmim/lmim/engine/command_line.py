"""What the command lines of training and testing have in common."""
import argparse
import os
from typing import Any, Dict, List, Optional

from mmengine.config import Config, DictAction
from mmengine.registry import RUNNERS
from mmengine.runner import Runner

from lmim.datasets.known_sets import DATA_ROOT, read_config

from .launch import prepare_cpu_launch, set_work_dir
from .memory import hold_freed_memory
from .precision import PRECISIONS


def add_common_options(parser: argparse.ArgumentParser, example: str) -> None:
    """Declare what both tools take, as MMOCR's own do.

    Args:
        parser (argparse.ArgumentParser): Of the tool.
        example (str): A setting that its users may want to change, such as
            ``train_dataloader.batch_size=32``.
    """
    add = parser.add_argument
    add('--work-dir',
        help='folder for checkpoints, logs and results (default: work_dir of '
        'the config, else ./work_dirs/NAME_OF_CONFIG)')
    add('--cfg-options',
        nargs='+',
        action=DictAction,
        metavar='KEY=VALUE',
        help=f'change settings of the config, such as {example} or '
        'key="[a,b]"; data_root=FOLDER says where all data sets lie')
    add('--precision',
        choices=PRECISIONS,
        help='auto: bf16 where it is faster here (fp16 on GPUs without it), '
        'else fp32, found by timing a matrix product '
        '(default: as the config says, fp32 where it says nothing)')
    add('--launcher',
        choices=['none', 'pytorch', 'slurm', 'mpi'],
        default='none',
        help='how several processes were started')
    add('--debug',
        action='store_true',
        help='show where an error was raised (as LMIM_DEBUG=1 does)')
    # Older launchers pass it; newer ones set the environment variable.
    add('--local_rank', '--local-rank', type=int, default=0)


def parse_args(parser: argparse.ArgumentParser,
               argv: Optional[List[str]] = None) -> argparse.Namespace:
    """Read the command line, and tell the launcher's rank to MMEngine.

    Args:
        parser (argparse.ArgumentParser): With :func:`add_common_options`.
        argv (List[str], optional): Defaults to the process's own.
    """
    args = parser.parse_args(argv)
    os.environ.setdefault('LOCAL_RANK', str(args.local_rank))
    return args


def load_config(args: argparse.Namespace) -> Config:
    """The config with what the common options change in it.

    ``data_root`` among the options becomes the environment variable that the
    configs read, of this process and those that it starts. MMOCR's own tools
    know the environment variable only.

    Args:
        args (argparse.Namespace): With ``config`` and the common options.

    Raises:
        ValueError: If ``data_root`` is not one folder.
    """
    options: Dict[str, Any] = dict(args.cfg_options or {})
    data_root = options.pop('data_root', None)
    if data_root is not None:
        if not isinstance(data_root, (str, int)) or data_root == '':
            raise ValueError(
                f'--cfg-options data_root={data_root!r} is not one folder. '
                'Give the folder in which all data sets lie')
        os.environ[DATA_ROOT] = str(data_root)
    cfg = read_config(args.config)
    cfg.launcher = args.launcher
    cfg.merge_from_dict(options)
    set_work_dir(cfg, args.work_dir, args.config)
    return cfg


def build_runner(cfg: Config) -> Runner:
    """Build what trains and tests, on GPUs or CPUs.

    Args:
        cfg (Config): The whole config, changed in place.

    Raises:
        ValueError: As of :func:`~lmim.engine.launch.prepare_cpu_launch`.
    """
    hold_freed_memory()
    prepare_cpu_launch(cfg)
    build = RUNNERS.build if 'runner_type' in cfg else Runner.from_cfg
    return build(cfg)
