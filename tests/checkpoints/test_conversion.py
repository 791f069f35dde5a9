"""From every format to every other, where the other can hold it."""
from pathlib import Path
from typing import Dict

import numpy as np
import pytest
import torch
from mmocr.registry import MODELS

from lmim.checkpoints import CheckpointError, convert, extract_encoder, to_ours
from lmim.checkpoints.formats import FORMATS
from tests.checkpoints.tiny import (ENCODER, MAE, MAEREC, assert_same,
                                    checkpoint, mae, maerec, random, timm_vit,
                                    weights_of)
from tests.data.make_reference import PRETRAIN, RECOGNIZER

TARGETS = ['ours', 'mae', 'lmim-pretrain', 'lmim-finetune', 'maerec', 'timm',
           'mmpretrain']
#: '=' there and back to the bit; 'd' the encoder alone, with `drop`; 'x'
#: never. In the order of the targets.
EXPECTED = {
    'lmim-pretrain': '=d=xxdd',
    'lmim-finetune': '=dx=xdd',
    'maerec': '=dxx=dd',
    'mae': '==xxxdd',
    'timm': '==xxx==',
    'mmpretrain': '==xxx==',
    'our LMIM': '=d=xxdd',
    'our MAE': '==xxxdd',
    'our recognizer': '=dx=xdd',
    'our MAERec': '=dxx=dd',
}


@pytest.mark.parametrize('source', EXPECTED)
def test_every_pair(source: str) -> None:
    weights = weights_of(source)
    given = checkpoint(weights)
    ours = to_ours(weights)
    encoder = {name: value for name, value in ours.items()
               if name.startswith('backbone.')}
    alone = extract_encoder(given)
    assert len(encoder) == ENCODER
    assert_same(alone.checkpoint.weights, encoder)
    assert sum(map(len, alone.dropped.values())) == len(weights) - ENCODER
    for target, outcome in zip(TARGETS, EXPECTED[source]):
        kind = FORMATS[target]
        if outcome == '=':
            there = convert(given, kind)
            assert not there.dropped
            assert len(there.checkpoint.weights) == len(weights)
            assert given.kind is not None
            back = convert(checkpoint(there.checkpoint.weights), given.kind)
            assert_same(back.checkpoint.weights, weights)
            continue
        with pytest.raises(CheckpointError) as error:
            convert(given, kind)
        if outcome == 'x':
            assert f'{kind.name} needs what in.pth does' in str(
                error.value) or 'it is of another kind' in str(error.value)
            with pytest.raises(CheckpointError):
                convert(given, kind, drop=True)
            continue
        assert str(error.value).endswith('Add --drop to leave them out')
        there = convert(given, kind, drop=True)
        assert sum(map(len, there.dropped.values())) == (len(weights) -
                                                         ENCODER)
        assert_same(to_ours(there.checkpoint.weights), encoder)


@pytest.mark.parametrize('source, target, shapes', [
    ('our LMIM', 'lmim-pretrain', 'lmim-pretrain'),
    ('our recognizer', 'lmim-finetune', 'lmim-finetune'),
    ('our MAE', 'mae', mae()),
    ('our MAERec', 'maerec', maerec()),
    ('our LMIM', 'timm', timm_vit()),
    ('our LMIM', 'mmpretrain', 'mmpretrain'),
])
def test_names_and_shapes_are_the_others(source: str, target: str,
                                         shapes: Dict) -> None:
    """As the others' own files have them, of models of the same size."""
    if isinstance(shapes, str):
        shapes = {name: list(value.shape)
                  for name, value in weights_of(shapes).items()}
    written = convert(checkpoint(weights_of(source)), FORMATS[target],
                      drop=True).checkpoint
    assert {name: list(value.shape)
            for name, value in written.weights.items()} == shapes
    assert written.wraps == {'timm': '', 'maerec': 'state_dict',
                             'mmpretrain': 'state_dict'}.get(target, 'model')


@pytest.mark.parametrize('source, model', [
    ('lmim-pretrain', PRETRAIN), ('lmim-finetune', RECOGNIZER),
    ('mae', MAE), ('maerec', MAEREC)])
