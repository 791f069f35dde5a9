"""Epoch-based training that resumes in the middle of an epoch."""
import logging
from typing import Any, Dict, Iterator, Sized

from mmengine.dist import get_world_size
from mmengine.logging import print_log
from mmengine.runner import EpochBasedTrainLoop
from mmocr.registry import LOOPS
from torch.utils.data import DataLoader

from lmim.utils.errors import UserError

from .config_fitting import fit_schedule


class SkippableBatches:
    """A batch sampler that can leave out its first batches, once.

    Only indices are skipped: no picture of a left-out batch is read.
    Everything else is the wrapped sampler's.
    """

    def __init__(self, batches: Sized) -> None:
        self.batches = batches
        #: How many batches the next pass leaves out.
        self.skip = 0

    def __iter__(self) -> Iterator[Any]:
        skip, self.skip = self.skip, 0
        for number, batch in enumerate(self.batches):  # type: ignore
            if number >= skip:
                yield batch

    def __len__(self) -> int:
        """The length of a full pass: an epoch's, wherever it is resumed."""
        return len(self.batches)

    def __getattr__(self, name: str) -> Any:
        if name == 'batches':  # not set yet while it is being unpickled
            raise AttributeError(name)
        return getattr(self.batches, name)


def _make_skippable(dataloader: DataLoader) -> SkippableBatches:
    """Put a :class:`SkippableBatches` into a built dataloader."""
    name = 'sampler' if dataloader.batch_sampler is None else 'batch_sampler'
    batches = SkippableBatches(getattr(dataloader, name))
    # DataLoader forbids setting these once it is built, lest workers be out
    # of step. Both the length and the order of a pass stay as they were, and
    # a pass has not begun.
    vars(dataloader)[name] = batches
    return batches


@LOOPS.register_module()
class ResumableEpochLoop(EpochBasedTrainLoop):
    """MMEngine's epoch loop, resuming at the batch where the run was left.

    ``EpochBasedTrainLoop`` starts the epoch of the checkpoint anew, so that
    with ``CheckpointHook(by_epoch=False)`` a resumed run sees some pictures
    twice and makes more updates than its schedule has. Here the batches that
    were done are skipped, in the same order of the data; a checkpoint at the
    end of an epoch resumes as before. Whoever wants the same weights as those
    of an uninterrupted run needs :class:`StepSeedHook` too.

    The arguments are those of ``EpochBasedTrainLoop``.

    Raises:
        UserError: If an epoch has no iteration, or the schedule does not
            fit; see :func:`fit_schedule`. On :meth:`run`, where the epoch has
            another number of iterations than in the run that wrote the
            checkpoint.
    """

    def __init__(self, runner: Any, dataloader: Any, max_epochs: int,
                 **kwargs: Any) -> None:
        super().__init__(runner, dataloader, max_epochs, **kwargs)
        self._check_length()
        self._batches = _make_skippable(self.dataloader)
        self._seed = runner.seed

    def _check_length(self) -> None:
        """Refuse epochs that cannot be trained on as they are configured."""
        length = len(self.dataloader)
        samples = len(self.dataloader.dataset)
        if length == 0:
            raise UserError(
                f'The training set has {samples} samples, less than one batch '
                'for each process, and incomplete batches are dropped: set '
                f'train_dataloader.batch_size to {samples} or less')
        schedulers = self.runner.param_schedulers
        if isinstance(schedulers, dict) and 'type' in schedulers:
            schedulers = [schedulers]
        if isinstance(schedulers, list):
            self.runner.param_schedulers = fit_schedule(
                schedulers, self._max_epochs, length)

    def run(self) -> Any:
        """Launch training."""
        if self._iter > 0:
            self._check_resumed()
            self._follow_seed()
        self.runner.message_hub.update_info('train_data', self._data_info())
        return super().run()

    def run_epoch(self) -> None:
        """Run what is left of one epoch."""
        self.runner.call_hook('before_train_epoch')
        self.runner.model.train()
        done = self._iter - self._epoch * len(self.dataloader)
        self._batches.skip = done
        for idx, data_batch in enumerate(self.dataloader, done):
            self.run_iter(idx, data_batch)

        self.runner.call_hook('after_train_epoch')
        self._epoch += 1

    def _data_info(self) -> Dict[str, int]:
        """What decides on the order of the data and the schedule."""
        batch = getattr(self.dataloader.batch_sampler, 'batch_size', None) or 1
        return dict(
            iterations_per_epoch=len(self.dataloader),
            effective_batch=batch * get_world_size(),
            samples=len(self.dataloader.dataset),
            epochs=self.max_epochs)

    def _check_resumed(self) -> None:
        """Refuse or warn where this run is not the one of the checkpoint."""
        hub = self.runner.message_hub
        then: Dict[str, int] = hub.runtime_info.get('train_data', {})
        changed = {name: (then[name], now)
                   for name, now in self._data_info().items()
                   if then.get(name, now) != now}
        words = '; '.join(f'{name.replace("_", " ")}: {old} then, {new} now'
                          for name, (old, new) in changed.items())
        done = self._iter - self._epoch * len(self.dataloader)
        if ('iterations_per_epoch' in changed
                or not 0 <= done <= len(self.dataloader)):
            raise UserError(
                f'Cannot resume: the checkpoint stands at iteration '
                f'{self._iter} (epoch {self._epoch + 1}), which does not fit '
                f'epochs of {len(self.dataloader)} iterations. '
                f'{words + ". " if words else ""}The order of the data and '
                'the schedule are counted in iterations. Resume with the '
                'batch size, the number of processes and the data of that '
                'run, or start a new run from its weights: leave out --resume '
                'and add --cfg-options load_from=CHECKPOINT')
        if changed:
            print_log(
                f'This run differs from the one that it resumes: {words}. '
                'Its weights will not be those of an uninterrupted run; the '
                'learning rate follows the schedule of the checkpoint.',
                'current', logging.WARNING)
        if done:
            print_log(
                f'Resuming epoch {self._epoch + 1} after {done} of '
                f'{len(self.dataloader)} iterations.', 'current')

    def _follow_seed(self) -> None:
        """Give the sampler the seed of the resumed run.

        ``Runner.resume`` takes the checkpoint's seed when the sampler has
        already been built with another, for instance a random one.
        """
        batch_sampler: Any = self._batches.batches
        sampler = getattr(batch_sampler, 'sampler', batch_sampler)
        if getattr(sampler, 'seed', None) == self._seed:
            sampler.seed = self.runner.seed
