"""CoMER: our refinement by coverage within the authors' decoder."""
from functools import partial
from typing import Any, Callable, Dict, Iterator, List, Optional

import torch
import torch.nn.functional as F

from lmim.models.textrecog import AttentionRefinement, Coverage

from .common import RELATIVE, Check, Reference, checks, part_of

REFINE = 1e-4  # values reach 13
ARM = 'model.arm.'


class TheirDecoder:
    """The authors' post-norm decoder, which needs only a few functions.

    Args:
        weights (dict): By the authors' names.
        heads (int): Attention heads.
        refinement (AttentionRefinement, optional): Ours.
    """

    def __init__(self, weights: Dict[str, torch.Tensor], heads: int,
                 refinement: Optional[AttentionRefinement]) -> None:
        self.weights, self.heads = weights, heads
        self.refinement = refinement
        self.layers = len({name.split('.')[2] for name in weights
                           if name.startswith('model.layers.')})
        #: Of the last pass: weights, and what was subtracted, of each layer.
        self.seen: List[torch.Tensor] = []
        self.subtracted: List[Any] = []

    def linear(self, name: str, tokens: torch.Tensor) -> torch.Tensor:
        """A linear layer."""
        return F.linear(tokens, self.weights[f'{name}.weight'],
                        self.weights[f'{name}.bias'])

    def norm(self, name: str, tokens: torch.Tensor) -> torch.Tensor:
        """A layer norm."""
        return F.layer_norm(tokens, tokens.shape[-1:],
                            self.weights[f'{name}.weight'],
                            self.weights[f'{name}.bias'])

    def attend(self, name: str, tokens: torch.Tensor, context: torch.Tensor,
               weigh: Callable) -> torch.Tensor:
        """An attention of weights that a function of q and k gives."""
        found = [F.linear(each, weight, bias).unflatten(
            2, (self.heads, -1)).transpose(1, 2) for each, weight, bias in zip(
                (tokens, context, context),
                self.weights[f'{name}.in_proj_weight'].chunk(3),
                self.weights[f'{name}.in_proj_bias'].chunk(3))]
        update = (weigh(*found[:2]) @ found[2]).transpose(1, 2).flatten(2)
        return self.linear(f'{name}.out_proj', update)

    def __call__(self, words: torch.Tensor, memory: torch.Tensor,
                 hidden: torch.Tensor, coverage: Any,
                 past: Optional[List[torch.Tensor]] = None) -> torch.Tensor:
        """Logits of words (N, T); ``past`` are inputs of layers so far.

        ``hidden`` is which keys of self-attention are, (N or 1, 1, T, S).
        """
        start = past[0].shape[1] if past else 0
        tokens = self.norm('word_embed.1', self.weights['word_embed.0.weight'][
            words])
        tokens = self.norm('norm', tokens + self.weights['pos_enc.pe'][
            start:start + words.shape[1]])
        self.seen, self.subtracted = [], []
        for number in range(self.layers):
            name = f'model.layers.{number}'
            context = tokens
            if past is not None:
                if start:
                    context = torch.cat([past[number], tokens], dim=1)
                past[number:number + 1] = [context]
            update = self.attend(f'{name}.self_attn', tokens, context, partial(
                plain, hidden=hidden))
            tokens = self.norm(f'{name}.norm1', tokens + update)
            update = self.attend(
                f'{name}.multihead_attn', tokens, memory,
                partial(coverage.weigh, number))
            tokens = self.norm(f'{name}.norm2', tokens + update)
            update = self.linear(f'{name}.linear2', self.linear(
                f'{name}.linear1', tokens).relu())
            tokens = self.norm(f'{name}.norm3', tokens + update)
            self.seen.append(coverage.weights)
            self.subtracted.append(getattr(coverage, 'subtracted', None))
        return self.linear('proj', tokens)


def plain(query: torch.Tensor, keys: torch.Tensor,
          hidden: torch.Tensor) -> torch.Tensor:
    """Plain weights of attention; ``hidden`` is true where keys are."""
    scores = query @ keys.transpose(2, 3) * query.shape[-1]**-0.5
    return scores.masked_fill(hidden, float('-inf')).softmax(-1)


class NoCoverage:
    """Plain attention in place of :class:`Coverage`."""

    def __init__(self, padding: torch.Tensor) -> None:
        self.padding = padding
        self.weights: torch.Tensor

    def weigh(self, number: int, query: torch.Tensor,
              keys: torch.Tensor) -> torch.Tensor:
        """Weights of a layer."""
        self.weights = plain(query, keys, self.padding[:, None, None])
        return self.weights


@checks('CoMER', 'meta', 'meta_names', 'memory', 'memory_mask', 'tgt',
        'state.model.arm.conv.weight', left=('joint_beam.', ))
