"""Rotary positions: RoPE-ViT, RoFormer, tables of DINOv3 and EVA-02."""
import math
from typing import Any, Dict, Iterator, Optional, Tuple

import torch
import torch.nn.functional as F

from lmim.checkpoints import names_to_ours
from lmim.checkpoints.loading import resize_positions
from lmim.models.layers import AxialRotary, rotate
from lmim.models.layers.rotary import frequencies

from .common import Check, Reference, build, checks, part_of, vit_cfg
from .jepa import taken

#: Of tables, and of tokens.
TABLE, TOKENS = 5e-6, 2e-5
Grid = Tuple[int, int]


@checks('rotary positions', 'axial.state.cls_token', 'mixed.state.freqs',
        'roformer.table')
def check_rope(ref: Reference) -> Iterator[Check]:
    """Run encoders, and recompute RoFormer and the tables that are there."""
    sizes = ref.sizes()
    images, wide = ref.tensor('images'), ref.tensor('wide')
    if (images.shape[2:] != (sizes['img_h'], sizes['img_w'])
            or wide.shape[2:] != (sizes['img_h'], sizes['wide_w'])):
        raise RuntimeError('img_h, img_w, wide_w')
    yield ref.compare('ids_keep', ref.tensor('noise').argsort(
        dim=1, stable=True)[:, :sizes['keep']], 0.)
    kinds = {name.partition('.')[0] for name in ref if '.state.patch_' in name}
    for kind in sorted(kinds | {'axial', 'mixed'}):
        yield from _encoder(ref, kind)
    yield from _roformer(ref)
    for name in ref.below('dinov3.'):
        _, coords, grid, part = name.split('.')
        yield _table(ref, name, grid, part, coords=coords)
    for name in ref.below('eva02.'):
        _, grid, part = name.split('.')
        yield _table(ref, name, grid, part, coords='stretched', theta=1e4)


def _table(ref: Reference, name: str, grid: str, part: str,
           **options: Any) -> Check:
    """A table with an angle for each channel, of what halves or pairs have."""
    rows, columns = map(int, grid.split('x'))
    rotary = AxialRotary(head_dims=ref[name].shape[1], num_layers=1,
                         num_heads=1, **options)
    ours = rotary((rows, columns))[('cos', 'sin').index(part)]
    return ref.compare(name, ours.repeat_interleave(2, dim=1)
                       if options['coords'] == 'stretched' else
                       ours.repeat(1, 2), TABLE)


