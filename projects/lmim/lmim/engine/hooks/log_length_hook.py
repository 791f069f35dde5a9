"""A bounded history of what was logged."""
from typing import Any, Optional

from mmengine.hooks import Hook
from mmengine.runner import Runner
from mmocr.registry import HOOKS


@HOOKS.register_module()
class LogLengthHook(Hook):
    """Keep the latest values of losses and times, and not all of them.

    MMEngine copies a million values of each with every update, and writes
    them into every checkpoint: of six figures and 600,000 updates 18 ms with
    each, and 58 MB. What was logged stays in the logs.

    Args:
        keep (int): How many updates. Means over more, as of an epoch, are of
            these. Defaults to 20,000.
    """

    priority = 'LOWEST'

    def __init__(self, keep: int = 20_000) -> None:
        self.keep = keep

    def after_train_iter(self, runner: Runner, batch_idx: int,
                         data_batch: Any = None,
                         outputs: Optional[dict] = None) -> None:
        """Drop the first half once there are twice as many."""
        for buffer in runner.message_hub.log_scalars.values():
            if len(buffer._log_history) >= 2 * self.keep:
                buffer._log_history = buffer._log_history[-self.keep:]
                buffer._count_history = buffer._count_history[-self.keep:]
