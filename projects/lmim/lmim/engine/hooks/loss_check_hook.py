"""Stop at the first loss that is not a number, or leave its update out."""
import math
import os.path as osp
from typing import Any, Dict, List, Optional, Sequence

import torch
from mmengine.hooks.hook import DATA_BATCH, Hook
from mmengine.runner import Runner
from mmocr.registry import HOOKS

from lmim.checkpoints.loading import diverged
from lmim.utils.atomic import write_atomic
from lmim.utils.errors import UserError

from .checkpoint_hook import bare_model, find_resumable

#: How many pictures of a batch a message names; the file names them all.
SHOWN = 8


@HOOKS.register_module()
class LossCheckHook(Hook):
    """Stop with a useful error when the loss is NaN or infinite.

    The check costs next to nothing: MMEngine copies every loss to the CPU
    anyway, for its log. It runs before the checkpoint hook, and weights
    that are not finite are never saved, so that the last checkpoint stays a
    good one.

    Args:
        skip (int): How many batches in a row may have a loss or gradients
            that are not finite, and no update: they are logged with their
            pictures. Defaults to 0: the first ends the run.

    Raises:
        UserError: By :meth:`after_train_iter` for the loss, by
            :meth:`before_save_checkpoint` for the weights.
    """

    priority = 'ABOVE_NORMAL'

    def __init__(self, skip: int = 0) -> None:
        self.skip = skip
        self.skipped = self._in_a_row = 0
        self._left_out = False

    def before_train(self, runner: Runner) -> None:
        """Look at gradients before they are applied."""
        if self.skip:
            runner.optim_wrapper.optimizer.register_step_pre_hook(
                self._leave_out)

    def _leave_out(self, optimizer: torch.optim.Optimizer, args: Any,
                   kwargs: Any) -> None:
        """Take the gradients away that are not finite; no weight moves.

        They are those of all processes, so that all decide alike.
        """
        params = [param for group in optimizer.param_groups
                  for param in group['params'] if param.grad is not None]
        if not params:
            return
        norms = torch.stack([param.grad.norm() for param in params])
        self._left_out = not norms.isfinite().all()
        if self._left_out:
            for param in params:
                param.grad = None

    def after_train_iter(self, runner: Runner, batch_idx: int,
                         data_batch: DATA_BATCH = None,
                         outputs: Optional[Dict[str, Any]] = None) -> None:
        """Look at the losses of an iteration, ``outputs`` by their names."""
        losses = {name: float(torch.as_tensor(value).detach())
                  for name, value in (outputs or {}).items() if 'loss' in name}
        left_out, self._left_out = self._left_out, False
        finite = all(map(math.isfinite, losses.values()))
        if finite and not left_out:
            self._in_a_row = 0
            return
        names = batch_names(data_batch, runner.train_dataloader.dataset)
        # Each process has a batch of its own.
        process = f'_process_{runner.rank}' if runner.rank else ''
        listing = osp.join(runner.work_dir,
                           f'bad_batch_iter_{runner.iter + 1}{process}.txt')
        if names:
            write_atomic(listing, ('\n'.join(names) + '\n').encode())
        rest = (f'\n  ... and {len(names) - SHOWN} more, all in {listing}'
                if len(names) > SHOWN else '')
        terms = ', '.join(f'{name} = {v:g}' for name, v in losses.items())
        rate = runner.optim_wrapper.get_lr()['lr'][0]
        what = ('The gradients of this loss are not finite' if finite else
                'The loss is not finite')
        told = (
            f'{what}: {terms}; epoch {runner.epoch + 1}, '
            f'iteration {runner.iter + 1} (batch {batch_idx + 1} of the '
            f'epoch), process {runner.rank}, learning rate {rate:g}.\n'
            'The batch:' + ''.join(f'\n  {n}' for n in names[:SHOWN]) + rest)
        self.skipped += 1
        self._in_a_row += 1
        if self._in_a_row > self.skip:
            raise UserError(f'{told}\n{self._advice(runner)}')
        runner.logger.warning(
            f'{told}\nNo update is made of it; {self.skipped} were left out '
            f'in all, and {self.skip + 1} in a row end the run.')

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Refuse to save weights that are not finite.

        A finite loss can have an infinite gradient.
        """
        bad = diverged(bare_model(runner.model))
        if bad:
            raise UserError(
                f'{len(bad)} weights are not finite after iteration '
                f'{runner.iter + 1}, {bad[0]} the first; this checkpoint is '
                'not written.\n' + self._advice(runner))

    @staticmethod
    def _advice(runner: Runner) -> str:
        """What to do, true to what MMEngine does on resuming."""
        last = find_resumable(runner.work_dir)
        config = runner.cfg.filename or 'CONFIG'
        command = f'python tools/train.py {config}'
        kept, start = 'No checkpoint was written yet.', ''
        if last is not None:
            # A resumed optimizer takes its rate from the checkpoint: a lower
            # one in the config would have no effect.
            start = f' load_from={last}'
            kept = (f'The last checkpoint is untouched: {last}\n'
                    'To resume from it with clipped gradients (without --amp '
                    'in full precision):\n'
                    f'  {command} --work-dir {runner.work_dir} --resume '
                    '--cfg-options optim_wrapper.clip_grad.max_norm=1.0')
        return (f'{kept}\nWith a lower learning rate, in a new run:\n'
                f'  {command} --work-dir NEW --cfg-options '
                f'optim_wrapper.optimizer.lr=LOWER{start}\n'
                'If it is always the same batch, look at its pictures.')


def sample_indices(data_samples: Any) -> Any:
    """What there is one of for each picture, where more was packed, too."""
    return (data_samples['sample_idx'] if isinstance(data_samples, dict)
            else data_samples)


def batch_names(data_batch: DATA_BATCH, dataset: Any) -> List[str]:
    """The names of the pictures in a batch; none where it tells nothing.

    Its ``data_samples`` are data samples with an ``img_path``, or the int64
    indices of the pictures, shape (N, ), which ``dataset.describe`` names, or
    a dict with these as ``sample_idx``.
    """
    samples: Any = (sample_indices(data_batch.get('data_samples'))
                    if isinstance(data_batch, dict) else None)
    if isinstance(samples, torch.Tensor):
        samples = samples.flatten().tolist()
    if not isinstance(samples, Sequence):
        return []
    describe = getattr(dataset, 'describe', 'picture {}'.format)
    return [describe(sample) if isinstance(sample, int) else
            str(getattr(sample, 'img_path', sample)) for sample in samples]
