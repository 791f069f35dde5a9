"""Attention for small models on CPUs."""
import torch
from mmengine.hooks import Hook
from mmengine.runner import Runner
from mmocr.registry import HOOKS


@HOOKS.register_module()
class PlainAttentionHook(Hook):
    """Compute attention by plain matrix products where there is no GPU.

    torch's fused attention saves memory, and time on long sequences. For the
    33 tokens of a small model on a CPU its backward pass is the larger part
    of a step: without it, steps of ``lmim_vit-mini`` in bf16 took about two
    thirds of the time (2 cores with AVX-512 BF16).
    """

    def before_run(self, runner: Runner) -> None:
        """Turn fused attention off for this process, on a CPU only."""
        if not torch.cuda.is_available():
            # The switch is in torch.backends.cuda and serves CPUs as well.
            torch.backends.cuda.enable_flash_sdp(False)