def check_comer(ref: Reference) -> Iterator[Check]:
    """Run the decoder with each coverage, in one pass and step by step."""
    sizes, state = ref.sizes(), ref.weights()
    memory = ref.tensor('memory')
    rows, columns = memory.shape[1:3]
    for name, size in (('height', rows), ('width', columns),
                       ('d_model', memory.shape[3])):
        if sizes[name] != size:
            raise RuntimeError(name)
    once, padded = memory.flatten(1, 2), ref.tensor('memory_mask').flatten(1)
    twice, empty = torch.cat([once, once]), torch.cat([padded, padded])
    targets, out = ref.tensor('tgt'), ref.tensor('out')
    length = targets.shape[1]
    hidden = torch.ones(length, length, dtype=torch.bool).triu(1) | (
        targets == sizes['pad'])[:, None, None]
    trained = {name: value.requires_grad_() for name, value in state.items()
               if not name.startswith((ARM, 'pos_enc'))}
    weights = {**trained, 'pos_enc.pe': state['pos_enc.pe']}

    def decoder_of(coverage: str, arm: Dict[str, torch.Tensor]) -> Any:
        refinement = AttentionRefinement(
            sizes['nhead'], (rows, columns), sizes['dc'], coverage,
            with_cls_token=False)
        refinement.load_state_dict({
            name.replace('post_norm.bn.', 'norm.'): value
            for name, value in arm.items()})
        decoder = TheirDecoder(weights, sizes['nhead'], refinement.eval())
        if decoder.layers != sizes['num_decoder_layers'] or len(
                weights['model.layers.0.linear1.bias']) != sizes[
                    'dim_feedforward']:
            raise RuntimeError('num_decoder_layers, dim_feedforward')
        return decoder

    def loss_of(decoder: TheirDecoder, coverage: Any) -> Any:
        logits = decoder(targets, twice, hidden, coverage)
        return logits, F.cross_entropy(
            logits.flatten(0, 1), out.flatten(), ignore_index=sizes['pad'])

    fused = decoder_of('fusion', part_of(state, ARM))
    logits, loss = loss_of(fused, Coverage(fused.refinement, padding=empty))
    for number, seen in enumerate(fused.seen):
        yield ref.compare(f'attn.{number}', seen)
        if number:
            subtracted = fused.subtracted[number]
            yield ref.compare(f'refine.{number}', subtracted, REFINE)
            before = seen * subtracted.exp()
            yield ref.compare(f'curr.{number}',
                              before / before.sum(-1, keepdim=True))
    yield ref.compare('logits', logits)
    yield ref.compare('loss', loss)
    loss.backward()
    parameters = {**trained, **their_names(fused.refinement)}
    # Where there is no [CLS], it moves all cells alike: 0 but for rounding.
    bias = parameters.pop(f'{ARM}post_norm.bn.bias')
    yield from ref.compare_norms('gradnorm.', parameters)
    yield ref.compare(f'gradnorm.{ARM}post_norm.bn.bias', bias.grad.norm(),
                      1e-6)
    yield from check_sources(ref, fused, empty)
    for kind in ('cross', 'self'):
        decoder = decoder_of(kind, ref.weights(f'state_{kind}.{ARM}'))
        logits, loss = loss_of(decoder,
                               Coverage(decoder.refinement, padding=empty))
        yield ref.compare(f'refine_{kind}.1', decoder.subtracted[1], REFINE)
        yield ref.compare(f'logits_{kind}', logits)
        yield ref.compare(f'loss_{kind}', loss)
        loss.backward()
        yield from ref.compare_norms(f'gradnorm_{kind}.', {
            name: value for name, value in their_names(
                decoder.refinement).items()
            if f'gradnorm_{kind}.{name}' in ref})
        ref.below(f'gradnorm_{kind}.')
    logits, loss = loss_of(TheirDecoder(weights, sizes['nhead'], None),
                           NoCoverage(empty))
    yield ref.compare('logits_none', logits)
    yield ref.compare('loss_none', loss)

    # Step by step, with the sums of earlier steps.
    words = torch.full((len(once), 1), sizes['sos'])
    past: List[torch.Tensor] = []
    coverage = Coverage(fused.refinement, padding=padded)
    found = []
    with torch.no_grad():
        for _ in range(sizes['max_len']):
            found.append(fused(
                words[:, -1:], once, torch.zeros((), dtype=torch.bool),
                coverage, past))
            words = torch.cat([words, found[-1].argmax(-1)], dim=1)
    yield ref.compare('greedy.logits', torch.cat(found, dim=1))
    yield ref.compare('greedy.tokens', words[:, 1:].double(), 0.)


def their_names(refinement: AttentionRefinement) -> Dict[str, Any]:
    """Our parameters by the authors' names."""
    return {ARM + name.replace('norm.', 'post_norm.bn.'): value
            for name, value in refinement.named_parameters()}


def check_sources(ref: Reference, decoder: TheirDecoder,
                  empty: torch.Tensor) -> Iterator[Check]:
    """From the file's own weights; and with statistics of this batch."""
    refinement: Any = decoder.refinement
    with torch.no_grad():
        for number in range(1, decoder.layers):
            current = ref.tensor(f'curr.{number}')
            maps = torch.cat([ref.tensor(f'attn.{number - 1}'), current],
                             dim=1)
            sums = maps.cumsum(dim=2) - maps
            subtracted = refinement(sums, padding=empty)
            yield Check(f'refine.{number} of the weights in the file', float(
                (subtracted - ref.tensor(f'refine.{number}')).abs().max()),
                REFINE)
            # softmax(E) e^-R, made a sum of 1, is softmax(E - R).
            refined = current * (-subtracted).exp()
            yield Check(f'attn.{number} of the weights in the file', float((
                refined / refined.sum(-1, keepdim=True)
                - ref.tensor(f'attn.{number}')).abs().max()), 1e-5)
            if number == 1:
                norm = refinement.norm
                kept = {name: value.clone()
                        for name, value in norm.state_dict().items()}
                refinement.train()
                yield ref.compare('train.refine.1', refinement(
                    sums, padding=empty), REFINE)
                refinement.eval()
                for name in ('mean', 'var'):
                    yield ref.compare(f'train.running_{name}', norm.
                                      state_dict()[f'running_{name}'],
                                      RELATIVE, scaled=True)
                norm.load_state_dict(kept)
