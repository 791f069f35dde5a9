"""Linear layers that cost little on a CPU where no gradients are needed."""
from functools import lru_cache
from typing import Optional

import torch
import torch.nn.functional as F
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
            and _has_onednn())


@lru_cache(maxsize=None)
def _has_onednn() -> bool:
    """Whether the operation is there and computes what torch's layers do.

    It is one that torch.compile uses and that no version of torch promises.
    """
    if not torch.backends.mkldnn.is_available():
        return False
    tokens = torch.linspace(-2, 2, 12).view(3, 4)
    weight = torch.linspace(-1, 1, 20).view(5, 4)
    bias = torch.linspace(0, 1, 5)
    with torch.no_grad(), torch.autocast('cpu', enabled=False):
        wanted = F.gelu(F.linear(tokens, weight, bias))
        try:
            found = torch.ops.mkldnn._linear_pointwise(
                tokens, weight, bias, 'gelu', [], 'none')
        except (AttributeError, RuntimeError, TypeError):
            return False
    return torch.allclose(found, wanted, atol=1e-5)


def _autocast_dtype() -> Optional[torch.dtype]:
    """What autocast computes in on the CPU, None where it is off."""
    if hasattr(torch, 'get_autocast_dtype'):  # since torch 2.4
        enabled = torch.is_autocast_enabled('cpu')
        return torch.get_autocast_dtype('cpu') if enabled else None
    enabled = torch.is_autocast_cpu_enabled()
    return torch.get_autocast_cpu_dtype() if enabled else None
