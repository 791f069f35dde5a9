"""Linear layers that cost little on a CPU where no gradients are needed."""
from typing import Optional

import torch
from mmengine.model import Sequential
from torch import nn

from .tracing import is_traced


class QuickLinear(nn.Linear):
    """torch's linear layer; without gradients on a CPU, by oneDNN.

    torch takes MKL for products in fp32, which reaches less than half of what
    an AMD CPU can do: 4112x384 by 384x1536 took 47 ms, and oneDNN 21 ms (one
    core, AVX-512). In bfloat16 torch takes oneDNN itself.
    """

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        """Map tokens (..., in_features) to (..., out_features)."""
        if _autocast_dtype() is None and _takes_onednn(tokens):
            return self.with_onednn(tokens, 'none')
        return super().forward(tokens)

    def with_onednn(self, tokens: torch.Tensor, then: str) -> torch.Tensor:
        """Map tokens and apply ``'gelu'``, or ``'none'``, to the result."""
        dtype = _autocast_dtype() or tokens.dtype
        bias = None if self.bias is None else self.bias.to(dtype)
        return torch.ops.mkldnn._linear_pointwise(
            tokens.to(dtype), self.weight.to(dtype), bias, then, [], 'none')


class QuickLinearGELU(Sequential):
    """A linear layer, GELU and dropout, as mmcv's FFN has them in a row.

    Without gradients on a CPU, oneDNN takes GELU along with the product.
    """

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        """Map tokens (..., in_features) to (..., out_features)."""
        if not _takes_onednn(tokens):
            return super().forward(tokens)
        return self[2](self[0].with_onednn(tokens, 'gelu'))

    @staticmethod
    def serves(module: nn.Module) -> bool:
        """Whether a module is such a row, and no subclass of one."""
        parts = list(module.children())
        if type(module) is not Sequential or len(parts) != 3:
            return False
        linear, activation, dropout = parts
        return (isinstance(linear, nn.Linear) and type(activation) is nn.GELU
                and activation.approximate == 'none'
                and isinstance(dropout, nn.Dropout))


def _takes_onednn(tokens: torch.Tensor) -> bool:
    """Whether the fast way is open: a CPU, no gradients, no tracing."""
    return (not is_traced() and tokens.device.type == 'cpu'
            and not torch.is_grad_enabled()
            and tokens.dtype in (torch.float32, torch.bfloat16)
            and hasattr(torch.ops.mkldnn, '_linear_pointwise')
            and torch.backends.mkldnn.is_available())


def _autocast_dtype() -> Optional[torch.dtype]:
    """What autocast computes in on the CPU, None where it is off."""
    if hasattr(torch, 'get_autocast_dtype'):  # since torch 2.4
        enabled = torch.is_autocast_enabled('cpu')
        return torch.get_autocast_dtype('cpu') if enabled else None
    enabled = torch.is_autocast_cpu_enabled()
    return torch.get_autocast_cpu_dtype() if enabled else None
