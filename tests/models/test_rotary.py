"""Rotary positions: the turn, its angles, and every way to the encoder."""
import copy
import math
from typing import Any, Tuple

import pytest
import torch

from lmim.models.backbones import MaskedViT, TextViT
from lmim.models.layers import (AxialRotary, MixedRotary, rotary, rotate,
                                use_cpu_kernels)
from lmim.models.layers.rotary import frequencies
from lmim.utils.errors import UserError

from .conftest import ARCH, ENCODER, build

KINDS = ('AxialRotary', 'MixedRotary')
SIZES = dict(head_dims=8, num_layers=2, num_heads=2)


def encoder(kind: str, name: str = 'TextViT', **changes: Any) -> Any:
    """An encoder of 2x8 patches without other positions, in eval mode."""
    vit: Any = build(ENCODER, **{
        **dict(type=name, pos_embed='none', rotary=dict(type=kind)),
        **changes})
    vit.init_weights()
    return vit.eval()


def drawn(vit: Any, *sizes: int) -> torch.Tensor:
    """Patches by chance."""
    return torch.randn(*sizes, vit.embed_dims,
                       generator=torch.Generator().manual_seed(2))


@pytest.mark.parametrize('traced', [False, True])
def test_pairs_are_neighbours_or_half_a_head_apart(
        traced: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rotary, 'is_traced', lambda: traced)
    token = torch.tensor([1., 2., 3., 5.])
    quarter = torch.tensor([math.pi / 2, 0.])  # of the first pair alone
    cos, sin = quarter.cos(), quarter.sin()
    torch.testing.assert_close(rotate(token, cos, sin),
                               torch.tensor([-2., 1., 3., 5.]))
    torch.testing.assert_close(rotate(token, cos, sin, halves=True),
                               torch.tensor([-3., 2., 1., 5.]))


@pytest.mark.parametrize('halves', [False, True])
def test_logits_depend_on_the_distance_alone(halves: bool) -> None:
    query, key = torch.randn(2, 16, generator=torch.Generator().manual_seed(0))
    angles = torch.arange(40.)[:, None] * frequencies(100., 8)
    queries, keys = (rotate(each.expand(40, -1), angles.cos(), angles.sin(),
                            halves) for each in (query, key))
    logits = queries @ keys.T
    for distance in (0, 3, -7):
        same = logits.diagonal(distance)
        torch.testing.assert_close(same, same[:1].expand_as(same))
    assert abs(logits[0, 3] - logits[0, 7]) > 0.1
    torch.testing.assert_close(queries.norm(dim=1),
                               query.norm().expand(40))


@pytest.mark.parametrize('coords, at', [
    # Row 1, column 2 of 2x4, base 100, d = 8: frequencies 1 and 1/10.
    ('index', [2, .2, 1, .1]),
    ('separate', [math.pi, .1 * math.pi, .5 * math.pi, .05 * math.pi]),
    ('max', [-.5 * math.pi, -.05 * math.pi, .5 * math.pi, .05 * math.pi]),
    ('min', [math.pi, .1 * math.pi, 3 * math.pi, .3 * math.pi]),
    ('stretched', [8, .8, 8, .8])])
def test_axial_angles(coords: str, at: list) -> None:
    cos, sin = AxialRotary(coords=coords, **SIZES)((2, 4))
    assert cos.shape == sin.shape == (8, 4)
    angles = torch.tensor(at, dtype=torch.float32)
    torch.testing.assert_close(cos[6], angles.cos(), atol=1e-6, rtol=0)
    torch.testing.assert_close(sin[6], angles.sin(), atol=1e-6, rtol=0)


def test_mixed_angles() -> None:
    mixed = MixedRotary(**SIZES)
    assert mixed.freqs.shape == (2, 2, 2 * 4)
    x, y = mixed.freqs.detach().unflatten(2, (2, 4))
    # Base 10, d = 8: two sizes, in a direction and at right angles to it.
    torch.testing.assert_close(
        x.hypot(y), torch.tensor([1, 10**-.5] * 2).expand(2, 2, 4))
    torch.testing.assert_close(
        x[..., :2] * x[..., 2:] + y[..., :2] * y[..., 2:],
        torch.zeros(2, 2, 2), atol=1e-6, rtol=0)
    assert len(x[..., 0].unique()) == 4  # blocks and heads differ
    cos, sin = mixed((2, 4))
    assert cos.shape == (2, 2, 8, 4)
    torch.testing.assert_close(sin[:, :, 6], (2 * x + y).sin())


@pytest.mark.parametrize('coords, same', [
    ('index', True), ('min', True), ('max', False), ('separate', False),
    ('stretched', False)])
def test_pitch_of_characters_in_wider_images(coords: str, same: bool) -> None:
    """Turn from one column to the next at 8x32 and 8x48 patches."""
    axial: Any = AxialRotary(coords=coords, **SIZES)
    steps = []
    for columns in (32, 48):
        cos, sin = axial((8, columns))
        turns = torch.complex(cos, sin)
        steps.append(turns[1] / turns[0])
    assert torch.allclose(*steps, atol=1e-5) is same


