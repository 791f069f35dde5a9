"""Which recognizers can be exported, and their graphs."""
from pathlib import Path
from typing import Any, Dict, List

import torch
from mmocr.models.textrecog.decoders import CRNNDecoder
from mmocr.models.textrecog.postprocessors import (AttentionPostprocessor,
                                                   CTCPostProcessor)
from mmocr.models.textrecog.recognizers import EncoderDecoderRecognizer
from torch import nn

from lmim.models.backbones import TextViT, ViTFeatureMap
from lmim.models.textrecog import (AnyWidthRecognizer,
                                   CTCLanguagePostprocessor,
                                   CTCWordScorePostprocessor, LinearEncoder,
                                   ParallelDecoder, TextTransformerDecoder,
                                   WordScorePostprocessor)
from lmim.utils.ctc_language import LanguageSearch
from lmim.utils.errors import UserError

from .graphs import MemoryGraph, StepGraph, WholeGraph
from .onnx_files import BATCH, GRAPH, TOKENS, WIDTH, WRITTEN, write_graph
from .preprocessing import PixelFacts

CAN = ("Recognizers that can be exported: the paper's (TextViT, "
       'LinearEncoder, TextTransformerDecoder), the parallel one (with a '
       'ParallelDecoder), and CTC (ViTFeatureMap and CRNNDecoder without an '
       'RNN); see transformer, parallel and ctc in configs/textrecog. The '
       'encoder of any other can: --kind encoder')
#: Pictures and written characters of the example that graphs are traced by;
#: torch takes 0 and 1 for special.
_PICTURES, _WRITTEN = 3, 5


def kind_of(model: nn.Module) -> str:
    """How a recognizer writes: 'autoregressive', 'parallel' or 'ctc'.

    A UserError says why, if it cannot be exported.
    """
    parts = {name: type(getattr(model, name, None))
             for name in ('backbone', 'encoder', 'decoder')}
    decoder: Any = getattr(model, 'decoder', None)
    kinds = {
        (TextViT, LinearEncoder, TextTransformerDecoder): 'autoregressive',
        (TextViT, LinearEncoder, ParallelDecoder): 'parallel',
        (ViTFeatureMap, type(None), CRNNDecoder): 'ctc',
    }
    kind = kinds.get(tuple(parts.values()))  # type: ignore[arg-type]
    if (kind is None or type(model) not in (EncoderDecoderRecognizer,
                                            AnyWidthRecognizer)
            or getattr(decoder, 'rnn_flag', False)
            or model.with_preprocessor):
        listing = ', '.join(f'{name} {part.__name__}'
                            for name, part in parts.items()
                            if part is not type(None))
        raise UserError(f'a {type(model).__name__} with {listing} cannot '
                          f'be exported. {CAN}')
    known = ((CTCPostProcessor, CTCWordScorePostprocessor,
              CTCLanguagePostprocessor)
             if kind == 'ctc' else
             (AttentionPostprocessor, WordScorePostprocessor))
    if type(decoder.postprocessor) not in known:
        raise UserError(
            f'the reader cannot follow {type(decoder.postprocessor).__name__}'
            f': set model.decoder.postprocessor to {known[1].__name__} in '
            'the config')
    if kind == 'autoregressive' and decoder.beam_width != 1:
        raise UserError(
            f'the reader has no beams, and the model has '
            f'{decoder.beam_width}: name a config with '
            'model.decoder.beam_width=1')
    return kind


def gives_word_scores(model: Any) -> bool:
    """Whether a recognizer's own scores of words are the reader's."""
    return isinstance(model.decoder.postprocessor,
                      (CTCWordScorePostprocessor, WordScorePostprocessor))


