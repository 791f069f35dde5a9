"""Layers that cost little on a CPU, put into a model by one call.

Models are written with the layers of torch, mmcv and mmpretrain.
:func:`use_cpu_kernels` replaces those by the ones here, which compute the
same.
"""
from functools import lru_cache
from typing import Any, Dict, Optional, Type, TypeVar

import torch
import torch.backends.cpu
import torch.nn.functional as F
from mmcv.cnn import Linear
from mmengine.model import Sequential
from mmpretrain.models.utils.attention import scaled_dot_product_attention
from torch import nn

from .attention import attend, drop_mask, is_traced

#: mmcv has one of its own.
LINEAR = (nn.Linear, Linear)
Model = TypeVar('Model', bound=nn.Module)


def use_cpu_kernels(model: Model) -> Model:
    """Let a model compute with the layers of this file.

    Linear layers, dropout, rows of a linear layer and GELU are replaced, and
    so is what mmpretrain's attentions call. The new layers have the very
    parameters of the old ones under the same names, so that optimizers,
    checkpoints and exports see no difference. On other devices than a CPU
    they compute as torch's do.

    Args:
        model (nn.Module): Changed in place, with all its children.

    Returns:
        nn.Module: The same model.
    """
    kernels: Dict[nn.Module, nn.Module] = {}
    for child in model.modules():
        kind = _kernel_for(child)
        if kind is not None:
            # As torch makes replicas: another module of the same weights,
            # parameters or buffers, hooks and settings.
            kernel = kernels[child] = kind.__new__(kind)
            kernel.__dict__ = child.__dict__.copy()
    for parent in [*model.modules(), *kernels.values()]:
        for name, child in list(parent.named_children()):
            if child in kernels:
                setattr(parent, name, kernels[child])
        attention: Any = parent
        if getattr(parent, 'scaled_dot_product_attention',
                   None) is scaled_dot_product_attention:
            attention.scaled_dot_product_attention = attend
    return model


def _kernel_for(module: nn.Module) -> Optional[Type[nn.Module]]:
    """The class of what replaces a module, None if it stays."""
    if type(module) in LINEAR:
        return CPULinear
    if type(module) is nn.Dropout:
        return CPUDropout
    return CPULinearGELU if CPULinearGELU.serves(module) else None


class CPULinear(nn.Linear):
    """torch's linear layer; without gradients on some CPUs, by oneDNN.

    torch takes MKL for products in fp32, which does not use AVX-512 on AMD
    CPUs: 4112x384 by 384x1536 took 47 ms, and oneDNN 21 ms (one core of an
    EPYC with AVX-512). With AVX2 alone both take 64 ms, and torch's is kept.
    """

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        """Map tokens (..., in_features) to (..., out_features)."""
        # In bfloat16 torch takes oneDNN itself.
        if _autocast_dtype() is None and _takes_onednn(tokens):
            return self.with_onednn(tokens, 'none')
        return super().forward(tokens)

    def with_onednn(self, tokens: torch.Tensor, then: str) -> torch.Tensor:
        """Map tokens and apply ``'gelu'``, or ``'none'``, to the result."""
        dtype = _autocast_dtype() or tokens.dtype
        bias = None if self.bias is None else self.bias.to(dtype)
        return onednn_linear(tokens.to(dtype), self.weight.to(dtype), bias,
                             then)


class CPULinearGELU(Sequential):
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
        return (type(linear) in LINEAR and type(activation) is nn.GELU
                and activation.approximate == 'none'
                and isinstance(dropout, nn.Dropout))


class CPUDropout(nn.Dropout):
    """torch's dropout with the masks of :func:`drop_mask` on a CPU."""

    def forward(self, tensor: torch.Tensor) -> torch.Tensor:
        """Drop elements of a tensor of any shape, in training mode."""
        if (not self.training or not self.p or is_traced()
                or tensor.device.type != 'cpu'):
            return super().forward(tensor)
        return tensor * drop_mask(tensor, self.p) * (1 / (1 - self.p))


def onednn_linear(tokens: torch.Tensor, weight: torch.Tensor,
                  bias: Optional[torch.Tensor], then: str) -> torch.Tensor:
    """A linear layer, with ``'gelu'`` or ``'none'`` applied to its result.

    The operation is one that torch.compile uses and that no version of torch
    promises: :func:`onednn_serves` is asked before.
    """
    return torch.ops.mkldnn._linear_pointwise(tokens, weight, bias, then, [],
                                              'none')


def _takes_onednn(tokens: torch.Tensor) -> bool:
    """Whether the fast way is open: a CPU, no gradients, no tracing."""
    return (not is_traced() and tokens.device.type == 'cpu'
            and not torch.is_grad_enabled()
            and onednn_serves(_autocast_dtype() or tokens.dtype))


@lru_cache(maxsize=None)
def onednn_serves(dtype: torch.dtype) -> bool:
    """Whether oneDNN's operation is worth its use in a dtype on this CPU.

    It gains nothing without AVX-512 and has no kernel for bfloat16 on such
    CPUs. Elsewhere it is tried on a small tensor of that very dtype, with and
    without GELU, and has to compute what torch's layers compute.
    """
    if (dtype not in (torch.float32, torch.bfloat16)
            or not torch.backends.mkldnn.is_available()
            or not _cpu_capability().startswith('AVX512')):
        return False
    tokens = torch.linspace(-2, 2, 12).view(3, 4)
    weight = torch.linspace(-1, 1, 20).view(5, 4)
    bias = torch.linspace(0, 1, 5)
    tolerance = 1e-5 if dtype is torch.float32 else 0.05
    with torch.no_grad(), torch.autocast('cpu', enabled=False):
        wanted = F.linear(tokens, weight, bias)
        try:
            found = [onednn_linear(tokens.to(dtype), weight.to(dtype),
                                   bias.to(dtype), then).float()
                     for then in ('none', 'gelu')]
        except (AttributeError, NotImplementedError, RuntimeError, TypeError):
            return False
        return all(torch.allclose(one, other, atol=tolerance)
                   for one, other in zip(found, (wanted, F.gelu(wanted))))


def _cpu_capability() -> str:
    """The instructions that torch uses, such as 'AVX2' or 'AVX512'."""
    if not hasattr(torch.backends.cpu, 'get_cpu_capability'):  # before 2.1
        return ''
    return torch.backends.cpu.get_cpu_capability()


def _autocast_dtype() -> Optional[torch.dtype]:
    """What autocast computes in on the CPU, None where it is off."""
    if hasattr(torch, 'get_autocast_dtype'):  # since torch 2.4
        enabled = torch.is_autocast_enabled('cpu')
        return torch.get_autocast_dtype('cpu') if enabled else None
    enabled = torch.is_autocast_cpu_enabled()
    return torch.get_autocast_cpu_dtype() if enabled else None
