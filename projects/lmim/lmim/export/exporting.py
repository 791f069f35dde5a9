"""From a checkpoint to a folder that is read without torch."""
import hashlib
import shutil
from pathlib import Path
from typing import Any, Dict, NamedTuple, Optional, Sequence

import torch
from torch import nn

from lmim.checkpoints import open_checkpoint
from lmim.utils.atomic import refuse_existing, whole_folder
from lmim.apis import TextRecognizer, load_encoder
from lmim.apis.loading import find_config
from lmim.models.backbones import TextViT
from lmim.version import __version__

from . import onnx_files
from .errors import ExportError
from .folders import (open_encoder, open_reader, refusals,
                      write_manifest)
from .graphs import EncoderGraph, WholeGraph
from .onnx_files import BATCH, GRAPH, write_graph
from .parity import check_encoder, check_recognizer, encoder_pixels
from .preprocessing import (PixelFacts, facts_of_encoder,
                            facts_of_recognizer)
from .quantization import to_int8
from .recognizers import gives_word_scores, kind_of, write_recognizer
from .samples import Samples, find_samples
from .torch_files import PROGRAM, write_program

KINDS = ('auto', 'encoder', 'recognizer')
READER = 'read.py'
#: Words that are rendered for the check, and to state the agreement of int8;
#: of given pictures so many of the first are checked, and all for int8.
CHECKED, AGREEING = 32, 128
_TWO = ("--pt2 is for one graph: an encoder, CTC or parallel. The paper's "
        'recognizer writes step by step, in two: leave --pt2 out, or take '
        '--kind encoder')


class Settings(NamedTuple):
    """What is asked for.

    Attributes:
        checkpoint (Path): A checkpoint of any format that is known.
        output (Path): The folder to make.
        config (Path, optional): The config instead of the checkpoint's.
        kind (str): One of :data:`KINDS`.
        int8 (bool): Whether weights are quantised.
        pt2 (bool): Whether a program of torch.export is written as well.
        images (Sequence[Path], optional): Pictures for the check.
        min_agreement (float): The least agreement of int8 with fp32.
        overwrite (bool): Whether a folder that is there gives way.
    """
    checkpoint: Path
    output: Path
    config: Optional[Path] = None
    kind: str = 'auto'
    int8: bool = False
    images: Optional[Sequence[Path]] = None
    min_agreement: float = 0.
    overwrite: bool = False
    pt2: bool = False


def export(asked: Settings) -> Dict[str, Any]:
    """Export a checkpoint, check it, and say how well it went.

    Args:
        asked (Settings): What is asked for.

    Returns:
        Dict[str, Any]: The manifest of the folder.

    Raises:
        OSError: If a file is not there, or may not be replaced.
        CheckpointError: If checkpoint and config do not make a model.
        ExportError: If it cannot be exported, or does not compute what the
            model does. Then nothing is left at the folder's place.
    """
    versions = onnx_files.check_libraries()
    refuse_existing(asked.output, asked.overwrite)
    opened = open_checkpoint(asked.checkpoint)
    config = find_config(opened, asked.config)
    model = config.model if config else None
    # Our names of a text decoder; that of pre-training is the neck.
    reads = any(name.startswith('decoder.') for name in opened.by_our_names())
    encoder = asked.kind == 'encoder' or (asked.kind == 'auto' and not reads)
    samples = find_samples(asked.images, AGREEING if asked.int8 else CHECKED)
    checked = samples.first(CHECKED)
    with whole_folder(asked.output, asked.overwrite) as draft:
        if encoder:
            vit = load_encoder(opened, config)
            facts = facts_of_encoder(vit, model)
            about = write_encoder(vit, facts, draft)
        else:
            recognizer = TextRecognizer(asked.checkpoint, asked.config, 'cpu')
            # Before what a config may lack.
            if kind_of(recognizer.model) == 'autoregressive' and asked.pt2:
                raise ExportError(_TWO)
            facts = facts_of_recognizer(recognizer.model, recognizer.cfg)
            about = write_recognizer(recognizer.model, facts, draft)
        manifest = {
            'format': 'lmim-onnx',
            'format_version': 1,
            'precision': 'fp32',
            **about,
            'image': facts._asdict(),
            'checkpoint': {
                'name': asked.checkpoint.name,
                'sha256': _digest(asked.checkpoint),
                'config': model is not None,
            },
            'versions': {'lmim': __version__, **versions},
        }
        write_manifest(manifest, draft)
        with refusals():
            if encoder:
                manifest['parity'] = check_encoder(
                    vit, facts, open_encoder(draft, manifest), checked)
            else:
                shutil.copy(Path(__file__).with_name('onnx_reader.py'),
                            draft / READER)
                manifest['parity'] = check_recognizer(
                    recognizer, open_reader(draft), checked,
                    gives_word_scores(recognizer.model))
            if asked.pt2:
                graph = (EncoderGraph(vit, facts) if encoder else
                         WholeGraph(recognizer.model, facts))
                manifest['pt2'] = _program(graph, manifest, draft, facts,
                                           checked)
            if asked.int8:
                to_int8(manifest, draft, samples, facts, asked.min_agreement)
        write_manifest(manifest, draft)
    return manifest


def write_encoder(vit: TextViT, facts: PixelFacts,
                  folder: Path) -> Dict[str, Any]:
    """Write the graph of an encoder.

    Args:
        vit (TextViT): The encoder, in eval mode.
        facts (PixelFacts): How its pictures are prepared.
        folder (Path): Where to.

    Returns:
        Dict[str, Any]: What the manifest says of it.

    Raises:
        ExportError: If torch cannot make a graph of it.
    """
    file = GRAPH.format('encoder')
    pixels = torch.zeros(3, facts.height, facts.width, 3, dtype=torch.uint8)
    write_graph(EncoderGraph(vit, facts), folder / file,
                dict(pixels=(pixels, {0: BATCH})), ['tokens'])
    return {
        'kind': 'encoder',
        'files': {'encoder': file},
        'grid': list(vit.grid),
        'embed_dims': vit.embed_dims,
    }


def _program(graph: nn.Module, manifest: Dict[str, Any], draft: Path,
             facts: PixelFacts, checked: Samples) -> Dict[str, Any]:
    """Write a graph as a program of torch.export; what there is to say."""
    name, = manifest['files']
    file = PROGRAM.format(name)
    difference = write_program(graph, draft / file,
                               encoder_pixels(checked, facts))
    return {'file': file, 'max_difference': difference}


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    with open(path, 'rb') as file:
        for block in iter(lambda: file.read(1 << 20), b''):
            digest.update(block)
    return digest.hexdigest()
