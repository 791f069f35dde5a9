"""MAE whose patches are single pixels, with learned positions."""
from typing import Any, Dict, Iterator

import torch
from torch import nn

from lmim.checkpoints import FORMATS

from .common import ABSOLUTE, Check, Reference, build, checks

#: What the file's names of the encoder begin with.
VIT = 'vit.'


def names_of(model: nn.Module) -> Dict[str, str]:
    """The file's names of a model's parameters: timm's and MAE's, by ours."""
    table = FORMATS['mae'].names
    found = {}
    for name, _ in model.named_parameters():
        theirs = table.theirs(name)
        assert theirs is not None
        found[name] = VIT * name.startswith('backbone.') + theirs
    return found


def model_of(sizes: Dict[str, int], ratio: float) -> Any:
    """MAE of the file's sizes, its weights not yet filled in."""
    patch = sizes['patch_h'], sizes['patch_w']
    grid = sizes['img_h'] // patch[0], sizes['img_w'] // patch[1]
    return build(dict(
        type='MIM',
        backbone=dict(
            type='MaskedViT', img_size=(sizes['img_h'], sizes['img_w']),
            patch_size=patch, pos_embed='learned', arch=dict(
                embed_dims=sizes['embed_dim'], num_layers=sizes['depth'],
                num_heads=sizes['num_heads'],
                feedforward_channels=4 * sizes['embed_dim']),
            mask=dict(type='RandomMasking', ratio=ratio)),
        neck=dict(
            type='MAEDecoder', in_dims=sizes['embed_dim'],
            out_dims=3 * patch[0] * patch[1], grid=grid, pos_embed='learned',
            embed_dims=sizes['decoder_dim'], num_heads=sizes['decoder_heads'],
            num_layers=sizes['decoder_depth']),
        target_generator=dict(type='PixelTarget', patch_size=patch,
                              norm_pix=False)))


@checks('pixels', 'images', 'feature_target', 'perm', 'mae.pred', 'meta')
def check_pixels(ref: Reference) -> Iterator[Check]:
    """Check the whole pass, the masked one, and pixels in another order."""
    sizes = ref.sizes()
    images, noise = ref.tensor('images'), ref.tensor('noise')
    wanted = (sizes['batch'], 3, sizes['img_h'], sizes['img_w'])
    if tuple(images.shape) != wanted:
        raise ValueError(f'images are {tuple(images.shape)}, and by the sizes '
                         f'{wanted}')
    model = model_of(sizes, round(float(ref['mask_ratio']), 6))
    theirs = names_of(model)
    weights = ref.weights()
    model.load_state_dict({name: weights.pop(own)
                           for name, own in theirs.items()})
    if weights:
        raise ValueError(f'weights without a place: {sorted(weights)}')

    vit = model.backbone
    tokens = vit(images, mask=False)
    yield ref.compare('tokens', tokens)
    loss = (tokens - ref.tensor('feature_target')).square().mean()
    yield ref.compare('feature_loss', loss)
    loss.backward()
    yield from ref.compare_norms('feature_gradnorm.', {
        theirs[f'backbone.{name}']: value
        for name, value in vit.named_parameters()})
    yield from _check_order(ref, vit, images)

    model.zero_grad()
    masking = vit.draw_masks(images, noise, None, None)
    for name in ('ids_keep', 'ids_restore', 'mask'):
        yield ref.compare(f'mae.{name}', getattr(masking, name), 0.)
    found = model.predict(images, noise)
    yield ref.compare('mae.latent', found.tokens[0])
    yield ref.compare('mae.pred', found.pred)
    yield ref.compare('mae.target', found.target)
    losses = model.reconstruction_losses(found)
    yield ref.compare('mae.loss', losses['loss_recon'])
    losses['loss_recon'].backward()
    yield from ref.compare_norms('mae.gradnorm.', {
        theirs[name]: value for name, value in model.named_parameters()})
    # Of single pixels no model takes it, for it leaves next to nothing.
    normed = build(dict(type='PixelTarget', patch_size=vit.patch_size))(images)
    yield ref.compare('mae.target_norm_pix', normed)
    yield ref.compare('mae.loss_norm_pix', model.head.loss(
        found.pred, normed, found.mask))


@torch.no_grad()
def _check_order(ref: Reference, vit: Any,
                 images: torch.Tensor) -> Iterator[Check]:
    """Pixels are a set with positions: moved together they are the same."""
    order = ref.tensor('perm')
    same = vit.encode(vit.embed(images)[:, order])[:, 0]
    tokens = ref.tensor('tokens')[:, 0]
    yield Check('perm ([CLS] of pixels moved with their positions)',
                float((same - tokens).abs().max()), ABSOLUTE)
    pixels = vit.patch_embed(images)[0][:, order]
    moved = vit.encode(pixels + vit.pos_embed[:, 1:])[:, 0]
    yield ref.compare('shuffled_cls', moved)
