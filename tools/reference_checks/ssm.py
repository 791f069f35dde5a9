"""SSM's step: an image and its turned copy, superimposed."""
from typing import Iterator

import torch

from lmim.checkpoints import names_to_ours, to_ours

from .common import Check, Reference, build, checks, vit_cfg
from .contrast import compare_all, in_training, norms_by_their_names


@checks('SSM', 'meta', 'meta_names', 'original_uint8', 'direction')
def check_ssm(ref: Reference) -> Iterator[Check]:
    """Run a step in training mode: outputs, losses, gradients, average."""
    sizes, state = ref.sizes(), ref.weights()
    weights = to_ours(state)
    width, dims = sizes['embed_dims'], sizes['decoder_dims']
    hidden = sizes['projector_hidden']
    images, view = (ref.tensor(name).float() / 255
                    for name in ('original_uint8', 'teacher_original_uint8'))
    if len(images) != sizes['batch']:
        raise RuntimeError('batch')
    backbone = dict(
        vit_cfg('TextViT', ref['meta'].tolist(), weights,
                ref['original_uint8']),
        with_cls_token=False, pos_embed='grid')
    grid = [side // patch for side, patch in zip(backbone['img_size'],
                                                 backbone['patch_size'])]
    weight = float(ref['feature_weight'])
    model = in_training(ref, dict(
        type='SSM', backbone=backbone,
        neck=dict(type='PromptedDecoder', in_dims=width, embed_dims=dims,
                  num_layers=sizes['decoder_depth'],
                  num_heads=sizes['decoder_heads'], grid=grid,
                  pos_embed='grid'),
        # Pixels go in as from 0 to 1 here.
        target_generator=dict(type='PixelTarget', norm_pix=False),
        projector=dict(type='WindowProjector', in_dims=dims,
                       hidden_dims=hidden, out_dims=dims, grid=grid,
                       num_windows=sizes['num_windows']),
        contrast_head=dict(type='MomentumContrastHead', in_dims=dims,
                           hidden_dims=hidden,
                           temperature=float(ref['temperature'])),
        feature_weight=weight, feature_start=None), weights)
    # The published code moves these twice.
    blocks = [part.decoder_blocks.parameters()
              for part in (model.twin['neck'], model.neck)]
    with torch.no_grad():
        for average, value in zip(*blocks):
            average.lerp_(value, 1 - float(ref['momentum']))

    noise = (ref.tensor('direction')[:, None] - 0.5) / len(model.numbers)
    found = model.predict([images, view], noise)
    tokens, decoded = model.decode(model, found.pictures['superimposed'],
                                   ref.tensor('direction'))
    head = model.contrast_head
    queries = model.queries(found)
    outputs = dict(latent=tokens, pred_pos=found.pred,
                   pred_neg=found.pixels[0])
    dense = build(dict(type='DenseHead'))
    near = build(dict(type='DenseHead', decorrelation=0.))
    losses = model.loss([images, view], noise=noise)
    for sign, patches, query, key, pixels in zip(
            ('pos', 'neg'), decoded, queries, found.keys,
            ('loss_recon', 'loss_recon_turned')):
        outputs.update({
            f'decoded_{sign}': patches, f'q_{sign}': query.flatten(0, 1),
            f'k_{sign}': key.flatten(0, 1),
            f'loss_pixel_{sign}': losses[pixels],
            f'loss_contrast_{sign}': head.contrast(query, key),
            f'loss_dense_{sign}': dense.loss(query, key),
            f'loss_dense_mse_{sign}': near.loss(query, key)})
    total = sum(losses.values())
    yield from compare_all(ref, dict(outputs, loss=total))

    total.backward()
    ours = names_to_ours(state)
    yield from ref.compare_norms('gradnorm.',
                                 norms_by_their_names(model, ours))
    twin = model.state_dict()
    prefix = 'momentum_after.'
    for name in ref.below(prefix):
        yield ref.compare(name, twin[ours['mm_' + name[len(prefix):]]])
