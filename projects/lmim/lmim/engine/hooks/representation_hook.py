"""A warning while pre-training learns nothing of what is written."""
from typing import Any, Dict, Optional

import torch
from mmengine.dist import master_only
from mmengine.hooks.hook import DATA_BATCH, Hook
from mmengine.runner import Runner
from mmocr.registry import HOOKS

from lmim.evaluation.probes import probe_prediction
from lmim.models.selfsup import SelfSup
from lmim.utils.errors import UserError
from lmim.visualization.reconstruction import reconstruct

from .checkpoint_hook import bare_model

#: Of the masks.
SEED = 0
#: What is logged, and what it is called among the figures.
LOGGED = dict(spread='relative', target_within='target_within',
              pred_within='pred_within')
PAGE = 'See docs/proving_ground.md.'


@HOOKS.register_module()
class RepresentationHook(Hook):
    """Log whether features tell pictures apart; warn when they do not.

    Every ``interval`` iterations the first pictures of the batch go through
    ``model.predict`` once more, without gradients, in eval mode and full
    precision. Logged as :mod:`lmim.evaluation.probes` defines them are
    ``spread``, of [CLS] or of contrasted instances over pictures (0: all
    pictures are the same), and, where patches are rebuilt, ``target_within``
    and ``pred_within``, the shares that differ within pictures. Each of two
    warnings comes once: when the spread vanishes, and when the target is
    little more than the mean of each picture.

    Training is not disturbed: no random numbers are drawn, and modes of
    modules are put back. It works on the first process only, and does
    nothing for models other than :class:`~lmim.models.selfsup.SelfSup`.

    Args:
        interval (int): Iterations between two looks.
        num_pictures (int): The most pictures of a look.
        min_spread (float): A spread below it is a collapse.
        min_target_within (float): A share of the target below it is too
            little.
        stop (bool): Whether a collapse ends the training. Defaults to False:
            it is only warned of.

    Raises:
        UserError: If ``interval`` is below 1 or ``num_pictures`` below 2; by
            :meth:`after_train_iter` for a collapse, with ``stop``.
    """

    def __init__(self,
                 interval: int = 100,
                 num_pictures: int = 32,
                 min_spread: float = 0.05,
                 min_target_within: float = 0.1,
                 stop: bool = False) -> None:
        for name, value, least in (('interval', interval, 1),
                                   ('num_pictures', num_pictures, 2)):
            if value < least:
                raise UserError(f'{name} is {least} or more, not {value}')
        self.interval = interval
        self.num_pictures = num_pictures
        self.min_spread = min_spread
        self.min_target_within = min_target_within
        self.stop = stop
        self._collapse_told = self._target_told = False

    def after_train_iter(self, runner: Runner, batch_idx: int,
                         data_batch: DATA_BATCH = None,
                         outputs: Optional[dict] = None) -> None:
        """Look at the batch, where it is its turn."""
        if (self.every_n_train_iters(runner, self.interval)
                and isinstance(bare_model(runner.model), SelfSup)):
            self._look(runner, data_batch)

    @master_only
    def _look(self, runner: Runner, batch: Any) -> None:
        """Log the figures of a batch, and warn where they are bad."""
        views = batch['inputs']
        views = [views] if isinstance(views, torch.Tensor) else views
        views = [view[:self.num_pictures] for view in views]
        if len(views[0]) < 2:
            return  # one picture has no spread
        samples = batch.get('data_samples')
        if isinstance(samples, dict):  # what masks depend on
            samples = {name: value[:self.num_pictures]
                       for name, value in samples.items()}
        model = bare_model(runner.model)
        figures = probe_prediction(reconstruct(
            model, dict(inputs=views, data_samples=samples), SEED).found)
        for name, key in LOGGED.items():
            if key in figures:
                runner.message_hub.update_scalar(f'train/{name}',
                                                 figures[key])
        if (figures['relative'] < self.min_spread
                and not self._collapse_told):
            self._collapse_told = True
            message = self._collapse(runner, model, figures)
            if self.stop:
                raise UserError(message)
            runner.logger.warning(message)
        if (figures.get('target_within', 1.) < self.min_target_within
                and not self._target_told):
            self._target_told = True
            runner.logger.warning(self._style(model, figures))

    def _collapse(self, runner: Runner, model: SelfSup,
                  figures: Dict[str, float]) -> str:
        """What has collapsed, and what to do."""
        advice = ('lower optim_wrapper.optimizer.lr, or take a loss that '
                  'keeps pictures apart')
        if getattr(model, 'branches', None) == 'both':
            advice = ('leave out the alignment loss, which is least where '
                      'all pictures are the same, with --cfg-options '
                      'model.branches=guidance')
        return (
            f'The representation has collapsed: after iteration '
            f'{runner.iter + 1} different pictures have almost the same '
            f'features, of a standard deviation of {figures["std"]:.2g} over '
            f'pictures at a norm of {figures["norm"]:.3g} (spread '
            f'{figures["relative"]:.2g}, less than {self.min_spread:g}). '
            f'In a new run: {advice}. {PAGE}')

    @staticmethod
    def _style(model: SelfSup, figures: Dict[str, float]) -> str:
        """What is wrong with the target, and what to do."""
        advice = 'take a target that differs within pictures'
        if getattr(model.target_generator, 'norm', None) == 'layer':
            advice = ('take out what the tokens of a picture have in common, '
                      'with --cfg-options model.target_generator.norm='
                      'instance')
        return (
            f'The mean of each picture explains '
            f'{figures["target_picture"]:.0%} of the target: it is the look '
            'of pictures more than what is written in them, and the loss '
            f'falls without reading. In a new run: {advice}. {PAGE}')
