"""I-JEPA's step and data2vec 2.0's targets."""
import re
from typing import Any, Iterator, Sequence

import numpy as np
import torch
import torch.nn.functional as F

from lmim.checkpoints import names_to_ours

from .common import Check, Reference, build, checks, part_of, vit_cfg

#: Of features whose channels are each divided by their spread, twice.
FEATURES = 3e-5
#: Of schedules, in fp64.
EXACT = 1e-10


@checks('I-JEPA', 'meta', 'meta_names', 'ids_context', 'ids_targets')
def check_jepa(ref: Reference) -> Iterator[Check]:
    """Run I-JEPA's step and data2vec's targets, all outputs recomputed.

    The predictor is run by the parts of a :class:`MAEDecoder`, whose own
    forward pass has all patches in place of the context and one block.
    """
    sizes = ref.sizes()
    images = ref.tensor('images_uint8').float() / 127.5 - 1
    theirs, state = {}, {}
    for part in ('encoder', 'predictor'):
        for name, value in ref.weights(f'state.{part}.').items():
            # As MAE calls them, whose decoder the predictor resembles.
            mae = re.sub('^predictor_', 'decoder_', name).replace(
                'decoder_proj', 'decoder_pred')
            theirs[mae], state[mae] = f'{part}.{name}', value
    ours = names_to_ours(state)
    weights = {ours[name]: value for name, value in state.items()}
    encoder = build(dict(
        vit_cfg('MaskedViT', ref['meta'].tolist(), weights,
                ref['images_uint8']),
        with_cls_token=False), part_of(weights, 'backbone.'))
    weights['neck.decoder_pos_embed'] = F.pad(
        weights['neck.decoder_pos_embed'], (0, 0, 1, 0))
    neck = build(dict(
        type='MAEDecoder', in_dims=sizes['embed_dims'],
        out_dims=sizes['embed_dims'], embed_dims=sizes['predictor_dims'],
        num_layers=sizes['predictor_depth'],
        num_heads=sizes['predictor_heads'], grid=encoder.grid),
        part_of(weights, 'neck.'))
    context_ids, block_ids = map(ref.tensor, ('ids_context', 'ids_targets'))
    if not len(images) == len(context_ids) == sizes['batch']:
        raise RuntimeError('batch')

    teacher = dict(ref.weights('state.target_encoder.'),
                   pos_embed=state['pos_embed'])
    teacher = part_of({ours[name]: value for name, value in teacher.items()},
                      'backbone.')

    def target_of(**options: Any) -> Any:
        target = build(dict(type='EMATarget',
                            momentum=1 - float(ref['momentum']), **options))
        target.follow(encoder)
        target.encoder.load_state_dict(teacher)
        return target

    target = target_of()
    features = target(images)
    yield ref.compare('target_full', features)
    wanted = torch.cat([taken(features, ids) for ids in block_ids])
    yield ref.compare('target', wanted)
    context = encoder.encode(taken(encoder.embed(images), context_ids))
    yield ref.compare('context', context)
    places = neck.decoder_pos_embed[:, 1:].expand(len(images), -1, -1)
    blocks = []
    for ids in block_ids:
        tokens = torch.cat([
            neck.decoder_embed(context) + taken(places, context_ids),
            neck.mask_token + taken(places, ids)], dim=1)
        for layer in neck.decoder_blocks:
            tokens = layer(tokens)
        # Without the first: `predict` drops [CLS], here one of the context.
        blocks.append(neck.predict(tokens)[:, context.shape[1] - 1:])
    pred = torch.cat(blocks)
    yield ref.compare('pred', pred)
    smooth = dict(loss=dict(type='SmoothL1ReconstructionLoss'))
    for name, loss in (('loss_mse', {}), ('loss_smooth_l1', smooth)):
        head = build(dict(type='ReconstructionHead', **loss))
        value = head.loss(pred, wanted, torch.ones(pred.shape[:2]))
        yield ref.compare(name, value)
    value.backward()
    named = {prefix + name: parameter
             for prefix, part in (('backbone.', encoder), ('neck.', neck))
             for name, parameter in part.named_parameters()}
    yield from ref.compare_norms('gradnorm.', {
        theirs[name]: named[own] for name, own in ours.items()
        if named[own].requires_grad})

    for outputs in ('ffn', 'block'):
        target = target_of(layers=sizes['top_k_layers'], outputs=outputs)
        features = target(images)
        yield ref.compare(f'd2v.target_{outputs}', features, FEATURES)
        if outputs == 'ffn':
            yield ref.compare('d2v.cls_target', features.mean(1))
            yield ref.compare('d2v.last_ffn', target.block_outputs(images)[-1])

    # After a step that was not taken: the average alone has moved.
    target.move_average(0, 1)
    prefix = 'momentum_after.target_encoder.'
    moved = target.encoder.state_dict()
    for name in ref.below(prefix):
        own = ours[name[len(prefix):]][len('backbone.'):]
        yield ref.compare(name, moved[own])

    def schedule(name: str, steps: Sequence[int], **options: Any) -> Check:
        target = build(dict(type='EMATarget', **options))
        return ref.compare(name, np.array([
            1 - target.momentum_at(step, max(steps)) for step in steps]),
            EXACT)

    for name in ref.below('schedule.ijepa_linear_'):
        first, last, total = map(float, re.findall(r'_([\d.]+)', name))
        yield schedule(name, range(int(total) + 1), momentum=1 - first,
                       end_momentum=1 - last)
    for name in ref.below('schedule.d2v_at_'):
        steps = re.findall(r'_(\d+)', name.replace('k', '000'))
        yield schedule(name, list(map(int, steps)), momentum=2e-4,
                       end_momentum=1e-5, anneal_steps=100_000)


def taken(tokens: torch.Tensor, ids: torch.Tensor) -> torch.Tensor:
    """The tokens (N, K, C) in places (N, K) of (N, L, C)."""
    return torch.take_along_dim(tokens, ids[..., None], dim=1)
