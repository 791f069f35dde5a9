"""Weight initialisation of MAE, which LMIM shares."""
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