@pytest.mark.parametrize('kind', KINDS)
def test_grids_of_as_many_patches_differ(kind: str) -> None:
    wide, square = (encoder(kind, img_size=size) for size in ((8, 32),
                                                              (16, 16)))
    patches = drawn(wide, 1, 16)
    tokens = square.encode(patches)
    assert not torch.allclose(wide.encode(patches), tokens, atol=1e-3)
    torch.testing.assert_close(wide.encode(patches, grid=(4, 4)), tokens)
    torch.testing.assert_close(wide.encode(patches), wide.encode(
        patches, grid=wide.grid_of(torch.empty(1, 3, 8, 32))))


@pytest.mark.parametrize('kind', KINDS)
def test_visible_patches_come_in_any_order(kind: str) -> None:
    vit = encoder(kind)
    patches = drawn(vit, 3, 16)
    order = torch.stack([torch.randperm(16) for _ in range(3)])
    for where in (order, order[:, :5]):
        taken = patches.gather(1, where[..., None].expand(-1, -1, 16))
        tokens = vit.encode(taken, where)
        again = torch.arange(where.shape[1]).flip(0)
        torch.testing.assert_close(
            vit.encode(taken[:, again], where[:, again])[:, 1:].flip(1),
            tokens[:, 1:])
        # Without places they would be others.
        assert not torch.allclose(
            tokens, vit.encode(taken, where.sort(1)[0]), atol=1e-3)
    every = vit.encode(patches)
    shuffled = patches.gather(1, order[..., None].expand(-1, -1, 16))
    torch.testing.assert_close(
        vit.encode(shuffled, order)[:, 1:],
        every[:, 1:].gather(1, order[..., None].expand(-1, -1, 16)))


@pytest.mark.parametrize('kind', KINDS)
def test_masked_pass_knows_where_the_visible_are(kind: str) -> None:
    vit = encoder(kind, 'MaskedViT')
    images, noise = torch.randn(2, 3, 8, 32), torch.rand(2, 16)
    tokens, mask, _ = vit(images, noise=noise)
    ids = noise.argsort(1)[:, :tokens.shape[1] - 1]
    assert (mask.gather(1, ids) == 0).all()
    torch.testing.assert_close(tokens, vit.encode(vit.embed(images).gather(
        1, ids[..., None].expand(-1, -1, 16)), ids))


def test_cls_does_not_turn() -> None:
    """Its logits stay those of its query with the keys as they turn."""
    vit = encoder('AxialRotary')
    (rotation, ), = set(vit._turns(drawn(vit, 1, 16), None, None))
    joint = torch.randn(1, 2, 17, 8)
    turned = rotation.turn(joint)
    assert torch.equal(turned[:, :, 0], joint[:, :, 0])
    assert not torch.allclose(turned[:, :, 2:], joint[:, :, 2:], atol=1e-2)
    alone = encoder('AxialRotary', with_cls_token=False)
    assert alone(torch.randn(2, 3, 8, 32)).shape == (2, 16, 16)


