"""Graphs as files of ONNX: written, quantised, and compared with torch."""
import importlib
import logging
import warnings
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import (Any, Dict, Iterable, Iterator, List, Mapping, Optional,
                    Sequence, Tuple)

import numpy as np
import torch
from mmengine.utils import digit_version
from torch import nn

from lmim.utils.errors import UserError

from .onnx_reader import batches
from .preprocessing import PixelFacts

#: The file of a graph.
GRAPH = '{}.onnx'
#: The names of the axes of pictures, of their width, of what is known of a
#: picture, and of characters that are written.
BATCH, WIDTH, TOKENS, WRITTEN = 'batch', 'width', 'tokens', 'written'
#: Scores and tokens may differ by so much, from another order of sums. The
#: scale of scores is 1, and of tokens, which are normalised, about 1.
TOLERANCE = 1e-3
#: Pictures at once: single ones, and batches the last of which is smaller.
BATCHES = (1, 5)
#: The first version with torch.onnx.export(dynamo=True, dynamic_shapes=...).
_TORCH = '2.6'
OTHER_VERSIONS = ('Nothing was written. Other versions of torch, onnxscript '
                  'or onnxruntime may do it right')


def library(name: str) -> ModuleType:
    """Import a library that only exporting needs, or raise a UserError."""
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise UserError(
            f'exporting needs {name.split(".")[0]}, which cannot be imported '
            f'({error}): pip install "lmim[export]"') from error


def check_libraries() -> Dict[str, str]:
    """The versions of all that exporting needs, or a UserError, early."""
    if digit_version(torch.__version__) < digit_version(_TORCH):
        raise UserError(f'exporting needs torch {_TORCH} or newer, and '
                        f'this is {torch.__version__}')
    versions = {'torch': str(torch.__version__)}
    for name in ('onnx', 'onnxscript', 'onnxruntime'):
        versions[name] = library(name).__version__
    return versions


