"""Another dictionary: what was learnt goes by character."""
from copy import deepcopy
from pathlib import Path
from typing import Any, Dict, List

import numpy as np
import pytest
import torch
from mmengine.structures import LabelData
from mmocr.registry import MODELS
from mmocr.structures import TextRecogDataSample

from lmim.apis.resizing import _carry, _class_dims, resize_dictionary
from lmim.checkpoints import CheckpointError
from lmim.checkpoints.contents import Checkpoint
from tests.checkpoints.tiny import checkpoint, random
from tests.data.make_reference import RECOGNIZER, VIT

OLD, NEW = list('abcd'), list('dxbyz')


def with_dictionary(path: Path, **changes: Any) -> Dict[str, Any]:
    """The tiny recognizer, with this dictionary file."""
    model: Any = deepcopy(RECOGNIZER)
    model['decoder']['dictionary']['dict_file'] = str(path)
    return {**model, **changes}


def trained(model: Dict[str, Any]) -> Dict[str, torch.Tensor]:
    """Weights that a model has."""
    built = MODELS.build(dict(model, _scope_='mmocr'))
    return random({name: list(value.shape)
                   for name, value in built.state_dict().items()})


@pytest.fixture
def model(tmp_path: Path) -> Dict[str, Any]:
    path = tmp_path / 'old.txt'
    path.write_text('\n'.join(OLD))
    return with_dictionary(path)


def test_rows_go_by_character(model: Dict[str, Any]) -> None:
    weights = trained(model)
    done = resize_dictionary(checkpoint(weights), model, OLD, NEW)
    result = done.checkpoint.weights
    assert (done.carried, done.new, done.dropped) == (
        ['d', 'b'], ['x', 'y', 'z'], ['a', 'c'])
    assert done.tokens == ['<EOS>', '<PAD>', '<UKN>']
    assert done.tensors == {
        'decoder.classifier.bias': ([7], [8]),
        'decoder.classifier.weight': ([7, 16], [8, 16]),
        'decoder.trg_word_emb.weight': ([8, 16], [9, 16]),
    }
    # New place: old place. Classes 4 to 6 were end, padding and unknown, and
    # row 7 of the embedding the start.
    places = {0: 3, 2: 1, 5: 4, 6: 5, 7: 6, 8: 7}
    for name in done.tensors:
        for new, old in places.items():
            if new < len(result[name]):
                assert torch.equal(result[name][new], weights[name][old])
    for name, value in weights.items():
        if name not in done.tensors:
            assert torch.equal(result[name], value), name
    assert done.checkpoint.meta['dictionary']['characters'] == NEW
    assert done.checkpoint.meta['dictionary']['with_padding'] is True
    # As many other characters: shapes do not change, and rows do.
    done = resize_dictionary(checkpoint(weights), model, OLD, list('dcba'))
    for name in done.tensors:
        found, old = done.checkpoint.weights[name], weights[name]
        assert torch.equal(found[:4], old[:4].flip(0))
        assert torch.equal(found[4:], old[4:])


def test_new_rows_are_those_of_a_new_model(model: Dict[str, Any]) -> None:
    weights = trained(model)
    one, same, other = (
        resize_dictionary(checkpoint(weights), model, OLD, NEW, seed)
        .checkpoint.weights for seed in (0, 0, 1))
    name = 'decoder.classifier.weight'
    assert torch.equal(one[name], same[name])
    assert not torch.equal(one[name][1], other[name][1])
    # Xavier-uniform, of 16 channels and 8 classes, and biases of 0.
    assert 0 < one[name][1].abs().max() <= (6 / (16 + 8))**0.5
    assert one['decoder.classifier.bias'][[1, 3, 4]].tolist() == [0, 0, 0]