def write_recognizer(model: Any, kind: str, facts: PixelFacts,
                     folder: Path) -> Dict[str, Any]:
    """Write the graphs of a recognizer in eval mode, of a :func:`kind_of`.

    Returns what the manifest says of them: ``kind``, ``files``, and what a
    reader of texts needs.
    """
    dictionary = model.decoder.dictionary
    about: Dict[str, Any] = {
        'kind': kind,
        'classes': list(dictionary.dict),
        'ignored_indices': list(model.decoder.postprocessor.ignore_indexes),
        'end_index': dictionary.end_idx,
        'start_index': None,
        'blank_index': dictionary.padding_idx if kind == 'ctc' else None,
    }
    if kind == 'autoregressive':
        about['start_index'] = model.decoder.start_idx
        about['max_length'] = model.decoder.max_seq_len
        return {**about, **_write_two(model, facts, folder)}
    search = getattr(model.decoder.postprocessor, 'search', None)
    if search is not None:
        about['language'] = _write_language(search, folder)
    file = GRAPH.format('recognizer')
    write_graph(WholeGraph(model, facts), folder / file, (_pixels(facts), ),
                (pixel_axes(facts), ), ['pixels'],
                ['probs', 'classes', 'chances'], facts.widths)
    return {**about, 'files': {'recognizer': file}}


def _write_language(search: LanguageSearch,
                    folder: Path) -> Dict[str, Any]:
    """Write the n-grams; what the manifest says of them and of the search."""
    search.language.save(folder / 'language.npz')
    return {'file': 'language.npz', **{
        name: getattr(search, name) for name in
        ('weight', 'bonus', 'beams', 'candidates', 'least')}}


def _write_two(model: Any, facts: PixelFacts, folder: Path) -> Dict[str, Any]:
    """Write encoder and step of an autoregressive recognizer."""
    decoder = model.decoder
    if decoder.refinement is not None and facts.widths:
        raise UserError('a model with model.decoder.refinement is exported '
                        'for its own width only: leave --width out')
    pixels = _pixels(facts)
    graph = MemoryGraph(model, facts)
    with torch.no_grad():
        memory = graph(pixels)
    names = [f'{what}_{layer}' for layer in range(len(decoder.layer_stack))
             for what in ('keys', 'values')]
    given = [f'memory_{name}' for name in names]
    write_graph(graph, folder / GRAPH.format('encoder'), (pixels, ),
                (pixel_axes(facts), ), ['pixels'], given, facts.widths)
    past = [f'past_{name}' for name in names]
    heads, dims = memory[0].shape[1], memory[0].shape[3]
    last = torch.full((_PICTURES, ), decoder.start_idx)
    refinement = decoder.refinement
    sums: List[str] = []
    if refinement is not None:
        sums = [f'past_sums_{layer}' for layer in range(
            refinement.first_layer, len(decoder.layer_stack))]
        maps = [refinement.num_maps,
                memory[0].shape[2] - refinement.num_extra_tokens]
    # Each a tensor of its own: torch takes one for the other else.
    written = tuple(torch.zeros(_PICTURES, heads, _WRITTEN, dims)
                    for _ in past)
    write_graph(
        StepGraph(decoder), folder / GRAPH.format('decoder'),
        (last, torch.tensor([_WRITTEN]), memory, written, *(
            [tuple(torch.zeros(_PICTURES, maps[0], 1, maps[1])
                   for _ in sums)] if sums else [])),
        ({0: BATCH}, {},
         ({0: BATCH, **({2: TOKENS} if facts.widths else {})}, ) * len(given),
         ({0: BATCH, 2: WRITTEN}, ) * len(past), *(
             [({0: BATCH}, ) * len(sums)] if sums else [])),
        ['last', 'step', *given, *past, *sums],
        ['probs', 'classes', 'chances',
         *(f'new_{name}' for name in (*past, *sums))])
    return {
        'files': {name: GRAPH.format(name) for name in ('encoder', 'decoder')},
        'cache': {'names': past, 'heads': heads, 'dims': dims,
                  **({'sums': sums, 'maps': maps} if sums else {})},
    }


def pixel_axes(facts: PixelFacts) -> Dict[int, str]:
    """The axes of pixels, (N, H, W, 3), whose length is free."""
    return {0: BATCH, **({2: WIDTH} if facts.widths else {})}


def _pixels(facts: PixelFacts) -> torch.Tensor:
    """An example of pixels, (3, H, W, 3)."""
    return torch.zeros(_PICTURES, facts.height, facts.width, 3,
                       dtype=torch.uint8)
