"""DiG's step: masked image, whole view, moving average."""
from types import SimpleNamespace
from typing import Any, Dict, Iterator

import torch

from lmim.checkpoints import names_to_ours, to_ours

from .common import Check, Reference, build, checks, vit_cfg
from .contrast import compare_all, in_training, norms_by_their_names


@checks('DiG', 'meta', 'meta_names', 'aug_images_uint8', 'mask')
def check_dig(ref: Reference) -> Iterator[Check]:
    """Run a step in training mode: outputs, losses, gradients, average."""
    sizes, state = ref.sizes(), ref.weights()
    weights = to_ours(state)
    for prefix in ('backbone.', 'ema.module.backbone.'):
        # The model has its own, of any size.
        weights.pop(f'{prefix}pos_embed')
    mask = ref.tensor('mask')
    count, width = mask.shape[1], sizes['embed_dims']
    images, view = (ref.tensor(name).float() / 127.5 - 1
                    for name in ('images_uint8', 'aug_images_uint8'))
    backbone = dict(
        vit_cfg('SimMIMViT', ref['meta'].tolist(), weights,
                ref['images_uint8']),
        with_cls_token=False, pos_embed='line',
        mask=dict(type='RandomMasking', ratio=sizes['num_masked'] / count))
    weight = float(ref['weight_contrast'])
    model = in_training(ref, dict(
        type='DiG', backbone=backbone,
        neck=dict(type='PixelDecoder', in_dims=width,
                  embed_dims=sizes['decoder_dims']),
        token_projector=dict(type='TokenMLP', embed_dims=width,
                             hidden_dims=sizes['pix_projector_hidden']),
        projector=dict(
            type='WindowProjector', in_dims=width,
            hidden_dims=sizes['projector_hidden'],
            out_dims=sizes['projector_out'], num_windows=sizes['num_windows'],
            grid=[side // patch for side, patch in zip(
                backbone['img_size'], backbone['patch_size'])]),
        contrast_head=dict(
            type='MomentumContrastHead', in_dims=sizes['projector_out'],
            hidden_dims=sizes['projector_hidden'], loss_weight=weight,
            temperature=float(ref['temperature']))), weights)
    if len(images) != sizes['batch']:
        raise RuntimeError('batch')
    found = model.predict([images, view], mask.float())
    if not torch.equal(found.mask.bool(), mask):
        raise RuntimeError('mask')
    masked, whole = found.tokens
    head, hidden = model.contrast_head, mask.bool()
    projected = model.token_projector(masked)
    queries = head.predict(found.instances)
    contrast = [head.contrast(query, key)
                for query, key in zip(queries, found.keys[::-1])]
    losses = model.loss([images, view], noise=mask.float())
    total = sum(losses.values())
    yield from compare_all(ref, dict(
        encoder_output=torch.cat(found.tokens), pix_projected=projected,
        windows=torch.cat([model.projector.windows(tokens)
                           for tokens in (projected, whole)]),
        q_masked=queries[0].flatten(0, 1), k_aug=found.keys[1].flatten(0, 1),
        q_aug=queries[1].flatten(0, 1), k_masked=found.keys[0].flatten(0, 1),
        loss_contrast_masked_to_aug=contrast[0],
        loss_contrast_aug_to_masked=contrast[1],
        loss_contrast=losses['loss_contrast'] / weight,
        pred=found.pred[hidden].unflatten(0, (len(images), -1)),
        target=found.target[hidden].unflatten(0, (len(images), -1)),
        loss_pixel=losses['loss_recon'], loss=total))
    # An option of the code: patches normalised.
    normed = build(dict(type='PixelTarget', norm_pix='channel'))(images)
    yield from compare_all(ref, dict(
        target_norm=normed[hidden].unflatten(0, (len(images), -1)),
        loss_pixel_norm_target=model.head.loss(found.pred, normed,
                                               found.mask)))

    total.backward()
    norms: Dict[str, Any] = dict(
        norms_by_their_names(model, names_to_ours(state)))
    for number, layer in enumerate(model.backbone.layers):
        query, _, value = layer.attn.qkv.bias.grad.chunk(3)
        for name, gradient in (('q', query), ('v', value)):
            norms[f'encoder.blocks.{number}.attn.{name}_bias'] = (
                SimpleNamespace(grad=gradient))
    yield from ref.compare_norms('gradnorm.', norms)

    ours = names_to_ours(state)
    twin = model.state_dict()
    prefix = 'momentum_after.'
    for name in ref.below(prefix):
        moved = name[len(prefix):].replace('encoder.', 'momentum_encoder.', 1)
        moved = moved.replace('projection.', 'momentum_projection_layer.', 1)
        yield ref.compare(name, twin[ours[moved]])
