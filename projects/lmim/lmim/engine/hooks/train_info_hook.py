"""What a run really does: effective batch, learning rate, throughput."""
import time
from typing import Any, Dict, List, Optional, Tuple

from mmengine.dist import all_gather_object
from mmengine.hooks.hook import DATA_BATCH, Hook
from mmengine.runner import Runner
from mmocr.registry import HOOKS

from lmim.datasets import TextImageDataset
from lmim.datasets.labels.reading import innermost

from ..launch import COUNTED
from .loss_check_hook import sample_indices

#: How many unreadable records a log line names.
SHOWN = 10


@HOOKS.register_module()
class TrainInfoHook(Hook):
    """Log the effective batch, the learning rate and the images per second.

    The effective batch is batch size x processes x accumulated iterations;
    the paper's rate is ``blr * effective batch / 256``. After each epoch come
    the images per second (loading included, validation not) and, where the
    datasets count them, the unreadable records. All processes write these
    into one file beside the log; only the first has a log file.
    """

    def __init__(self) -> None:
        self._started = 0.
        self._images = 0

    def before_train(self, runner: Runner) -> None:
        """Log what is about to be done."""
        loader = runner.train_dataloader
        for dataset in _counting(runner):
            dataset.unreadable.folder = runner.log_dir
        batch = getattr(loader.batch_sampler, 'batch_size', None) or 1
        counts = runner.optim_wrapper._accumulative_counts
        effective = batch * runner.world_size * counts
        runner.logger.info(
            f'Training on {len(loader.dataset):,} samples: effective batch '
            f'{effective:,} = {batch} a process x {runner.world_size} '
            f'process(es) x {counts} accumulated; {len(loader):,} iterations '
            f'an epoch, {runner.max_iters:,} in all, weights updated '
            f'{-(-runner.max_iters // counts):,} times.')
        peak = peak_rate(runner)
        runner.logger.info(
            f'Learning rate: {peak:g} at its peak'
            f'{self._scaling(runner, peak, effective)}, that is '
            f'{peak * 256 / effective:g} for each 256 images of the '
            'effective batch.')

    @staticmethod
    def _scaling(runner: Runner, peak: float, effective: int) -> str:
        """How the rate was scaled; a warning where accumulation was not."""
        scaling: Dict[str, Any] = runner.auto_scale_lr or {}
        if not scaling.get('enable'):
            return ' (not scaled; --auto-scale-lr does)'
        optimizer = runner.cfg.get('optim_wrapper', {}).get('optimizer', {})
        config = optimizer.get('lr', peak)
        base = scaling['base_batch_size'] * scaling.get(COUNTED, 1)
        counts = runner.optim_wrapper._accumulative_counts
        if scaling.get(COUNTED, 1) != counts:
            runner.logger.warning(
                'The learning rate was scaled by batch size x processes '
                f'alone: MMEngine does not count the {counts} accumulated '
                f"iterations. This repository's tools/train.py does, and "
                f'would take {config * effective / base:g}.')
        return (f' (scaled from {config:g} for a batch of {base:g} by '
                f'{peak / config:g})')

    def before_train_epoch(self, runner: Runner) -> None:
        """Start the clock."""
        self._started = time.perf_counter()
        self._images = 0

    def after_train_iter(self, runner: Runner, batch_idx: int,
                         data_batch: DATA_BATCH = None,
                         outputs: Optional[dict] = None) -> None:
        """Count the images of a batch."""
        if isinstance(data_batch, dict) and 'data_samples' in data_batch:
            self._images += len(sample_indices(data_batch['data_samples']))

    def after_train_epoch(self, runner: Runner) -> None:
        """Log the throughput and the unreadable records."""
        seconds = time.perf_counter() - self._started
        images = self._images * runner.world_size
        if images:
            rate = images / seconds
            runner.message_hub.update_info('images_per_second', rate)
            runner.logger.info(
                f'Epoch {runner.epoch + 1}: {images:,} images in '
                f'{seconds:.1f} s, {rate:.1f} images/s.')
        self._log_unreadable(runner)

    @staticmethod
    def _log_unreadable(runner: Runner) -> None:
        """Log the records that could not be read, over all processes."""
        datasets = _counting(runner)
        if not datasets:
            return
        # A record may have been met by several processes.
        listed = [(number, index) for number, dataset in enumerate(datasets)
                  for index in dataset.unreadable.listed()]
        more = sum(dataset.num_unreadable for dataset in datasets)
        gathered: List[Tuple[list, int]] = all_gather_object(
            (listed, more - len(listed)))
        found = sorted({record for some, _ in gathered for record in some})
        count = len(found) + sum(rest for _, rest in gathered)
        if count:
            shown = ', '.join(datasets[number].describe(index)
                              for number, index in found[:SHOWN])
            runner.logger.warning(
                f'{count} unreadable record(s) were skipped so far: {shown}'
                f'{", ..." if count > SHOWN else ""}')


def peak_rate(runner: Runner) -> float:
    """The highest rate of the schedule, of any parameter."""
    return max(group.get('initial_lr', group['lr'])
               for group in runner.optim_wrapper.optimizer.param_groups)


def _counting(runner: Runner) -> List[TextImageDataset]:
    """The training sets that count what they cannot read."""
    return [dataset for dataset in innermost(runner.train_dataloader.dataset)
            if isinstance(dataset, TextImageDataset)]
