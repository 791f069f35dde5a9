"""Loading encoders: reported, and refused below a full match."""
import pytest
import torch

from lmim.checkpoints import CheckpointError, load_encoder_weights
from lmim.checkpoints.loading import refuse_not_finite, resize_positions
from lmim.models.backbones import TextViT
from tests.checkpoints.tiny import weights_of
from tests.data.make_reference import VIT

ARCH = dict(
    embed_dims=16, num_layers=2, num_heads=2, feedforward_channels=32)


def vit(**changes) -> TextViT:
    cfg = dict(arch=ARCH, img_size=(8, 32))
    model = TextViT(**{**cfg, **changes})
    model.init_weights()
    return model


@pytest.fixture
def saved(tmp_path):
    """A checkpoint as a pre-training run leaves it, and its encoder."""
    model = vit()
    weights = {f'backbone.{k}': v for k, v in model.state_dict().items()}
    weights['neck.mask_token'] = torch.zeros(1, 1, 4)
    path = tmp_path / 'lmim.pth'
    torch.save({'state_dict': weights}, path)
    return str(path), model


def test_full_match_is_reported(saved):
    path, source = saved
    model = vit(init_cfg=dict(type='Pretrained', checkpoint=path))
    for name, value in source.state_dict().items():
        assert torch.equal(model.state_dict()[name], value)
    report = load_encoder_weights(vit(), path)
    assert report.is_full and report.unused == 1
    assert f'{len(source.state_dict())} tensors loaded, 0 missing' in str(
        report)


@pytest.mark.parametrize('changes, named', [
    (dict(arch=dict(ARCH, num_layers=3)), 'layers.2.attn.proj.bias'),
    (dict(arch=dict(ARCH, embed_dims=24)), r'cls_token ((1, 1, 16) in the '
     'file, (1, 1, 24) in the model)'),
    (dict(arch=dict(ARCH, num_layers=1)), 'unexpected: layers.1'),
    (dict(img_size=(8, 8)), 'pos_embed'),
])
def test_another_size_is_refused_and_changes_nothing(saved, changes, named):
    model = vit(**changes)
    before = {k: v.clone() for k, v in model.state_dict().items()}
    with pytest.raises(CheckpointError) as error:
        load_encoder_weights(model, saved[0])
    assert named in str(error.value)
    assert 'allow_partial=True' in str(error.value)
    assert all(torch.equal(v, before[k])
               for k, v in model.state_dict().items())


def test_what_fits_is_taken_when_told_so(saved):
    path, source = saved
    model = vit(
        arch=dict(ARCH, num_layers=3),
        init_cfg=dict(type='Pretrained', checkpoint=path, allow_partial=True))
    assert torch.equal(model.layers[1].attn.qkv.weight,
                       source.layers[1].attn.qkv.weight)


@pytest.mark.parametrize('kind', ['AxialRotary', 'MixedRotary'])
def test_rotary_positions_begin_beside_absolute_ones(saved, kind):
    path, source = saved
    model = vit(rotary=dict(type=kind))
    drawn = {name: value.clone() for name, value in model.state_dict().items()
             if name.startswith('rotary.')}
    assert load_encoder_weights(model, path).is_full
    assert all(torch.equal(value, drawn.get(name, source.state_dict().get(
        name))) for name, value in model.state_dict().items())
    alone = vit(rotary=dict(type=kind), pos_embed='none')
    with pytest.raises(CheckpointError, match='keep it beside rotary'):
        load_encoder_weights(alone, path)
    assert load_encoder_weights(
        alone, path, allow_partial=True).unexpected == ['pos_embed']


@pytest.mark.parametrize('rotary, fits', [
    (dict(type='AxialRotary', theta=100.), True),
    (dict(type='AxialRotary', theta=50.), False),
    (dict(type='MixedRotary'), False), (None, False)])
def test_other_rotary_positions_are_another_encoder(tmp_path, rotary, fits):
    cfg = ('model = dict(backbone=dict(type="MaskedViT", rotary=dict('
           'type="AxialRotary")))')
    path = tmp_path / 'mae.pth'
    torch.save({'meta': {'cfg': cfg}, 'state_dict': {
        f'backbone.{name}': value
        for name, value in vit().state_dict().items()}}, path)
    model = vit(rotary=rotary)
    if fits:
        assert load_encoder_weights(model, str(path)).is_full
        return
    with pytest.raises(CheckpointError, match='trained with rotary positions, '
                                              r'AxialRotary\(theta=100'):
        load_encoder_weights(model, str(path))
    load_encoder_weights(model, str(path), allow_partial=True)