def _encoder(ref: Reference, kind: str) -> Iterator[Check]:
    """An encoder's tokens, whole, masked and wide, and its gradients."""
    sizes, state = ref.sizes(), ref.weights(f'{kind}.state.')
    images, wide, where = map(ref.tensor, ('images', 'wide', 'ids_keep'))
    ours = names_to_ours(state)
    weights = part_of({ours[name]: value for name, value in state.items()},
                      'backbone.')
    places = weights.pop('pos_embed', None)
    places = None if places is None else places.requires_grad_()
    name = 'MixedRotary' if kind.startswith('mixed') else 'AxialRotary'

    def encoder_of(pictures: torch.Tensor) -> Tuple[Any, Any]:
        cfg: Dict[str, Any] = vit_cfg(
            'TextViT', [sizes[name] for name in (
                'embed_dim', 'depth', 'num_heads')],
            {f'backbone.{own}': value for own, value in weights.items()},
            pictures)
        if set(cfg['patch_size']) != {sizes['patch']}:
            raise RuntimeError('patch')
        cfg.update(rotary=dict(type=name), layer_cfgs=dict(
            layer_scale_init_value=1e-5))
        if places is None:
            return build(dict(cfg, pos_embed='none'), weights), None
        grid = [pictures.shape[axis] // sizes['patch'] for axis in (2, 3)]
        table = _absolute(places, (grid[0], grid[1]), images, sizes['patch'])
        return build(dict(cfg, pos_embed='grid', freeze_pos_embed=False),
                     dict(weights, pos_embed=table.detach())), table

    encoder, table = encoder_of(images)
    for number, part in enumerate(encoder.rotary(encoder.grid)):
        if f'{kind}.cos' in ref or not name.startswith('Mixed'):
            yield ref.compare(f'{kind}.{("cos", "sin")[number]}', part, TABLE)
    layer, seen = encoder.layers[0], []
    layer.register_forward_pre_hook(
        lambda module, inputs: seen.append(inputs))
    tokens, blocks = encoder.forward_taps(
        images, range(1, sizes['depth'] + 1))
    first, rotation = seen[0]
    turned = rotation.turn(layer.attn.qkv(layer.ln1(first)).unflatten(
        2, (3, layer.attn.num_heads, -1)).permute(2, 0, 3, 1, 4)[:2])
    found = {'q_rot.0': turned[0], 'tokens': tokens,
             'masked_tokens': encoder.encode(
                 taken(encoder.embed(images), where), where),
             'wide_tokens': encoder_of(wide)[0](wide)}
    kept = {'k_rot.0': turned[1],
            **{f'block.{number}': each for number, each in enumerate(blocks)}}
    found.update({name: value for name, value in kept.items()
                  if f'{kind}.{name}' in ref})
    for output, value in found.items():
        yield ref.compare(f'{kind}.{output}', value, TOKENS)

    loss = F.mse_loss(tokens, ref.tensor('target'))
    yield ref.compare(f'{kind}.loss', loss)
    loss.backward()
    named = dict(encoder.named_parameters())
    if table is not None:  # to the places before they were interpolated
        table.backward(named['pos_embed'].grad)
        named['pos_embed'] = places
    yield from ref.compare_norms(f'{kind}.gradnorm.', {
        name: named[own[len('backbone.'):]] for name, own in ours.items()})
    if f'{kind}.grad.freqs' in ref or kind == 'mixed':
        yield ref.compare(f'{kind}.grad.freqs', encoder.rotary.freqs.grad,
                          1e-4, scaled=True)


def _absolute(places: torch.Tensor, grid: Grid, images: torch.Tensor,
              patch: int) -> torch.Tensor:
    """Positions (1, L, C) of patches alone, of a grid, with one for [CLS].

    They are of the images' grid, or of a square one that is interpolated.
    """
    count = places.shape[1]
    own: Optional[Grid] = (images.shape[2] // patch, images.shape[3] // patch)
    if own is None or math.prod(own) != count:
        own = (math.isqrt(count), math.isqrt(count))
    if own != grid:
        places = resize_positions(places, grid, own, num_extra=0)
    return F.pad(places, (0, 0, 1, 0))


def _roformer(ref: Reference) -> Iterator[Check]:
    """A sequence: its table, what is turned, and a RoFormer's two layers."""
    weights = ref.weights('roformer.state.')
    given = {name: ref.tensor(f'roformer.{name}') for name in 'qkv'}
    length, dims = given['q'].shape[2:]

    def angles(count: int) -> torch.Tensor:
        return (torch.arange(float(count))[:, None]
                * frequencies(1e4, dims // 2))

    for name, count in (('table', length),
                        ('state.encoder.embed_positions.weight',
                         len(weights['encoder.embed_positions.weight']))):
        each = angles(count)
        yield ref.compare(f'roformer.{name}',
                          torch.cat([each.sin(), each.cos()], dim=1), TABLE)
    cos, sin = angles(length).cos(), angles(length).sin()
    turned = {name: rotate(value, cos, sin) for name, value in given.items()}
    for name, value in turned.items():
        yield ref.compare(f'roformer.{name}_rot', value, TOKENS)
    yield ref.compare('roformer.logits', turned['q'] @ turned['k'].transpose(
        2, 3) / dims**0.5, TOKENS)

    def linear(name: str, tokens: torch.Tensor) -> torch.Tensor:
        return F.linear(tokens, weights[f'{name}.weight'],
                        weights[f'{name}.bias'])

    def norm(name: str, tokens: torch.Tensor) -> torch.Tensor:
        name = f'{name}.LayerNorm'
        return F.layer_norm(tokens, tokens.shape[-1:],
                            weights[f'{name}.weight'],
                            weights[f'{name}.bias'], 1e-12)

    ids = ref.tensor('roformer.input_ids')
    tokens = norm('embeddings', weights['embeddings.word_embeddings.weight'][
        ids] + weights['embeddings.token_type_embeddings.weight'][0])
    cos, sin = angles(ids.shape[1]).cos(), angles(ids.shape[1]).sin()
    yield ref.compare('roformer.hidden.0', tokens, TOKENS)
    for number in range(len(ref.below('roformer.hidden.')) - 1):
        layer = f'encoder.layer.{number}'
        query, key, value = (
            linear(f'{layer}.attention.self.{name}', tokens).unflatten(
                2, (-1, dims)).transpose(1, 2)
            for name in ('query', 'key', 'value'))
        mixed = F.scaled_dot_product_attention(
            rotate(query, cos, sin), rotate(key, cos, sin), value)
        output = f'{layer}.attention.output'
        tokens = norm(output, tokens + linear(
            f'{output}.dense', mixed.transpose(1, 2).flatten(2)))
        hidden = F.gelu(linear(f'{layer}.intermediate.dense', tokens))
        tokens = norm(f'{layer}.output', tokens + linear(
            f'{layer}.output.dense', hidden))
        yield ref.compare(f'roformer.hidden.{number + 1}', tokens, TOKENS)