def test_our_modules_take_what_is_converted(source: str,
                                            model: dict) -> None:
    done = convert(checkpoint(weights_of(source)), FORMATS['ours'])
    built = MODELS.build(dict(model, _scope_='mmocr'))
    built.load_state_dict(done.checkpoint.weights)  # every name and shape
    name = 'backbone.layers.1.ffn.layers.0.0.weight'
    assert torch.equal(built.state_dict()[name],
                       done.checkpoint.weights[name])


@pytest.mark.parametrize('kind, key', [
    ('pretrain', 'lmim-pretrain'), ('recognizer', 'lmim-finetune')])
def test_weights_of_the_published_code(shared_reference: Path, kind: str,
                                       key: str) -> None:
    with np.load(shared_reference / f'lmim_{kind}_small.npz') as file:
        weights = {name[len('state.'):]: torch.from_numpy(file[name])
                   for name in file.files if name.startswith('state.')}
    ours = convert(checkpoint(weights), FORMATS['ours']).checkpoint
    assert ours.meta == {'converted_from': FORMATS[key].name}
    back = convert(checkpoint(ours.weights), FORMATS[key])
    assert_same(back.checkpoint.weights, weights)


def test_reasons_are_given() -> None:
    def refusal(source: str, target: str, drop: bool = False) -> str:
        with pytest.raises(CheckpointError) as error:
            convert(checkpoint(weights_of(source)), FORMATS[target], drop)
        return str(error.value)

    text = refusal('our LMIM', 'timm')
    assert 'timm ViT has no place for parts of in.pth' in text
    assert 'decoder of pre-training (neck.' in text
    assert f'... {ENCODER} in all' in text  # the teacher's
    assert 'a teacher of its kind' in refusal('mae', 'lmim-pretrain')
    assert ('a decoder of pre-training of its kind: what the file has is of '
            'another kind') in refusal('mae', 'lmim-pretrain')
    assert 'a projection of its kind' in refusal('maerec', 'lmim-finetune')
    assert 'without a projection' in refusal('lmim-finetune', 'maerec', True)


def test_an_encoder_of_another_kind_is_not_converted() -> None:
    """A ViT with layer scale computes something else."""
    weights = {**weights_of('timm'), 'blocks.0.ls1.gamma': torch.ones(12)}
    for drop in (False, True):
        with pytest.raises(CheckpointError,
                           match='does not: blocks.0.ls1.gamma'):
            convert(checkpoint(weights), FORMATS['ours'], drop)
    pieces = random({name: shape for name, shape in timm_vit().items()
                     if not name.startswith('norm.')})
    with pytest.raises(CheckpointError, match=r'not have: norm.\{p\}'):
        convert(checkpoint(pieces), FORMATS['mae'])


def test_a_classifier_is_left_out_when_told_so() -> None:
    weights = {**weights_of('timm'), 'head.weight': torch.ones(5, 12)}
    with pytest.raises(CheckpointError, match='classifier .head.weight'):
        convert(checkpoint(weights), FORMATS['ours'])
    done = convert(checkpoint(weights), FORMATS['ours'], drop=True)
    assert done.dropped == {'classifier': ['head.weight']}
    assert len(done.checkpoint.weights) == ENCODER


def test_models_of_mmpretrain_with_a_classifier() -> None:
    weights = {f'backbone.{name}': value
               for name, value in weights_of('mmpretrain').items()}
    weights['head.layers.head.bias'] = torch.ones(5)
    given = checkpoint(weights)
    assert given.kind is not None
    assert given.kind.name == 'mmpretrain ViT with a classifier'
    done = convert(given, FORMATS['timm'], drop=True)
    assert set(done.checkpoint.weights) == set(timm_vit())


def test_unknown_names_are_said() -> None:
    given = checkpoint(weights_of('mae'), kind=None)
    with pytest.raises(CheckpointError, match='--to same keeps them'):
        convert(given, FORMATS['ours'])
