"""SIGA's losses, and labels of glyphs, on given attention and logits.

The networks that give these in the published code, and what reads with
LSTMs, are not here.
"""
from typing import Dict, Iterator

import torch
import torch.nn.functional as F

from lmim.models.textrecog.glyph_losses import (labels_by_attention,
                                                text_entropy)

from .common import RELATIVE, Check, Reference, build, checks

INPUTS = ('attention', 'seg_logits', 'glyph_logits_middle', 'glyph_logits_low')
#: What belongs to the networks.
NETWORK = ('state.', 'gradnorm.', 'greedy.', 'images', 'classes',
           'seq_features', 'glyph_middle', 'glyph_low', 'logits_final_greedy')
#: What reads: of it the file has logits, whose losses are computed.
READERS = ('our', 'trba', 'glyph_middle', 'glyph_low', 'iter_middle',
           'iter_low', 'final')
#: Weight of L_cor and L_dif.
ALIGNMENT = 0.15
#: L_ins from which on a picture is left out, late in a run.
INVERTED = 1.


def labels_of(given: Dict[str, torch.Tensor], text: torch.Tensor,
              lengths: torch.Tensor, scale: str = 'low') -> torch.Tensor:
    """Labels of glyphs at a scale, by what is attended to."""
    *_, rows, columns = given[f'glyph_logits_{scale}'].shape
    return labels_by_attention(given['attention'].transpose(1, 2), text,
                               lengths, (rows, columns))


def losses_of(given: Dict[str, torch.Tensor], text: torch.Tensor,
              lengths: torch.Tensor) -> Dict[str, torch.Tensor]:
    """The losses by the names that they have in the file."""
    glyph_loss = build(dict(type='GlyphLoss'))
    found = given['seg_logits'].argmax(dim=1)
    losses = dict(loss_ins=text_entropy(given['seg_logits'], text))
    attention = given['attention'].transpose(1, 2)
    losses.update(build(dict(type='ImplicitAlignmentLoss'))(
        attention, found, lengths))
    for scale in ('low', 'middle'):
        logits = given[f'glyph_logits_{scale}']
        losses[f'loss_seg_{scale}'] = glyph_loss(
            logits, labels_of(given, found, lengths, scale), lengths)
    return losses


@checks('SIGA', 'meta', 'meta_names', 'unit.attention', 'unit.masks',
        left=NETWORK)
def check_siga(ref: Reference) -> Iterator[Check]:
    """Compute the losses alone, and those of the whole model's outputs."""
    sizes = ref.sizes()
    # Also of the networks, which are not computed.
    ref.check_sizes(
        embed_dims=('state.cls_token', 2), num_layers=('state.blocks.', -1),
        c512=('state.segmentation.conv5.weight', 0),
        c256=('state.segmentation.conv1.weight', 0),
        c128=('state.segmentation.conv2.weight', 0))
    given = {name: ref.tensor(f'unit.{name}').requires_grad_()
             for name in INPUTS}
    if sizes['glyph_channels'] != given['glyph_logits_low'].shape[1]:
        raise RuntimeError('glyph_channels')
    text, lengths = ref.tensor('unit.masks')[:, 0], ref.tensor('unit.length')
    # The end of a word is counted there.
    losses = losses_of(given, text, lengths - 1)
    yield ref.compare('unit.labels_low', labels_of(
        given, given['seg_logits'].argmax(dim=1), lengths - 1), 0.)
    for name, value in losses.items():
        yield ref.compare(f'unit.{name}', value)
    total = torch.stack(list(losses.values())).sum()
    yield ref.compare('unit.loss', total)
    total.backward()
    yield ref.compare('unit.grad.attention', given['attention'].grad,
                      RELATIVE, scaled=True)
    yield from ref.compare_norms('unit.gradnorm.', given)

    given = {name: ref.tensor(name) for name in INPUTS}
    text, lengths = ref.tensor('masks'), ref.tensor('length')
    if len(text) != sizes['batch']:
        raise RuntimeError('batch')
    losses = losses_of(given, text, lengths - 1)
    characters = ref.tensor('text')[:, 1:].flatten()
    for reader in READERS:
        losses[f'loss_{reader}'] = F.cross_entropy(
            ref.tensor(f'logits_{reader}').flatten(0, 1), characters,
            ignore_index=0)
    alignment = losses['loss_cor'] + losses['loss_dif']
    # Late in the run a mask that is the wrong way round is left out.
    late = dict(losses, loss_ins=text_entropy(given['seg_logits'], text,
                                              INVERTED))
    for prefix, each in (('', losses), ('late.', late)):
        total = sum(each.values()) - (1 - ALIGNMENT) * alignment
        for name, value in dict(each, loss_seq=alignment, loss=total).items():
            yield ref.compare(prefix + name, value)
    found = given['seg_logits'].argmax(dim=1)
    yield ref.compare('foreground', found[:, None], 0.)
    yield ref.compare('glyph_labels_low',
                      labels_of(given, found, lengths - 1), 0.)
