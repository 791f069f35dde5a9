"""Gradients that were accumulated but not yet applied.

With ``accumulative_counts > 1`` a checkpoint may fall between two updates of
the weights. MMEngine then loses the gradients gathered so far ('the gradient
of some iterations is lost'); kept with the checkpoint, they let a resumed run
make the same update as an uninterrupted one.
"""
from typing import Dict, Optional

from mmengine.dist import all_reduce, get_world_size
from torch import Tensor, nn


def pending_gradients(model: nn.Module) -> Optional[Dict[str, Tensor]]:
    """The gradients that wait for the next update of the weights.

    To be called by all processes: before the update each holds those of its
    own images, and their mean is what the update would use.

    Args:
        model (nn.Module): The model, without a wrapper.

    Returns:
        Dict[str, Tensor], optional: By the parameter's name, on the CPU, each
        of its parameter's shape. None where nothing waits.
    """
    gradients = {
        name: param.grad.detach().clone()
        for name, param in model.named_parameters() if param.grad is not None
    }
    if not gradients:
        return None
    if get_world_size() > 1:
        for gradient in gradients.values():
            all_reduce(gradient, op='mean')
    return {name: gradient.cpu() for name, gradient in gradients.items()}


def restore_gradients(model: nn.Module, gradients: Dict[str, Tensor]) -> None:
    """Put back what :func:`pending_gradients` kept.

    Args:
        model (nn.Module): The model, without a wrapper.
        gradients (Dict[str, Tensor]): By the parameter's name, each of its
            parameter's shape.
    """
    params = dict(model.named_parameters())
    for name, gradient in gradients.items():
        param = params[name]
        param.grad = gradient.to(param.device, param.dtype, copy=True)