def test_positions_are_interpolated_where_the_patches_were():
    # A table that counts columns on the 8x32 grid: 16x16 would fold it.
    columns = torch.arange(32.).repeat(8)
    table = torch.cat([torch.tensor([-5.]), columns])[None, :, None]
    wide = resize_positions(table, (8, 64))
    assert wide.shape == (1, 1 + 512, 1) and wide[0, 0, 0] == -5
    rows = wide[0, 1:, 0].view(8, 64)
    assert torch.allclose(rows, rows[:1].expand(8, -1), atol=1e-5)
    # Within the borders, halves of columns; bicubic is not quite linear.
    inner = torch.arange(8, 56)
    assert torch.allclose(rows[0, inner], (inner + 0.5) / 2 - 0.5, atol=0.06)


@pytest.mark.parametrize('size', [(32, 256), (48, 160), (32, 128)])
def test_one_checkpoint_serves_other_sizes(tmp_path, size):
    source = vit(img_size=(32, 128)).state_dict()
    path = tmp_path / 'lmim.pth'
    torch.save({f'backbone.{name}': value for name, value in source.items()},
               path)
    model = vit(img_size=size, pos_embed='grid', init_cfg=dict(
        type='Pretrained', checkpoint=str(path)))
    positions = source.pop('pos_embed')
    for name, value in source.items():
        assert torch.equal(model.state_dict()[name], value), name
    grid = size[0] // 4, size[1] // 4
    expected = positions if grid == (8, 32) else resize_positions(
        positions, grid)
    assert torch.equal(model.pos_embed, expected)
    assert not model.pos_embed.requires_grad
    with torch.no_grad():
        tokens = model(torch.randn(1, 3, *size))
    assert tokens.shape == (1, 1 + grid[0] * grid[1], 16)


def test_a_grid_that_is_not_known_is_asked_for():
    table = torch.zeros(1, 1 + 100, 16)
    with pytest.raises(CheckpointError, match=r'pos_grid=\(rows, columns\)'):
        resize_positions(table, (8, 64))
    with pytest.raises(CheckpointError, match=r'pos_grid=\(5, 21\) has 105'):
        resize_positions(table, (8, 64), (5, 21))
    assert resize_positions(table, (8, 64), (5, 20)).shape == (1, 513, 16)


def test_an_encoder_with_more_in_it_is_another_encoder(tmp_path):
    """Layer scale, say: without it the encoder computes something else."""
    model = TextViT(VIT['arch'], img_size=(8, 32))
    path = tmp_path / 'mae.pth'
    more = {'head.bias': torch.ones(1), 'decoder_more.bias': torch.ones(1)}
    torch.save({'model': {**weights_of('mae'), **more}}, path)
    assert load_encoder_weights(model, str(path)).is_full
    more['blocks.0.ls1.gamma'] = torch.ones(12)
    torch.save({'model': {**weights_of('mae'), **more}}, path)
    with pytest.raises(CheckpointError, match='unexpected: blocks.0.ls1'):
        load_encoder_weights(model, str(path))


def test_an_encoder_that_is_not_finite_is_refused(saved, tmp_path):
    path, _ = saved
    content = torch.load(path, weights_only=True)
    content['state_dict']['backbone.pos_embed'][0, 1, 2] = float('nan')
    torch.save(content, tmp_path / 'nan.pth')
    with pytest.raises(CheckpointError, match='not finite .*: pos_embed'):
        load_encoder_weights(vit(), str(tmp_path / 'nan.pth'))


def test_a_mask_may_be_infinite_where_the_module_has_it_so():
    module = torch.nn.Linear(2, 2)
    module.register_buffer('mask', torch.tensor([0., float('-inf')]))
    weights = dict(module.state_dict())
    refuse_not_finite(module, weights, 'x.pth')
    weights['bias'] = torch.tensor([0., float('inf')])
    with pytest.raises(CheckpointError, match='x.pth is refused, as 1 of'):
        refuse_not_finite(module, weights, 'x.pth')
