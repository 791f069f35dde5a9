"""From a checkpoint to a folder that is read without torch."""
import hashlib
import inspect
import re
import timeit
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any, Dict, Iterator, List, Mapping, Optional, Sequence

import cv2
import numpy as np
import torch

from lmim.apis import TextRecognizer, load_encoder
from lmim.apis.loading import find_config
from lmim.checkpoints import open_checkpoint
from lmim.datasets.pictures import read_some, render_some
from lmim.models.backbones import TextViT
from lmim.utils.atomic import refuse_existing, whole_folder
from lmim.utils import ctc_language, pixels
from lmim.utils.errors import UserError
from lmim.utils.json_text import to_json
from lmim.version import __version__

from . import onnx_reader
from .graphs import EncoderGraph
from .onnx_files import (BATCHES, GRAPH, OTHER_VERSIONS, TOLERANCE,
                         OnnxEncoder, check_encoder, check_libraries,
                         check_recognizer, compare, quantize, write_graph)
from .onnx_reader import MANIFEST, OnnxTextReader, resize
from .preprocessing import (PixelFacts, facts_of_encoder,
                            facts_of_recognizer)
from .recognizers import (gives_word_scores, kind_of, pixel_axes,
                          write_recognizer)

KINDS = ('auto', 'encoder', 'recognizer')
READER = 'read.py'
#: Pictures that are checked, and that the agreement of int8 is told of: of
#: rendered words, and of given pictures at the most.
CHECKED, AGREEING, MOST = 32, 128, 500
#: Pictures at once when speed is measured; how many are read in a turn; and
#: turns, of which the quickest counts.
TIMED_BATCHES, TIMED, TURNS = (1, 16), 16, 2


def export(checkpoint: Path,
           output: Path,
           config: Optional[Path] = None,
           kind: str = 'auto',
           int8: bool = False,
           images: Optional[Sequence[Path]] = None,
           min_agreement: float = 0.,
           overwrite: bool = False,
           language: Optional[str] = None,
           width: Optional[str] = None,
           max_length: Optional[int] = None) -> Dict[str, Any]:
    """Export a checkpoint, check it, and say how well it went.

    Args:
        checkpoint (Path): A checkpoint of any format that is known.
        output (Path): The folder to make.
        config (Path, optional): The config instead of the checkpoint's.
        kind (str): One of :data:`KINDS`.
        int8 (bool): Whether weights are quantised.
        images (Sequence[Path], optional): Pictures for the check.
        min_agreement (float): The least agreement of int8 with fp32.
        overwrite (bool): Whether a folder that is there gives way.
        language (str, optional): As of :class:`~lmim.apis.TextRecognizer`,
            and so are ``width`` and ``max_length``.
        width (str, optional): With several, the width of the graphs is free,
            and is checked at some.
        max_length (int, optional): Of recognizers.

    Returns:
        Dict[str, Any]: The manifest of the folder.

    Raises:
        OSError: If a file is not there, or may not be replaced.
        UserError: If checkpoint and config do not make a model, or it cannot
            be exported, or what is exported does not compute what the model
            does. Then nothing is left at the folder's place.
    """
    versions = check_libraries()
    refuse_existing(output, overwrite)
    opened = open_checkpoint(checkpoint)
    found = find_config(opened, config)
    # Our names of a text decoder; that of pre-training is the neck.
    reads = any(name.startswith('decoder.') for name in opened.by_our_names())
    as_encoder = kind == 'encoder' or (kind == 'auto' and not reads)
    skipped: List[str] = []
    if images:
        pictures, skipped = read_some(images, MOST if int8 else CHECKED)
        others = len(images) - 1
        origin = f'{images[0]}' + f' and {others} more' * bool(others)
    else:
        pictures = render_some(AGREEING if int8 else CHECKED)
        origin = 'words rendered for the check'
    checked = dict(islice(pictures.items(), CHECKED))
    with whole_folder(output, overwrite) as draft:
        if as_encoder:
            vit = load_encoder(opened, found, width)
            facts = facts_of_encoder(vit, found.model if found else None)
            about = write_encoder(vit, facts, draft)
        else:
            recognizer = TextRecognizer(
                checkpoint, config, 'cpu', language=language, width=width,
                max_length=max_length)
            style = kind_of(recognizer.model)
            facts = facts_of_recognizer(recognizer.model, recognizer.cfg)
            about = write_recognizer(recognizer.model, style, facts, draft)
            (draft / READER).write_text(reader_text(), encoding='utf-8')
        if facts.widths:
            checked = at_widths(checked, facts)
        manifest = {
            'format': 'lmim-onnx',
            # The first knows one width.
            'format_version': 2 if facts.widths else 1,
            'precision': 'fp32',
            **about,
            'image': {name: value for name, value in facts._asdict().items()
                      if value is not None},
            'checkpoint': {
                'name': checkpoint.name,
                'sha256': hashlib.sha256(checkpoint.read_bytes()).hexdigest(),
                'config': found is not None,
            },
            'versions': {'lmim': __version__, **versions},
        }
        with _runtime_errors():
            exported = _open(manifest, draft)
            manifest['parity'] = {
                'samples': len(checked),
                'origin': origin,
                'skipped': skipped,
                'batch_sizes': list(BATCHES),
                'widths': sorted({resize(image, facts._asdict()).shape[1]
                                  for image in checked.values()}),
                'max_difference': check_encoder(
                    vit, facts, exported, checked) if as_encoder else
                check_recognizer(recognizer, exported, checked,
                                 gives_word_scores(recognizer.model)),
                'allowed': TOLERANCE,
            }
            if int8:
                _to_int8(manifest, draft, pictures, min_agreement)
        _write_manifest(manifest, draft)
    return manifest


