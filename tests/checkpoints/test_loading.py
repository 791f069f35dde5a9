"""Loading encoders: reported, and refused below a full match."""
import pytest
import torch

from lmim.checkpoints import CheckpointError, load_encoder
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
    report = load_encoder(vit(), path)
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
        load_encoder(model, saved[0])
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


def test_checkpoint_of_another_kind_is_refused(tmp_path):
    path = tmp_path / 'resnet.pth'
    torch.save({'state_dict': {'layer1.0.conv1.weight': torch.ones(1)}}, path)
    with pytest.raises(CheckpointError, match='resnet.pth holds no encoder'):
        load_encoder(vit(), str(path))


def test_an_encoder_with_more_in_it_is_another_encoder(tmp_path):
    """Layer scale, say: without it the encoder computes something else."""
    model = TextViT(VIT['arch'], img_size=(8, 32))
    path = tmp_path / 'mae.pth'
    more = {'head.bias': torch.ones(1), 'decoder_more.bias': torch.ones(1)}
    torch.save({'model': {**weights_of('mae'), **more}}, path)
    assert load_encoder(model, str(path)).is_full
    more['blocks.0.ls1.gamma'] = torch.ones(12)
    torch.save({'model': {**weights_of('mae'), **more}}, path)
    with pytest.raises(CheckpointError, match='unexpected: blocks.0.ls1'):
        load_encoder(model, str(path))
