"""Weight initialisation of MAE, which LMIM shares, and of offsets."""
from mmocr.registry import WEIGHT_INITIALIZERS
from torch import nn


def init_transformer(module: nn.Module) -> None:
    """Initialise as MAE does.

    Every linear layer Xavier-uniform with zero bias (an attention's joint
    q/k/v projection as one matrix), every layer norm to one and zero.

    Args:
        module (nn.Module): Changed in place, with all its children.
    """
    for child in module.modules():
        if isinstance(child, nn.Linear):
            nn.init.xavier_uniform_(child.weight)
            if child.bias is not None:
                nn.init.zeros_(child.bias)
        elif isinstance(child, nn.LayerNorm):
            nn.init.ones_(child.weight)
            nn.init.zeros_(child.bias)
        elif isinstance(child, nn.MultiheadAttention):
            nn.init.xavier_uniform_(child.in_proj_weight)
            nn.init.zeros_(child.in_proj_bias)


@WEIGHT_INITIALIZERS.register_module()
class ZeroOffset:
    """Let mmcv's deformable convolutions begin with nothing moved.

    They do by themselves, until a backbone's ``init_cfg`` draws the weights of
    all convolutions, those of offsets among them. It comes last there::

        init_cfg=[dict(type='Xavier', layer='Conv2d'), dict(type='ZeroOffset')]
    """

    def __call__(self, module: nn.Module) -> None:
        """Set the offsets of a module's children to zero."""
        for name, value in module.named_parameters():
            if 'conv_offset' in name.split('.'):
                nn.init.zeros_(value)
