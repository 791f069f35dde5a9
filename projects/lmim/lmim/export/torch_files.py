"""Modules as programs of torch.export, for readers that have torch."""
from pathlib import Path
from typing import Any, List

import numpy as np
import torch
from torch import nn

from .errors import ExportError
from .onnx_files import BATCH, without_advice
from .parity import BATCHES, TOLERANCE

#: The file of a program.
PROGRAM = '{}.pt2'


def write_program(module: nn.Module, path: Path, pixels: np.ndarray) -> float:
    """Write a graph of pixels as a program, and run it.

    Args:
        module (nn.Module): An :class:`~.graphs.EncoderGraph` or
            :class:`~.graphs.WholeGraph`.
        path (Path): The file; ``torch.export.load(path).module()`` runs it.
        pixels (np.ndarray): Pictures to compare by, uint8 (N, H, W, 3).

    Returns:
        float: The greatest difference between what it gives and what the
        module does.

    Raises:
        ExportError: If torch makes no program of the module, or it gives
            something else.
    """
    images = torch.from_numpy(np.ascontiguousarray(pixels))
    try:
        # With gradients, for models have other ways, of no graph, without.
        with without_advice(), torch.enable_grad():
            program = torch.export.export(
                # torch takes 0 and 1 for special: an example of 3 pictures.
                module.eval(), (images[:1].expand(3, -1, -1, -1).clone(), ),
                dynamic_shapes=({0: torch.export.Dim(BATCH)}, ))
            torch.export.save(program, path)
            loaded = torch.export.load(path).module()
    # Whatever its exporter stumbles over; each version has errors of its own.
    except Exception as error:
        reason = str(error).strip().split('\n')[0]
        raise ExportError(
            f'torch {torch.__version__} makes no program of '
            f'{type(module).__name__}: {type(error).__name__}: {reason}. '
            'Leave --pt2 out') from error
    worst = 0.
    with torch.no_grad():
        wanted = _outputs(module(images))
        for size in BATCHES:
            parts = [_outputs(loaded(some)) for some in images.split(size)]
            for number, whole in enumerate(wanted):
                found = torch.cat([part[number] for part in parts])
                worst = max(worst, float((found.float() - whole.float())
                                         .abs().max()))
    if not worst <= TOLERANCE:
        raise ExportError(
            f'{path.name} differs from the model by up to {worst:.2g} '
            f'(allowed: {TOLERANCE}). Nothing was written; leave --pt2 out')
    return worst


def _outputs(given: Any) -> List[torch.Tensor]:
    """What a graph gives, as a list."""
    return [given] if isinstance(given, torch.Tensor) else list(given)