@pytest.mark.parametrize('kind', KINDS)
def test_places_that_are_shifted_change_no_logit(kind: str) -> None:
    vit = encoder(kind)
    where = torch.tensor([[0, 2, 3, 8, 9]])
    joint = torch.randn(2, 1, 2, 6, 8)
    logits = []
    for shift in (0, 4):  # columns
        (rotation, ), _ = vit._turns(joint, where + shift, None)
        queries, keys = rotation.turn(joint)
        logits.append((queries @ keys.transpose(2, 3))[..., 1:, 1:])
    torch.testing.assert_close(*logits, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize('kind', KINDS)
@pytest.mark.parametrize('pos_embed', ['none', 'square'])
@pytest.mark.parametrize('name, options', [
    ('MaskedViT', {}), ('SimMIMViT', dict(normed=True)),
    ('MaskedViT', dict(pos_embed='grid', stem=(8, )))])
def test_all_encoders_use_them(kind: str, pos_embed: str, name: str,
                               options: dict) -> None:
    options = {**dict(pos_embed=pos_embed), **options}
    vit = encoder(kind, name, **options)
    plain = encoder(kind, name, **{**options, 'rotary': None,
                                   'pos_embed': 'grid'})
    plain.pos_embed.data.zero_()
    plain.load_state_dict(vit.state_dict(), strict=False)
    images = torch.randn(2, 3, 8, 32)
    masked = vit(images, noise=torch.rand(2, 16))[0]
    assert masked.isfinite().all()
    found = vit(images, mask=False)
    assert not torch.allclose(found, plain(images, mask=False), atol=1e-3)


def test_a_map_of_features_and_taps_turn_too() -> None:
    cfg = dict(ENCODER, pos_embed='none', rotary=dict(type='MixedRotary'))
    mapped: Any = build(dict(type='ViTFeatureMap', vit=cfg)).eval()
    images = torch.randn(2, 3, 8, 32)
    vit = mapped.vit
    tokens = vit.encode(vit.embed(images))
    torch.testing.assert_close(
        mapped(images), tokens[:, 1:].transpose(1, 2).unflatten(2, (2, 8)))
    last, taps = vit.forward_taps(images, (1, 2))
    torch.testing.assert_close(last, tokens)
    torch.testing.assert_close(vit.norm1(taps[1]), tokens)


def step(vit: Any, run: Any) -> Tuple[torch.Tensor, dict]:
    """Tokens of a masked pass, and gradients."""
    torch.manual_seed(3)
    images, noise = torch.randn(2, 3, 8, 32), torch.rand(2, 16)
    tokens = run(images, noise=noise)[0]
    tokens.square().mul(torch.rand_like(tokens)).sum().backward()
    return tokens, {name: value.grad for name, value
                    in vit.named_parameters() if value.grad is not None}


@pytest.mark.parametrize('kind', KINDS)
@pytest.mark.parametrize('way', ['checkpoint', 'compile'])
def test_a_step_is_the_same_in_other_ways(kind: str, way: str) -> None:
    vit = encoder(kind, 'MaskedViT', arch=dict(ARCH, num_layers=1)).train()
    other = copy.deepcopy(vit)
    other.with_cp = way == 'checkpoint'
    tokens, grads = step(vit, vit)
    its_tokens, its_grads = step(other, other if other.with_cp else (
        torch.compile(other.forward, backend='aot_eager', fullgraph=True)))
    torch.testing.assert_close(its_tokens, tokens)
    assert set(grads) == set(its_grads)
    for name, grad in grads.items():
        # Sums over all tokens, in another order.
        torch.testing.assert_close(its_grads[name], grad, msg=name,
                                   rtol=1e-5, atol=1e-5)
    if kind == 'MixedRotary':
        assert grads['rotary.freqs'].abs().min() > 0


@pytest.mark.parametrize('kind', KINDS)
def test_angles_are_of_full_precision(kind: str) -> None:
    vit = encoder(kind).bfloat16()
    cos, _ = vit.rotary((8, 96))
    assert cos.dtype == torch.float32
    if kind == 'AxialRotary':
        assert cos[95, 0] == torch.tensor(95.).cos()
        with torch.autocast('cpu', torch.bfloat16):
            assert torch.equal(vit.rotary((8, 96))[0], cos)
    assert vit(torch.randn(1, 3, 8, 32).bfloat16()).dtype == torch.bfloat16


@pytest.mark.parametrize('kind', KINDS)
def test_fast_kernels_turn_too(kind: str) -> None:
    vit = encoder(kind)
    quick = use_cpu_kernels(copy.deepcopy(vit))
    images = torch.randn(2, 3, 8, 32)
    with torch.no_grad():
        torch.testing.assert_close(quick(images), vit(images), atol=1e-5,
                                   rtol=1e-4)
        with torch.autocast('cpu', torch.bfloat16):
            rough = quick(images).float()
    torch.testing.assert_close(rough, vit(images), atol=0.1, rtol=0.1)


def test_average_of_an_encoder_turns_as_it_does() -> None:
    target: Any = build(dict(type='EMATarget'))
    vit = encoder('MixedRotary', 'MaskedViT')
    target.follow(vit)
    images = torch.randn(2, 3, 8, 32)
    torch.testing.assert_close(target.encode(images),
                               vit(images, mask=False))
    vit.rotary.freqs.data += 1.
    assert not torch.allclose(target.encode(images),
                              vit(images, mask=False), atol=1e-3)
    target.begin_average()
    torch.testing.assert_close(target.encode(images), vit(images, mask=False))


@pytest.mark.parametrize('settings, message', [
    (dict(rotary=None), 'not know where a patch is'),
    (dict(arch=dict(ARCH, num_heads=8)), '2 channels of a head'),
    (dict(rotary=dict(type='AxialRotary', coords='pixel')), "'pixel'")])
def test_what_cannot_be_is_refused(settings: dict, message: str) -> None:
    with pytest.raises(UserError, match=message):
        encoder('AxialRotary', **settings)


def test_patches_without_places_are_refused() -> None:
    vit = encoder('AxialRotary')
    with pytest.raises(UserError, match='5 patches are given of a grid of '
                                        '2x8'):
        vit.encode(drawn(vit, 1, 5))


def test_nothing_changes_without() -> None:
    """The blocks and weights are mmpretrain's."""
    vit: Any = TextViT(ARCH, img_size=(8, 32))
    assert type(vit.layers[0]).__name__ == 'TransformerEncoderLayer'
    turned = MaskedViT(arch=ARCH, img_size=(8, 32),
                       rotary=dict(type='AxialRotary'))
    assert set(vit.state_dict()) == set(turned.state_dict())
