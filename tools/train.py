"""Train a model: pre-training and fine-tuning alike.

Usage: python tools/train.py CONFIG [--resume] [--amp] [--cfg-options K=V ...]
"""
import argparse

import _import_lmim  # noqa: F401  (finds lmim without an installation)
import lmim  # noqa: F401  (before anything of MMOCR)
from mmengine.config import Config

from lmim.engine import launch
from lmim.engine.hooks.checkpoint_hook import find_resumable
from lmim.engine.hooks.data_check_hook import check_data


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description='Train a model: pre-training and fine-tuning alike.')
    add = parser.add_argument
    add('config', help='the config file')
    add('--resume', nargs='?', const='auto', metavar='CHECKPOINT',
        help='resume from a checkpoint; without a path from the latest in the '
        'work dir, and from the beginning where there is none')
    add('--amp', action='store_const', const='auto', dest='precision',
        help='the same as --precision auto')
    add('--auto-scale-lr', action='store_true',
        help='scale the learning rate with the effective batch: batch size x '
        'processes x accumulated iterations / auto_scale_lr.base_batch_size')
    add('--tensorboard', action='store_true',
        help='write losses and pictures for TensorBoard too, into the work '
        'dir: tensorboard --logdir WORK_DIR')
    launch.add_common_options(parser, 'train_dataloader.batch_size=32')
    return launch.parse_args(parser)


def set_resume(cfg: Config, resume: str) -> None:
    """Set where to resume from.

    With ``resume`` on, MMEngine takes ``load_from`` of the config for the
    checkpoint to resume, even where it is the weights to start from. So it is
    replaced by the latest checkpoint where there is one, and kept as a start
    where there is none.
    """
    path = find_resumable(cfg.work_dir) if resume == 'auto' else resume
    cfg.resume = path is not None
    if path is not None:
        cfg.load_from = path
    else:
        print(f'Nothing to resume in {cfg.work_dir}: training starts from '
              'the beginning.')


def main(args: argparse.Namespace) -> None:
    """Build the runner and train."""
    cfg = launch.load_config(args)
    if args.resume:
        set_resume(cfg, args.resume)
    if args.precision:
        launch.set_precision(cfg, args.precision)
    if args.auto_scale_lr:
        launch.enable_auto_scale_lr(cfg)
    if args.tensorboard:
        launch.add_tensorboard(cfg)
    check_data(cfg, ('train_dataloader', 'val_dataloader'))
    launch.train(cfg)


if __name__ == '__main__':
    arguments = parse_args()
    launch.leave(launch.run_cleanly(lambda: main(arguments), arguments.debug))
