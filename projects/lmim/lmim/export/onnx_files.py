"""Modules as files of ONNX."""
import importlib
import logging
import warnings
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any, Dict, Iterator, List, Tuple, Union

import torch
from mmengine.utils import digit_version
from torch import nn

from .errors import ExportError

#: The file of a graph.
GRAPH = '{}.onnx'
#: The name of the axis of pictures.
BATCH = 'batch'
#: The axes of an input whose length is free, with a name for it.
Axes = Dict[int, str]
#: An example of an input with its free axes, or several by their names.
Example = Union[Tuple[torch.Tensor, Axes],
                Dict[str, Tuple[torch.Tensor, Axes]]]
#: The first version with torch.onnx.export(dynamo=True, dynamic_shapes=...).
_TORCH = '2.6'


def library(name: str) -> ModuleType:
    """Import a library that only exporting needs.

    Raises:
        ExportError: If it is not there.
    """
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise ExportError(
            f'exporting needs {name.split(".")[0]}, which cannot be imported '
            f'({error}): pip install "lmim[export]"') from error


def check_libraries() -> Dict[str, str]:
    """Find out early whether all that exporting needs is there.

    Returns:
        Dict[str, str]: Their versions.

    Raises:
        ExportError: If one is missing or too old.
    """
    if digit_version(torch.__version__) < digit_version(_TORCH):
        raise ExportError(f'exporting needs torch {_TORCH} or newer, and '
                          f'this is {torch.__version__}')
    versions = {'torch': str(torch.__version__)}
    for name in ('onnx', 'onnxscript', 'onnxruntime'):
        versions[name] = library(name).__version__
    return versions


def write_graph(module: nn.Module, path: Path, inputs: Dict[str, Example],
                outputs: List[str]) -> None:
    """Write a module as a graph.

    Args:
        module (nn.Module): In eval mode.
        path (Path): The file.
        inputs (Dict[str, Example]): By the names of its arguments.
        outputs (List[str]): Names of what it returns.

    Raises:
        ExportError: If torch cannot make a graph of it.
    """
    axes = {name: torch.export.Dim(name)
            for name in (BATCH, 'written')}

    def pick(example: Example, place: int) -> Any:
        """Tensors (place 0) or free axes (1) of an example."""
        if isinstance(example, dict):
            return tuple(pick(one, place) for one in example.values())
        tensor, free = example
        if place == 0:
            return tensor
        return {axis: axes[name] for axis, name in free.items()}

    names: List[str] = []
    for name, example in inputs.items():
        names += example if isinstance(example, dict) else [name]
    try:
        # With gradients, for models have other ways, of no graph, without.
        with without_advice(), torch.enable_grad():
            program = torch.onnx.export(
                module.eval(),
                tuple(pick(example, 0) for example in inputs.values()),
                dynamo=True,
                dynamic_shapes=tuple(
                    pick(example, 1) for example in inputs.values()),
                input_names=names,
                output_names=outputs,
                verbose=False)
            assert program is not None
            program.save(str(path))
    # Whatever its exporter stumbles over; each version has errors of its own.
    except Exception as error:
        reason = str(error).strip().split('\n')[0]
        raise ExportError(
            f'torch {torch.__version__} makes no graph of '
            f'{type(module).__name__}: {type(error).__name__}: {reason}'
        ) from error
    library('onnx').checker.check_model(str(path))


@contextmanager
def without_advice() -> Iterator[None]:
    """Keep the exporter's advice to its own developers off the screen."""
    logger = logging.getLogger('torch.onnx')
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter('ignore')
            yield
    finally:
        logger.setLevel(level)