def write_encoder(vit: TextViT, facts: PixelFacts,
                  folder: Path) -> Dict[str, Any]:
    """Write the graph of an encoder in eval mode; what the manifest says."""
    file = GRAPH.format('encoder')
    blank = torch.zeros(3, facts.height, facts.width, 3, dtype=torch.uint8)
    write_graph(EncoderGraph(vit, facts), folder / file, (blank, ),
                (pixel_axes(facts), ), ['pixels'], ['tokens'], facts.widths)
    return {'kind': 'encoder', 'files': {'encoder': file},
            'grid': list(vit.grid), 'embed_dims': vit.embed_dims}


def at_widths(pictures: Mapping[str, np.ndarray],
              facts: PixelFacts) -> Dict[str, np.ndarray]:
    """Pictures of which every other one is as wide as a graph may take.

    These are as wide as its least width, the greatest, that of training and
    one between, in turns; the others are as they were.
    """
    assert facts.widths is not None
    least, most, step = facts.widths
    wanted = (least, most, facts.width, (least + most) // 2 // step * step)
    return {name: image if number % 2 else cv2.resize(
        image, (wanted[number // 2 % len(wanted)], facts.height))
        for number, (name, image) in enumerate(pictures.items())}


def reader_text() -> str:
    """The reader as one file: what it imports of lmim is written into it."""
    text = inspect.getsource(onnx_reader)
    for module in (ctc_language, pixels):
        code = inspect.getsource(module).split('"""', 2)[2]
        imported, = re.findall(rf'^from {module.__name__} import .*\n', text,
                               re.M)
        text = text.replace(imported, code)
    return text


def _to_int8(manifest: Dict[str, Any], draft: Path,
             pictures: Mapping[str, np.ndarray], least: float) -> None:
    """Replace graphs of 32 bits by those of 8; the manifest is changed."""
    before = manifest['files']
    exact = _open(manifest, draft)
    manifest['precision'] = 'int8'
    manifest['files'] = {name: f'{name}.int8.onnx' for name in before}
    for name, file in before.items():
        quantize(draft / file, draft / manifest['files'][name])
    rough = _open(manifest, draft)
    images = list(pictures.values())
    wanted, found = exact(images), rough(images)
    about: Dict[str, Any] = {'samples': len(images), 'least': least}
    if manifest['kind'] == 'encoder':
        one, other = (torch.from_numpy(np.concatenate(tokens))  # (N L, C)
                      for tokens in (wanted, found))
        about['agreement'] = float(
            torch.cosine_similarity(one, other, dim=-1).mean())
    else:
        texts, score = compare(pictures, wanted, found)
        about.update(agreement=1 - len(texts) / len(images),
                     max_score_difference=score, other_texts=texts)
    if not np.isfinite(
            about['agreement'] + about.get('max_score_difference', 0.)):
        raise UserError('int8 or fp32 computes NaN for some pictures. Nothing '
                        'was written')
    if about['agreement'] < least:
        raise UserError(
            f'int8 agrees with fp32 to {about["agreement"]:.5f}, less than '
            f'--min-agreement {least}. Nothing was written. Leave --int8 '
            'out, or allow less')
    about['images_per_second'] = {
        str(size): {'fp32': _rate(exact, images, size),
                    'int8': _rate(rough, images, size)}
        for size in TIMED_BATCHES}
    about['bytes'] = {
        name: sum((draft / file).stat().st_size for file in files.values())
        for name, files in (('fp32', before), ('int8', manifest['files']))}
    manifest['int8'] = about
    for file in before.values():
        (draft / file).unlink()


def _rate(reader: Any, images: Sequence[np.ndarray], size: int) -> float:
    """Images per second in batches of a size, on one thread."""
    some = [images[number % len(images)] for number in range(TIMED)]
    reader.batch_size = size
    reader(some[:size])
    return len(some) / min(timeit.repeat(lambda: reader(some), number=1,
                                         repeat=TURNS))


def _open(manifest: Dict[str, Any], draft: Path) -> Any:
    """What reads or encodes pictures with what was written so far."""
    _write_manifest(manifest, draft)
    if manifest['kind'] == 'encoder':
        return OnnxEncoder(draft, manifest)
    return OnnxTextReader(draft, threads=1)


def _write_manifest(manifest: Dict[str, Any], folder: Path) -> None:
    """Write what is known of the graphs, for the reader and for people."""
    text = to_json(manifest, indent=1, ensure_ascii=False)
    (folder / MANIFEST).write_text(text + '\n', encoding='utf-8')


@contextmanager
def _runtime_errors() -> Iterator[None]:
    """Turn onnxruntime's own errors into one for the user."""
    try:
        yield
    except Exception as error:
        if not type(error).__module__.startswith('onnxruntime'):
            raise
        reason = str(error).strip().split('\n')[0]
        raise UserError(f'onnxruntime cannot run what was exported: {reason}. '
                        f'{OTHER_VERSIONS}') from error
