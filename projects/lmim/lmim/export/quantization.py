"""Graphs with weights of 8 bits, and what that changes."""
import logging
import time
from pathlib import Path
from typing import Any, Callable, Dict, List, Sequence, Tuple

import numpy as np

from .errors import ExportError
from .folders import open_encoder, open_reader, write_manifest
from .onnx_files import library
from .parity import compare, encode, encoder_pixels
from .preprocessing import PixelFacts
from .samples import Samples

#: Pictures at once when speed is measured; how many are read in a turn; and
#: turns, of which the quickest counts.
BATCHES = (1, 16)
COUNT = 16
TURNS = 2
#: The name of a file in 8 bits.
_INT8 = '{}.int8.onnx'
Reads = Callable[[Any, int], Any]


def to_int8(manifest: Dict[str, Any], draft: Path, samples: Samples,
            facts: PixelFacts, least: float) -> None:
    """Put graphs of 8 bits in the place of those of 32.

    Args:
        manifest (Dict[str, Any]): Changed in place.
        draft (Path): The folder.
        samples (Samples): Pictures to compare by.
        facts (PixelFacts): How they are prepared.
        least (float): The least agreement.

    Raises:
        ExportError: If they agree less.
    """
    before = dict(manifest['files'])
    exact, images = _reads(manifest, draft, samples, facts)
    manifest['files'] = quantize(before, draft)
    manifest['precision'] = 'int8'
    write_manifest(manifest, draft)
    rough, _ = _reads(manifest, draft, samples, facts)
    wanted, found = exact(images, 16), rough(images, 16)
    about: Dict[str, Any] = {'samples': len(samples.images)}
    if manifest['kind'] == 'encoder':
        about['agreement'] = _cosine(np.concatenate(wanted),
                                     np.concatenate(found))
    else:
        differs = compare(samples, wanted, found)
        about['agreement'] = 1 - len(differs.texts) / len(samples.images)
        about['max_score_difference'] = differs.score
        about['other_texts'] = differs.texts
    about['least'] = least
    if about['agreement'] < least:
        raise ExportError(
            f'int8 agrees with fp32 to {about["agreement"]:.5f}, less than '
            f'--min-agreement {least}. Nothing was written. Leave --int8 '
            'out, or allow less')
    about['images_per_second'] = {
        size: dict(zip(('fp32', 'int8'), rates))
        for size, rates in speeds([exact, rough], images).items()
    }
    about['bytes'] = {
        'fp32': sum((draft / name).stat().st_size
                    for name in before.values()),
        'int8': sum((draft / name).stat().st_size
                    for name in manifest['files'].values()),
    }
    manifest['int8'] = about
    for name in before.values():
        (draft / name).unlink()


def _reads(manifest: Dict[str, Any], draft: Path, samples: Samples,
           facts: PixelFacts) -> Tuple[Reads, Any]:
    """A function that reads in batches, and what it is given."""
    if manifest['kind'] == 'encoder':
        session = open_encoder(draft, manifest)
        return (lambda pixels, size: encode(session, pixels, size),
                encoder_pixels(samples, facts))
    reader = open_reader(draft)

    def read(images: List[np.ndarray], size: int) -> Any:
        reader.batch_size = size
        return reader(images)

    return read, samples.images


def quantize(files: Dict[str, str], folder: Path) -> Dict[str, str]:
    """Write graphs anew, with the weights of linear layers in 8 bits.

    Activations are quantised as they come, by the range of each batch; so no
    pictures are needed. Products of activations, norms and the embedding of
    patches stay in 32 bits. Weights take 7 bits, with a scale for each
    channel: with 8, processors without VNNI may saturate (onnxruntime,
    "Quantize ONNX models").

    Args:
        files (Dict[str, str]): The files of the graphs by name.
        folder (Path): Where they are.

    Returns:
        Dict[str, str]: Files of the quantised graphs.

    Raises:
        ExportError: If onnxruntime has no such thing.
    """
    tools: Any = library('onnxruntime.quantization')
    onnx: Any = library('onnx')
    made = {}
    logger = logging.getLogger()  # what it advises is done by torch already
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        for name, file in files.items():
            made[name] = _INT8.format(name)
            model = onnx.load(folder / file)
            # It turns weights over and leaves the shapes noted for them.
            del model.graph.value_info[:]
            tools.quantize_dynamic(
                model,
                folder / made[name],
                op_types_to_quantize=['MatMul'],
                per_channel=True,
                reduce_range=True,
                extra_options=dict(MatMulConstBOnly=True))
    finally:
        logger.setLevel(level)
    return made


def speeds(readers: Sequence[Reads],
           images: Sequence[Any]) -> Dict[str, List[float]]:
    """How quick readers are, measured in turns.

    Args:
        readers (Sequence[Callable]): Each reads pictures in batches of a
            size.
        images (Sequence): The pictures.

    Returns:
        Dict[str, List[float]]: Images per second of each reader, by the size
        of the batch.
    """
    found: Dict[str, List[float]] = {}
    some: Any = [images[number % len(images)] for number in range(COUNT)]
    if isinstance(images, np.ndarray):
        some = np.stack(some)
    for size in BATCHES:
        best = [0.] * len(readers)
        for turn in range(1 + TURNS):
            for number, read in enumerate(readers):
                start = time.perf_counter()
                read(some, size)
                rate = len(some) / (time.perf_counter() - start)
                if turn:  # the first warms up
                    best[number] = max(best[number], rate)
        found[str(size)] = best
    return found


def _cosine(wanted: np.ndarray, found: np.ndarray) -> float:
    """Mean cosine between tokens, both (N, L, C)."""
    products = (wanted * found).sum(axis=-1)
    sizes = np.linalg.norm(wanted, axis=-1) * np.linalg.norm(found, axis=-1)
    return float((products / sizes).mean())