def write_graph(module: nn.Module, path: Path, example: Tuple[Any, ...],
                free: Tuple[Any, ...], inputs: List[str],
                outputs: List[str],
                widths: Optional[Sequence[int]] = None) -> None:
    """Write a module as a graph.

    Args:
        module (nn.Module): In eval mode.
        path (Path): The file.
        example (Tuple): An example of each argument: a tensor, or a tuple of
            tensors.
        free (Tuple): Of each tensor, the axes whose length is free, with a
            name for it: ``{0: 'batch'}``.
        inputs (List[str]): Names of all these tensors.
        outputs (List[str]): Names of what it returns.
        widths (Sequence[int], optional): The least, the greatest, and the
            step between, of the axis of that name.

    Raises:
        UserError: If torch cannot make a graph of it.
    """
    dims = {name: torch.export.Dim(name)
            for name in (BATCH, TOKENS, WRITTEN)}
    if widths:
        least, most, step = widths
        dims[WIDTH] = step * torch.export.Dim(
            'columns', min=least // step, max=most // step)

    def with_dims(axes: Any) -> Any:
        if isinstance(axes, tuple):
            return tuple(map(with_dims, axes))
        return {axis: dims[name] for axis, name in axes.items()}

    try:
        # With gradients, for models have other ways, of no graph, without.
        with _less_logged('torch.onnx'), torch.enable_grad():
            program = torch.onnx.export(
                module.eval(), example, dynamo=True,
                dynamic_shapes=with_dims(free), input_names=inputs,
                output_names=outputs, verbose=False)
            assert program is not None
            program.save(str(path))
    # Whatever its exporter stumbles over; each version has errors of its own.
    except Exception as error:
        reason = str(error).strip().split('\n')[0]
        raise UserError(
            f'torch {torch.__version__} makes no graph of '
            f'{type(module).__name__}: {type(error).__name__}: {reason}'
        ) from error
    library('onnx').checker.check_model(str(path))


def quantize(source: Path, target: Path) -> None:
    """Write a graph anew, with the weights of linear layers in 8 bits.

    Activations are quantised as they come, by the range of each batch; so no
    pictures are needed. Products of activations, norms and the embedding of
    patches stay in 32 bits. Weights take 7 bits, with a scale for each
    channel: with 8, processors without VNNI may saturate (onnxruntime,
    "Quantize ONNX models").
    """
    model: Any = library('onnx').load(source)
    # It transposes weights and leaves the shapes noted for them.
    del model.graph.value_info[:]
    tools: Any = library('onnxruntime.quantization')
    with _less_logged():  # it advises what torch has done already
        tools.quantize_dynamic(
            model, target, op_types_to_quantize=['MatMul'], per_channel=True,
            reduce_range=True, extra_options=dict(MatMulConstBOnly=True))


class OnnxEncoder:
    """An encoder that was exported to a folder with a manifest."""

    def __init__(self, folder: Path, manifest: Dict[str, Any]) -> None:
        runtime: Any = library('onnxruntime')
        options = runtime.SessionOptions()
        options.intra_op_num_threads = 1  # for speeds that can be compared
        self.session = runtime.InferenceSession(
            str(folder / manifest['files']['encoder']), options,
            providers=['CPUExecutionProvider'])
        self.image = manifest['image']
        self.batch_size = 16

    def __call__(self, images: Sequence[np.ndarray]) -> List[np.ndarray]:
        """Tokens (1 + L, C) of pictures, each (h, w, 3), uint8, BGR."""
        found: Dict[int, np.ndarray] = {}
        for numbers, pixels in batches(images, self.image, self.batch_size):
            found.update(zip(numbers, self.session.run(
                ['tokens'], {'pixels': pixels})[0]))
        return [found[number] for number in range(len(images))]


def compare(names: Iterable[str], wanted: Sequence[Any],
            found: Sequence[Any],
            word_scores: bool = True) -> Tuple[List[str], float]:
    """Compare readings of the same pictures by two readers.

    Each reading has a ``text``, a ``score``, which is compared if
    ``word_scores`` says so, and ``char_scores``.

    Returns:
        Tuple[List[str], float]: The pictures with another text, in words; and
        the greatest difference of a score where the texts agree, NaN where
        one is NaN.
    """
    texts, differences = [], [0.]
    for name, one, other in zip(names, wanted, found):
        if (one.text != other.text
                or len(one.char_scores) != len(other.char_scores)):
            texts.append(f'{name}: {other.text!r} instead of {one.text!r}')
            continue
        first, second = (
            [*word.char_scores, *([word.score] if word_scores else [])]
            for word in (one, other))
        differences += np.abs(np.subtract(first, second)).tolist()
    return texts, float(np.max(differences))  # max() would pass over NaN


def check_recognizer(recognizer: Any, reader: Any,
                     pictures: Mapping[str, np.ndarray],
                     word_scores: bool) -> float:
    """Read pictures, each (h, w, 3) BGR, with torch and with onnxruntime.

    Returns:
        float: The greatest difference between scores of a ``TextRecognizer``
        and an ``OnnxTextReader``, of words too if the model gives these.

    Raises:
        UserError: If texts differ, or scores by more than rounding, or
            scores are NaN.
    """
    images = list(pictures.values())
    wanted = recognizer(images)
    for name, word in zip(pictures, wanted):
        if word.error:
            raise UserError(f'picture {name} cannot be prepared: '
                            f'{word.error}. Leave it out of --images')
    worst = 0.
    for size in BATCHES:
        reader.batch_size = size
        texts, score = compare(pictures, wanted, reader(images), word_scores)
        if texts or not score <= TOLERANCE:
            lines = ''.join(f'\n  {line}' for line in texts[:5])
            raise UserError(
                f'in batches of {size}, onnxruntime reads {len(texts)} of '
                f'{len(images)} pictures otherwise than the model does, and '
                f'scores differ by up to {score:.2g} (allowed: {TOLERANCE}). '
                f'{OTHER_VERSIONS}{lines}')
        worst = max(worst, score)
    return worst


def check_encoder(vit: Any, facts: PixelFacts, encoder: OnnxEncoder,
                  pictures: Mapping[str, np.ndarray]) -> float:
    """Encode pictures, each (h, w, 3) BGR, with torch and with onnxruntime.

    Returns:
        float: The greatest difference of tokens.

    Raises:
        UserError: If tokens differ by more than rounding, or are NaN.
    """
    given = list(pictures.values())
    wanted: Dict[int, np.ndarray] = {}
    for numbers, pixels in batches(given, facts._asdict(), len(given)):
        channels = pixels[..., ::-1] if facts.rgb else pixels
        images = (channels - np.asarray(facts.mean)) / np.asarray(facts.std)
        with torch.inference_mode():
            wanted.update(zip(numbers, vit(torch.from_numpy(images.transpose(
                0, 3, 1, 2).astype(np.float32))).numpy()))
    worst = 0.
    for size in BATCHES:
        encoder.batch_size = size
        difference = float(np.max([
            np.abs(tokens - wanted[number]).max()
            for number, tokens in enumerate(encoder(given))]))
        if not difference <= TOLERANCE:
            raise UserError(
                f'in batches of {size}, tokens of onnxruntime '
                f"differ from the model's by up to {difference:.2g} "
                f'(allowed: {TOLERANCE}). {OTHER_VERSIONS}')
        worst = max(worst, difference)
    return worst


@contextmanager
def _less_logged(name: str = '') -> Iterator[None]:
    """Keep advice to an exporter's own developers off the screen."""
    logger = logging.getLogger(name)
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter('ignore')
            yield
    finally:
        logger.setLevel(level)
