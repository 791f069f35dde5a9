"""Evaluate a recognizer on the test sets of its config, any number of them.

Usage: python tools/test.py CONFIG CHECKPOINT [--tta] [--width W] [--misread N]
                            [--by-length [N ...]]

Ends with a table for each benchmark, also in the work dir as
CHECKPOINT_benchmark.md, .csv and .json, and a sheet of misread words,
CHECKPOINT_misread.html.
"""
import argparse
import os.path as osp
from typing import Any

import _import_lmim  # noqa: F401  (finds lmim without an installation)
import lmim  # noqa: F401  (before anything of MMOCR)
from mmengine.config import Config

from lmim.engine import launch
from lmim.engine.hooks.data_check_hook import check_data
from lmim.engine.widths import set_widths
from lmim.utils.errors import UserError

#: The ranges of --by-length end with these.
LENGTHS = (4, 8, 12, 16, 24, 32)


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description='Evaluate a recognizer on the test sets of its config.')
    add = parser.add_argument
    add('config', help='the config file')
    add('checkpoint', help='the checkpoint to evaluate')
    add('--save-preds', action='store_true',
        help='keep the predictions in a pickle file in the work dir')
    pictures = parser.add_mutually_exclusive_group()
    pictures.add_argument(
        '--show', action='store_true', help='show predictions in a window')
    pictures.add_argument(
        '--show-dir', help='folder to write pictures of predictions to')
    add('--wait-time', type=float, default=2,
        help='seconds for which --show shows a picture')
    add('--tta', action='store_true',
        help='read tall pictures in three orientations, and take the surest '
        "reading (tta_pipeline of the config); '_tta' is added to the names "
        'of the tables')
    add('--width', metavar='W',
        help='how wide pictures are for the model, as of `lmim infer`: auto, '
        'MIN-MAX or N; widths of its encoder in the config, which needs a '
        'TextViT (default: as the config says)')
    add('--misread', type=int, metavar='N',
        help='how many misread words of each set are shown with their '
        'pictures, worst first (default: 50 by the config; 0: no sheet)')
    add('--by-length', type=int, nargs='*', metavar='N',
        help='add a table of words by the number of characters of their '
        'labels: up to each N, and longer ones (default where none is given: '
        '4 8 12 16 24 32)')
    launch.add_common_options(parser, 'test_dataloader.batch_size=32')
    return launch.parse_args(parser)


def set_hook(cfg: Config, name: str, kind: str, /, **options: Any) -> None:
    """Set options of a hook of the config.

    Raises:
        UserError: If the config has no such hook.
    """
    hook = cfg.get('default_hooks', {}).get(name)
    if hook is None:
        raise UserError(f'this option needs a hook. Add to default_hooks of '
                        f"the config: {name}=dict(type='{kind}')")
    hook.update(options)


def draw_predictions(cfg: Config, args: argparse.Namespace) -> None:
    """Turn on the pictures of predictions."""
    set_hook(cfg, 'visualization', 'PredictionPicturesHook',
             type='PredictionPicturesHook', enable=True,
             draw_gt=True, draw_pred=True, show=args.show,
             wait_time=args.wait_time)
    if args.show_dir and cfg.get('visualizer'):
        cfg.visualizer.save_dir = args.show_dir
        cfg.visualizer.vis_backends = [dict(type='LocalVisBackend')]


def save_predictions(cfg: Config, checkpoint: str) -> None:
    """Add the metric that writes predictions to the evaluator's."""
    path = osp.join(cfg.work_dir,
                    f'{osp.basename(checkpoint)}_predictions.pkl')
    evaluator = cfg.test_evaluator
    several = isinstance(evaluator, dict) and 'metrics' in evaluator
    metrics = evaluator['metrics'] if several else evaluator
    metrics = metrics if isinstance(metrics, (list, tuple)) else [metrics]
    metrics = [*metrics, dict(type='DumpResults', out_file_path=path)]
    cfg.test_evaluator = dict(evaluator, metrics=metrics) if several else (
        metrics)


def augment(cfg: Config) -> None:
    """Test with test-time augmentation.

    Raises:
        UserError: If the config does not say how.
    """
    if 'tta_model' not in cfg or 'tta_pipeline' not in cfg:
        raise UserError(
            '--tta needs tta_model and tta_pipeline in the config; '
            'configs/_base_/recognizer_dataloader.py has both')
    cfg.test_dataloader.dataset.pipeline = cfg.tta_pipeline
    cfg.model = dict(cfg.tta_model, module=cfg.model)


def main(args: argparse.Namespace) -> None:
    """Build the runner and test."""
    cfg = launch.load_config(args)
    if args.width:
        set_widths(cfg, args.width)
    cfg.load_from = args.checkpoint
    cfg.resume = False
    if args.show or args.show_dir:
        draw_predictions(cfg, args)
    if args.tta:
        augment(cfg)
    if args.misread is not None:
        set_hook(cfg, 'benchmark', 'BenchmarkHook', max_misread=args.misread)
    if args.by_length is not None:
        set_hook(cfg, 'benchmark', 'BenchmarkHook',
                 by_length=args.by_length or LENGTHS)
    if args.precision:
        launch.set_test_precision(cfg, args.precision)
    if args.save_preds:
        save_predictions(cfg, args.checkpoint)
    check_data(cfg, ('test_dataloader', ))
    launch.build_runner(cfg).test()


if __name__ == '__main__':
    arguments = parse_args()
    launch.leave(launch.run_cleanly(lambda: main(arguments), arguments.debug))
