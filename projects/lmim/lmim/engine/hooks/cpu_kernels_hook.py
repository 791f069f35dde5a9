"""Fast layers for training and testing on a CPU."""
from mmengine.hooks import Hook
from mmengine.runner import Runner
from mmocr.registry import HOOKS

from lmim.models.layers import use_cpu_kernels


@HOOKS.register_module()
class CPUKernelsHook(Hook):
    """Call :func:`~lmim.models.layers.use_cpu_kernels` on a CPU's model.

    A run computes the same without this hook, in more time.
    """

    # Before hooks that copy the model, such as MMEngine's EMAHook.
    priority = 'VERY_HIGH'

    def before_run(self, runner: Runner) -> None:
        """Replace the layers of a model that is on a CPU."""
        if next(runner.model.parameters()).device.type == 'cpu':
            use_cpu_kernels(runner.model)
