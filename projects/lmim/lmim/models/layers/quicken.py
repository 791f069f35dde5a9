"""Fast parts in the place of slower ones that compute the same."""
from typing import Any

from mmcv.cnn import Linear
from mmcv.cnn.bricks import DropPath
from mmpretrain.models.utils.attention import scaled_dot_product_attention
from torch import nn

from .attention import attend
from .dropout import QuickDropout
from .cpu_kernels import QuickLinear, QuickLinearGELU


def quicken(module: nn.Module) -> None:
    """Let a model of mmpretrain's or MMOCR's parts use this package's.

    Linear layers, dropout, rows of a linear layer and GELU, and mmpretrain's
    attentions. Weights and their names stay as they are.

    Args:
        module (nn.Module): Changed in place, with all its children.
    """
    for child in module.modules():
        if type(child) in (nn.Linear, Linear):  # mmcv has one of its own
            child.__class__ = QuickLinear
        elif type(child) is nn.Dropout:
            child.__class__ = QuickDropout
        elif QuickLinearGELU.serves(child):
            child.__class__ = QuickLinearGELU
        elif isinstance(child, DropPath):
            # NumPy's numbers, as mmpretrain sets them, stop torch.compile.
            child.drop_prob = float(child.drop_prob)
        if getattr(child, 'scaled_dot_product_attention',
                   None) is scaled_dot_product_attention:
            attention: Any = child
            attention.scaled_dot_product_attention = attend