def test_a_head_of_glyphs_learns_the_new_characters(
        model: Dict[str, Any], tmp_path: Path) -> None:
    """What reads its glyphs goes by character, too, and trains on."""
    cfg: Dict[str, Any] = dict(
        model, type='GlyphAttentionRecognizer', glyph_head=dict(
            type='GlyphAttentionHead', segmentation=dict(
                type='GlyphSegmentation', taps=(1, 2), embed_dims=8,
                tap_dims=6, out_dims=8)))
    weights = trained(cfg)
    done = resize_dictionary(checkpoint(weights), cfg, OLD, NEW)
    assert done.tensors['glyph_head.reader.bias'] == ([7], [8])
    result = done.checkpoint.weights
    for name in ('glyph_head.reader.weight', 'glyph_head.reader.bias'):
        assert torch.equal(result[name][[0, 2, 5]], weights[name][[3, 1, 4]])
    path = tmp_path / 'new.txt'
    path.write_text('\n'.join(NEW))
    cfg['decoder']['dictionary']['dict_file'] = str(path)
    cfg['decoder']['module_loss'] = dict(type='WordLoss')
    built: Any = MODELS.build(dict(cfg, _scope_='mmocr'))
    built.load_state_dict(result)
    sample = TextRecogDataSample(
        gt_text=LabelData(item='xyz'),
        metainfo=dict(glyph_map=np.eye(8, 32, dtype=np.uint8)))
    losses = built.loss(torch.zeros(1, 3, 8, 32),
                        built.decoder.module_loss.get_targets([sample]))
    losses['loss_read'].backward()
    # x, y and z are learnt, which are in the second, fourth and fifth row.
    learnt = built.glyph_head.reader.bias.grad < 0
    assert learnt.nonzero().flatten().tolist() == [1, 3, 4]


def test_ctc(model: Dict[str, Any], tmp_path: Path) -> None:
    """CRNN's decoder: the blank is the padding."""
    ctc = dict(
        type='EncoderDecoderRecognizer',
        backbone=VIT,
        decoder=dict(
            type='CRNNDecoder', in_channels=12, rnn_flag=False,
            dictionary=dict(type='Dictionary', with_padding=True,
                            dict_file=str(tmp_path / 'old.txt'))),
        data_preprocessor=dict(type='TextRecogDataPreprocessor'))
    weights = trained(ctc)
    done = resize_dictionary(checkpoint(weights), ctc, OLD, NEW)
    [name] = [name for name in done.tensors if name.endswith('weight')]
    assert done.tensors[name][0][0] == 5 and done.tokens == ['<PAD>']
    assert torch.equal(done.checkpoint.weights[name][[0, 2, 5]],
                       weights[name][[3, 1, 4]])


def test_columns_and_rows() -> None:
    """ABINet's language model has a column for each character."""
    assert _class_dims({'p': [6, 5], 'q': [5], 'r': [9]},
                       {'p': [6, 6], 'q': [6], 'r': [9]}) == {'p': 1, 'q': 0}
    classes: List[List[str]] = [['a', 'b', '<E>']]
    after = [['b', 'c', 'd', '<E>']]
    value = torch.arange(6.).reshape(2, 3)
    assert _carry(value, torch.zeros(2, 4), 1, classes, after).tolist() == [
        [1, 0, 0, 2], [4, 0, 0, 5]]
    with pytest.raises(CheckpointError, match='cannot be told'):
        _class_dims({'p': [6, 5]}, {'p': [7, 6]})
    with pytest.raises(CheckpointError, match='no dictionary has as many'):
        _carry(value, torch.zeros(2, 4), 1, [['a']], [['b']])


def test_what_does_not_fit_is_refused(model: Dict[str, Any]) -> None:
    weights = trained(model)
    with pytest.raises(CheckpointError) as error:
        resize_dictionary(checkpoint(weights), model, list('abcde'), NEW)
    assert 'a dictionary of 5 characters' in str(error.value)
    assert 'decoder.classifier.bias ((7,) in the file, (8,)' in str(
        error.value)
    assert '--old-dict' in str(error.value)
    with pytest.raises(CheckpointError, match='of no recognizer'):
        resize_dictionary(Checkpoint('x', weights, {}), VIT, OLD, NEW)
