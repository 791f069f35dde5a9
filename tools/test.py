"""Evaluate a recognizer on the test sets of its config.

Usage: python tools/test.py CONFIG CHECKPOINT [--save-preds] [--show-dir DIR]
"""
import argparse
import os
import os.path as osp
import sys

import _import_lmim  # noqa: F401  (finds lmim without an installation)
import lmim  # noqa: F401  (before anything of MMOCR)
from mmengine.config import Config, DictAction
from mmengine.registry import RUNNERS
from mmengine.runner import Runner

from lmim.engine.data_check import check_data
from lmim.engine.launch import (leave, prepare_cpu_launch, run_cleanly,
                                set_work_dir)


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description='Evaluate a recognizer on the test sets of its config.')
    parser.add_argument('config', help='the config file')
    parser.add_argument('checkpoint', help='the checkpoint to evaluate')
    parser.add_argument(
        '--work-dir',
        help='folder for logs and results (default: work_dir of the config, '
        'else ./work_dirs/NAME_OF_CONFIG)')
    parser.add_argument(
        '--save-preds',
        action='store_true',
        help='keep the predictions in a pickle file in the work dir')
    pictures = parser.add_mutually_exclusive_group()
    pictures.add_argument(
        '--show', action='store_true', help='show predictions in a window')
    pictures.add_argument(
        '--show-dir', help='folder to write pictures of predictions to')
    parser.add_argument(
        '--wait-time',
        type=float,
        default=2,
        help='seconds for which --show shows a picture')
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action=DictAction,
        metavar='KEY=VALUE',
        help='change settings of the config, such as '
        'test_dataloader.batch_size=32 or key="[a,b]"')
    parser.add_argument(
        '--launcher',
        choices=['none', 'pytorch', 'slurm', 'mpi'],
        default='none',
        help='how several processes were started')
    parser.add_argument(
        '--tta', action='store_true', help='augment at test time')
    parser.add_argument(
        '--debug',
        action='store_true',
        help='show where an error was raised (as LMIM_DEBUG=1 does)')
    # Older launchers pass it; newer ones set the environment variable.
    parser.add_argument('--local_rank', '--local-rank', type=int, default=0)
    args = parser.parse_args()
    os.environ.setdefault('LOCAL_RANK', str(args.local_rank))
    return args


def draw_predictions(cfg: Config, args: argparse.Namespace) -> None:
    """Turn on MMOCR's pictures of predictions.

    Raises:
        SystemExit: If the config has no hook that draws.
    """
    hook = cfg.get('default_hooks', {}).get('visualization')
    if hook is None:
        sys.exit('Error: --show and --show-dir need a hook that draws. Add '
                 'to default_hooks of the config: '
                 "visualization=dict(type='VisualizationHook')")
    hook.update(enable=True, draw_gt=True, draw_pred=True)
    if args.show:
        hook.update(show=True, wait_time=args.wait_time)
    else:
        cfg.visualizer.save_dir = args.show_dir
        cfg.visualizer.vis_backends = [dict(type='LocalVisBackend')]


def save_predictions(cfg: Config, checkpoint: str) -> None:
    """Add the metric that writes predictions to the evaluators."""
    path = osp.join(cfg.work_dir,
                    f'{osp.basename(checkpoint)}_predictions.pkl')
    dump = dict(type='DumpResults', out_file_path=path)
    evaluators = cfg.test_evaluator
    if not isinstance(evaluators, (list, tuple)):
        evaluators = [evaluators]
    cfg.test_evaluator = [*evaluators, dump]


def main(args: argparse.Namespace) -> None:
    """Build the runner and test."""
    # Without yapf, which lays the whole config out anew for each of four
    # copies and takes more time than everything else before training.
    cfg = Config.fromfile(args.config, format_python_code=False)
    cfg.launcher = args.launcher
    if args.cfg_options:
        cfg.merge_from_dict(args.cfg_options)
    set_work_dir(cfg, args.work_dir, args.config)
    cfg.load_from = args.checkpoint
    cfg.resume = False
    if args.show or args.show_dir:
        draw_predictions(cfg, args)
    if args.tta:
        cfg.test_dataloader.dataset.pipeline = cfg.tta_pipeline
        cfg.model = dict(cfg.tta_model, module=cfg.model)
    if args.save_preds:
        save_predictions(cfg, args.checkpoint)
    check_data(cfg, ('test_dataloader', ))
    prepare_cpu_launch(cfg)
    build = RUNNERS.build if 'runner_type' in cfg else Runner.from_cfg
    build(cfg).test()


if __name__ == '__main__':
    arguments = parse_args()
    leave(run_cleanly(lambda: main(arguments), arguments.debug))
