"""Prompts in front of the decoder, and E2STR's retrieval."""
import tempfile
from typing import Any, Iterator, List

import numpy as np
import torch
import torch.nn.functional as F

from lmim.models.textrecog import Prompt, PromptPool
from lmim.models.textrecog.transformer_decoder import WordWriter

from .common import Check, Reference, build, checks

DECODER = 'state.decoder.'


@checks('in-context recognizer', 'meta', 'memory', 'enc', 'order',
        'chained.logits_0')
def check_in_context(ref: Reference) -> Iterator[Check]:
    """Both manners, in the precision of the file's outputs: float64."""
    sizes, weights = ref.sizes(), ref.weights(DECODER)
    targets, order = ref.tensor('targets'), ref['order'].tolist()
    words = [ref[f'word_{number}'].tolist() for number in range(len(order))]
    count = len(weights['classifier.bias'])
    if sorted(order) != list(range(len(targets))) or not all(
            0 <= char < count for word in words for char in word):
        raise RuntimeError('order, word_*')
    with tempfile.NamedTemporaryFile('w', suffix='.txt',
                                     encoding='utf-8') as file:
        # Any characters do: only their number counts.
        file.write('\n'.join(map(chr, range(0x4E00, 0x4E00 + count - 3))))
        file.flush()
        model = build(dict(
            type='InContextRecognizer',
            backbone=dict(type='TextViT', arch='mini', patch_size=(32, 4),
                          pos_embed='grid'),
            encoder=dict(type='LinearEncoder', in_dims=128),
            decoder=dict(
                type='TextTransformerDecoder',
                dictionary=dict(
                    type='Dictionary', dict_file=file.name, with_end=True,
                    with_padding=True, with_unknown=True),
                embed_dims=sizes['decoder_dim'], num_layers=sizes['layers'],
                num_heads=sizes['heads'], head_dims=sizes['head_dim'],
                feedforward_channels=sizes['ffn'], early_stop=True,
                max_seq_len=targets.shape[1]),
            data_preprocessor=dict(type='TextRecogDataPreprocessor')))
    decoder = model.decoder
    decoder.load_state_dict(weights)
    decoder.double()
    enc, memory = ref.tensor('enc').double(), ref.tensor('memory').double()
    if enc.shape[2] != sizes['encoder_dim']:
        raise RuntimeError('encoder_dim')
    wanted = torch.full_like(targets, decoder.padding_idx)
    for row, word in zip(wanted, words):
        ended = [*word, decoder.end_idx][:len(row)]
        row[:len(ended)] = torch.tensor(ended)
    yield ref.compare('targets', wanted.double(), 0.)
    memory, wanted = memory[order][None], wanted[order][None]
    for manner in ('chained', 'independent'):
        model.chained = manner == 'chained'
        yield from check_manner(ref, model, memory, wanted,
                                [words[number] for number in order], manner)
    yield from check_search(ref, decoder, memory[:, -1], None, 'plain')
    embedding = model.embed(enc)
    yield ref.compare('embedding', embedding)
    yield ref.compare('similarity', embedding.double() @
                      embedding.double().T)


def check_manner(ref: Reference, model: Any, memory: torch.Tensor,
                 targets: torch.Tensor, words: List[List[int]],
                 manner: str) -> Iterator[Check]:
    """Teacher forcing of all words in order, and what the last is read as."""
    decoder = model.decoder
    decoder.zero_grad()
    # One place more: what follows the end of a prompt has logits, too.
    inputs = F.pad(targets, (1, 0), value=decoder.start_idx)
    logits = model.teacher_forced(memory, F.pad(
        targets, (0, 1), value=decoder.padding_idx))
    for number, word in enumerate(words):
        length = len(word) + 1 + (number + 1 < len(words))
        yield ref.compare(f'{manner}.logits_{number}',
                          logits[0, number, :length])
    loss = F.cross_entropy(
        logits[:, :, :-1].flatten(0, 2), targets.flatten(), reduction='sum',
        ignore_index=decoder.padding_idx) / len(words)
    yield ref.compare(f'{manner}.loss', loss)
    loss.backward()
    yield from ref.compare_norms(f'{manner}.gradnorm.', dict(
        decoder.named_parameters()))
    with torch.no_grad():
        before = model._read_prompts(memory[:, :-1], inputs[:, :-1])[1]
        yield from check_search(ref, decoder, memory[:, -1], before, manner)


@torch.no_grad()
def check_search(ref: Reference, decoder: Any, memory: torch.Tensor,
                 before: Any, manner: str) -> Iterator[Check]:
    """Greedy search, until the end if it comes."""
    found = decoder.write(memory, before).argmax(-1)
    yield ref.compare(f'{manner}.greedy', found[0].double(), 0.)
    writer = WordWriter(decoder, memory, before)
    logits = []
    for written in found.T:
        logits.append(writer.next_logits())
        writer.last = written
    yield ref.compare(f'{manner}.greedy_logits', torch.cat(logits))


@checks('E2STR retrieval', 'pool_embedding', 'query_embedding', 'similarity',
        'order', left=(
            'state.', 'gradnorm.', 'meta', 'images', 'pool_images',
            'input_ids', 'labels', 'prompt_ids', 'logits', 'loss', 'greedy',
            'step_logits', 'beam3', 'vision_tokens', 'latents', 'cross_',
            'after_'))
def check_e2str(ref: Reference) -> Iterator[Check]:
    """Only how prompts are found carries over from E2STR's network."""
    held, query = (ref.tensor(f'{name}_embedding') for name in (
        'pool', 'query'))
    for name, value in (('pool', held), ('query', query[None])):
        yield Check(f'{name}_embedding (length)', float(
            (value.norm(dim=1) - 1).abs().max()), 1e-5)
    yield ref.compare('similarity', held @ query)
    pool = PromptPool('', prompts=[
        Prompt('', bytes([number // 256, number % 256]), each,
               torch.empty(0, 0)) for number, each in enumerate(held)])
    order = pool.nearest(query[None], len(held))[0]
    yield ref.compare('order',
                      np.asarray(order, np.float64), 0.)
