"""The end of a training that no longer gains."""
from typing import Any

from mmengine.hooks import EarlyStoppingHook
from mmengine.runner import Runner
from mmocr.registry import HOOKS

from lmim.utils.errors import UserError
from .checkpoint_hook import GREATER, find_keys


@HOOKS.register_module(name='EarlyStoppingHook')
class CheckedEarlyStoppingHook(EarlyStoppingHook):
    """MMEngine's hook, with ``monitor`` as short as ``save_best`` may be.

    MMEngine's warns at each validation that there is no such figure, and
    trains on. Here ``word_acc`` is completed to what the evaluator calls it,
    before training, and what will not be there is refused.

    The arguments are those of MMEngine's. More is better of ``n.e.d`` and of
    the characters' recall and precision, too.
    """

    monitor: str
    _default_greater_keys = [*EarlyStoppingHook._default_greater_keys,
                             *GREATER]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        try:
            super().__init__(*args, **kwargs)
        except ValueError as error:  # no rule for a key
            raise UserError(f'EarlyStoppingHook: {error} Add rule="greater" '
                            'or rule="less"') from error

    def before_train(self, runner: Runner) -> None:
        """Complete the key of the figure that is monitored."""
        self.monitor, = find_keys(
            runner, 'EarlyStoppingHook.monitor', [self.monitor])
