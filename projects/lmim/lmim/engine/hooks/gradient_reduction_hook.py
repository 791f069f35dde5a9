"""Gradients that processes exchange in half precision."""
from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner
from mmocr.registry import HOOKS
from torch.distributed.algorithms.ddp_comm_hooks import default_hooks

from lmim.utils.errors import UserError


@HOOKS.register_module()
class GradientReductionHook(Hook):
    """Let processes exchange gradients in 16 bits.

    It halves what is sent, at a rounding of each process's gradients. Worth
    it where the network is the limit, such as between machines; a run of one
    process is not changed.

    Args:
        dtype (str): ``'bf16'``, which needs NCCL, or ``'fp16'``, in which
            gradients below 6e-8 are lost. Defaults to ``'bf16'``.
    """

    def __init__(self, dtype: str = 'bf16') -> None:
        if dtype not in ('bf16', 'fp16'):
            raise UserError('GradientReductionHook.dtype is bf16 or fp16, not '
                            f'{dtype!r}')
        self.dtype = dtype

    def before_train(self, runner: Runner) -> None:
        """Register torch's hook on the wrapped model.

        Raises:
            UserError: If these processes cannot exchange in this type.
        """
        if not is_model_wrapper(runner.model):
            return
        try:
            runner.model.register_comm_hook(
                None, getattr(default_hooks, f'{self.dtype}_compress_hook'))
        except (AttributeError, TypeError) as error:
            raise UserError(
                f'GradientReductionHook: gradients cannot be exchanged in '
                f'{self.dtype} here ({error}). On CPUs take dtype=fp16, or '
                'leave the hook out') from error
