"""Moving averages of the model that a method of pre-training needs."""
from typing import Any, List, Optional

from mmengine.hooks import Hook
from mmengine.hooks.hook import DATA_BATCH
from mmengine.runner import Runner
from mmocr.registry import HOOKS


@HOOKS.register_module()
class MovingAverageHook(Hook):
    """Move averages of the weights after each step of the optimizer.

    Every submodule with ``begin_average()`` and ``move_average(step,
    total_steps)`` is served: the twin of a
    :class:`~lmim.models.selfsup.SelfSup` and an
    :class:`~lmim.models.targets.EMATarget`. Iterations that only accumulate
    gradients move nothing. Other models are left alone.

    MMEngine's ``EMAHook`` is another thing: it averages the whole model for
    validation, and the averages take no part in training.
    """

    # Before pictures are drawn and checkpoints written.
    priority = 'NORMAL'

    def __init__(self) -> None:
        self._averages: List[Any] = []

    def before_train(self, runner: Runner) -> None:
        """Find the averages, and begin those that no checkpoint holds."""
        self._averages = [module for module in runner.model.modules()
                          if hasattr(module, 'move_average')]
        for average in self._averages:
            average.begin_average()

    def after_train_iter(self, runner: Runner, batch_idx: int,
                         data_batch: DATA_BATCH = None,
                         outputs: Optional[dict] = None) -> None:
        """Move the averages, where the weights were updated."""
        if not self._averages or not runner.optim_wrapper.should_update():
            return
        counts = runner.optim_wrapper._accumulative_counts
        total = -(-runner.max_iters // counts)
        for average in self._averages:
            average.move_average(runner.iter // counts, total)
