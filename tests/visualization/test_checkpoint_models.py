"""Models from checkpoints of several formats."""
import pytest
import torch

from lmim.checkpoints import (FORMATS, CheckpointError, convert,
                              open_checkpoint, write_checkpoint)
from lmim.visualization.checkpoint_models import load_pretrained, load_vit
from tests.tool_runs import mini_config
from tests.visualization.conftest import small_model


def test_all_weights_are_loaded(checkpoints):
    model = load_pretrained(checkpoints['lmim'])
    wanted = small_model('lmim').state_dict()
    found = model.state_dict()
    assert wanted.keys() == found.keys()
    assert all(torch.equal(found[name], wanted[name]) for name in wanted)
    assert not model.training


def test_the_teacher_is_asked_for_where_it_lacks(checkpoints, tmp_path):
    opened = open_checkpoint(checkpoints['lmim'])
    bare = tmp_path / 'bare.pth'
    write_checkpoint(opened._replace(weights={
        name: value for name, value in opened.weights.items()
        if not name.startswith('target_generator.')}), bare)
    with pytest.raises(CheckpointError, match='--target-checkpoint FILE'):
        load_pretrained(bare)
    model = load_pretrained(bare, target_checkpoint=checkpoints['mae'])
    teacher = model.target_generator.encoder.state_dict()
    wanted = small_model('mae').backbone.state_dict()
    assert all(torch.equal(teacher[name], wanted[name]) for name in teacher)


def test_what_rebuilds_nothing_is_refused(checkpoints):
    with pytest.raises(CheckpointError, match='take a checkpoint of pre-tr'):
        load_pretrained(checkpoints['recognizer'])
    with pytest.raises(CheckpointError, match='--config CONFIG'):
        load_pretrained(checkpoints['mae'], mini_config('pretrain/lmim'))


def test_encoder_of_a_file_without_config(checkpoints, tmp_path):
    """Of MAE's format: the shape is read off the weights."""
    opened = open_checkpoint(checkpoints['mae'])
    kind = next(each for each in FORMATS if each.key == 'mae')
    theirs = tmp_path / 'theirs.pth'
    write_checkpoint(convert(opened._replace(meta={}), kind).checkpoint,
                     theirs)
    images = torch.randn(1, 3, 32, 128)
    encoder = load_vit(theirs)
    assert (encoder.grid, encoder.layers[0].attn.num_heads) == ((1, 32), 4)
    with torch.no_grad():
        torch.testing.assert_close(
            encoder(images), small_model('mae').extract_feat(images))
    with pytest.raises(CheckpointError, match='carries no config'):
        load_pretrained(theirs)
    model = load_pretrained(theirs, mini_config('pretrain/mae'))
    assert torch.equal(model.neck.mask_token,
                       small_model('mae').neck.mask_token)


def test_positions_that_fit_no_picture_ask_for_a_config(checkpoints,
                                                        tmp_path):
    opened = open_checkpoint(checkpoints['mae'])
    weights = dict(opened.weights)
    weights['backbone.pos_embed'] = weights['backbone.pos_embed'][:, :17]
    path = tmp_path / 'short.pth'
    write_checkpoint(opened._replace(weights=weights, meta={}), path)
    with pytest.raises(CheckpointError, match='positions for 16 patches'):
        load_vit(path)
