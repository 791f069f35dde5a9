"""Models from checkpoints: all weights or none, nothing executed."""
from pathlib import Path
from typing import Any, Callable, Dict

import pytest
import torch
from mmengine.config import Config

from lmim.checkpoints import (FORMATS, CheckpointError, convert,
                              open_checkpoint, write_checkpoint)
from lmim.apis import (TextRecognizer, load_encoder, load_pretrained,
                       load_recognizer)
from lmim.models.layers.cpu_kernels import CPULinear
from tests.checkpoints.tiny import weights_of
from tests.data.make_reference import RECOGNIZER
from tests.tool_runs import REPO, mini_config

CONFIG = mini_config('textrecog/transformer')
Make = Callable[[str], Path]
POST = dict(type='WordScorePostprocessor', ignore_chars=['padding', 'unknown'])
TINY: Dict[str, Any] = dict(
    RECOGNIZER, decoder=dict(RECOGNIZER['decoder'], postprocessor=POST))


def changed(checkpoint: Path, to: Path, **meta: Any) -> Path:
    """A checkpoint with something else in its ``meta``; None is left out."""
    held = torch.load(checkpoint)
    held['meta'].update(meta)
    held['meta'] = {k: v for k, v in held['meta'].items() if v is not None}
    torch.save(held, to)
    return to


def write_config(path: Path, model: Dict[str, Any], rest: str = '') -> Path:
    """A config file of a model."""
    path.write_text(f"custom_imports = dict(imports=['lmim'])\n"
                    f'model = {model!r}\n{rest}')
    return path


def test_all_weights_are_the_files(checkpoint: Path) -> None:
    model, cfg = load_recognizer(checkpoint)
    held = torch.load(checkpoint)['state_dict']
    assert model.state_dict().keys() == held.keys()
    for name, value in model.state_dict().items():
        assert torch.equal(value, held[name]), name
    assert not model.training
    assert isinstance(cfg, Config) and cfg.model.backbone.arch == 'mini'
    other, _ = load_recognizer(checkpoint, CONFIG)
    assert torch.equal(other.decoder.classifier.weight,
                       model.decoder.classifier.weight)


def test_the_file_alone_is_enough(checkpoint: Path, tmp_path: Path,
                                  images: Any) -> None:
    """Where neither config nor dictionary are, and characters of its own."""
    letters = [chr(0x4e00 + n) for n in range(94)]
    text = torch.load(checkpoint)['meta']['cfg']
    path = changed(
        checkpoint, tmp_path / 'alone.pth',
        cfg=text.replace(str(REPO), '/nowhere'),
        dictionary=dict(characters=letters, with_end=True))
    recognizer = TextRecognizer(path, device='cpu')
    assert recognizer.characters == letters
    plain = TextRecognizer(checkpoint, device='cpu')
    there = dict(zip(plain.characters, letters))
    for word, other in zip(plain(images), recognizer(images)):
        assert ''.join(there[char] for char in word.text) == other.text


def test_formats_of_others_need_a_config(tmp_path: Path, images: Any) -> None:
    path = tmp_path / 'published.pth'
    torch.save({'model': weights_of('lmim-finetune')}, path)
    with pytest.raises(CheckpointError, match=r'--config CONFIG') as error:
        load_recognizer(path)
    assert 'LMIM fine-tuned (authors)' in str(error.value)
    config = write_config(tmp_path / 'tiny.py', TINY)
    recognizer = TextRecognizer(path, config, device='cpu')
    # The config says nothing of preprocessing: the encoder's size is taken.
    prepared = recognizer.prepare(images)
    assert {tuple(x.shape) for x in prepared['inputs']} == {(3, 8, 32)}
    assert all(len(word.text) == len(word.char_scores)
               for word in recognizer(images))
    ours = tmp_path / 'ours.pth'
    torch.save({'state_dict': weights_of('our recognizer')}, ours)
    load_recognizer(ours, config)


def assert_holds(model: torch.nn.Module, weights: Dict[str, torch.Tensor],
                 prefix: str = '') -> None:
    """The module has these weights, and is ready and quick to be used."""
    assert any(type(part) is CPULinear for part in model.modules())
    for name, value in model.state_dict().items():
        assert torch.equal(value, weights[prefix + name]), name
    assert not model.training


def test_models_of_pretraining(make_checkpoint: Make, tmp_path: Path) -> None:
    path, mae = map(make_checkpoint, ('pretrain/lmim', 'pretrain/mae'))
    opened = open_checkpoint(path)
    assert_holds(load_pretrained(path), opened.weights)
    with pytest.raises(CheckpointError, match='take a checkpoint of pre-tr'):
        load_pretrained(make_checkpoint('textrecog/transformer'))
    with pytest.raises(CheckpointError, match='--config CONFIG'):
        load_pretrained(mae, mini_config('pretrain/lmim'))
    bare = tmp_path / 'bare.pth'
    weights = {name: value for name, value in opened.weights.items()
               if not name.startswith('target_generator.')}
    write_checkpoint(opened._replace(weights=weights), bare)
    with pytest.raises(CheckpointError, match='--target-checkpoint FILE'):
        load_pretrained(bare)
    model: Any = load_pretrained(bare, target_checkpoint=mae)
    assert_holds(model.target_generator.encoder, open_checkpoint(mae).weights,
                 'backbone.')
    assert torch.equal(model.neck.mask_token, weights['neck.mask_token'])


@pytest.mark.parametrize('folder', ['pretrain/mae', 'textrecog/transformer',
                                    'textrecog/crnn'])
def test_encoders_by_their_config(make_checkpoint: Make, folder: str) -> None:
    path = make_checkpoint(folder)
    assert_holds(load_encoder(path), open_checkpoint(path).by_our_names(),
                 'backbone.')


def test_encoders_by_their_weights(make_checkpoint: Make,
                                   tmp_path: Path) -> None:
    """Formats of others carry no config: sizes are read off the weights."""
    mae = open_checkpoint(make_checkpoint('pretrain/mae'))
    path, images = tmp_path / 'theirs.pth', torch.randn(1, 3, 32, 128)
    with torch.no_grad():
        expected = load_encoder(mae)(images)
    for key in ('mae', 'timm', 'mmpretrain'):
        theirs = convert(mae._replace(meta={}), FORMATS[key], drop=True)
        write_checkpoint(theirs.checkpoint, path, overwrite=True)
        encoder = load_encoder(path)
        assert (encoder.grid, encoder.layers[0].attn.num_heads) == ((1, 32), 4)
        with torch.no_grad():
            assert torch.equal(encoder(images), expected)
    with pytest.raises(CheckpointError, match='carries no config'):
        load_pretrained(path)
    assert_holds(load_encoder(path, mini_config('pretrain/mae')), mae.weights,
                 'backbone.')


def test_sizes_that_weights_do_not_tell(make_checkpoint: Make,
                                        tmp_path: Path) -> None:
    mae = open_checkpoint(make_checkpoint('pretrain/mae'))._replace(meta={})
    short = dict(mae.weights)
    short['backbone.pos_embed'] = short['backbone.pos_embed'][:, :17]
    for weights, message in (
            (short, 'positions for 16 patches of 32x4'),
            (weights_of('timm'), 'how many heads .*--config CONFIG'),
            ({'conv.weight': torch.ones(1)}, 'no encoder that is known')):
        path = tmp_path / 'weights.pth'
        torch.save(weights, path)
        with pytest.raises(CheckpointError, match=message):
            load_encoder(path)
    config = write_config(tmp_path / 'crnn.py', dict(
        type='CRNN', backbone=dict(type='MiniVGG')))
    with pytest.raises(CheckpointError, match='is MiniVGG, and not a TextViT'):
        load_encoder(path, config)


@pytest.mark.parametrize('model, message', [
    (dict(TINY, backbone=dict(TINY['backbone'], img_size=(8, 128))),
     'pos_embed'),
    (dict(TINY, decoder=dict(TINY['decoder'], num_layers=3)),
     'missing: decoder.layer_stack.2'),
    (dict(TINY, type='Nonsense'), 'Nonsense is not in the mmocr::model'),
    (dict(TINY, decoder=dict(TINY['decoder'], speed=3)), 'speed'),
    (dict(TINY['backbone']), 'TextViT, which reads no text'),
])
def test_configs_that_do_not_match(tmp_path: Path, model: Dict[str, Any],
                                   message: str) -> None:
    path = tmp_path / 'ours.pth'
    torch.save({'state_dict': weights_of('our recognizer')}, path)
    config = write_config(tmp_path / 'other.py', model)
    with pytest.raises(CheckpointError) as error:
        load_recognizer(path, config)
    assert message in str(error.value) and str(config) in str(error.value)


def test_what_is_missing_is_named(checkpoint: Path, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match='nope.pth does not exist'):
        load_recognizer(tmp_path / 'nope.pth')
    with pytest.raises(FileNotFoundError, match='nope.py does not exist'):
        load_recognizer(checkpoint, tmp_path / 'nope.py')
    text = torch.load(checkpoint)['meta']['cfg']
    path = changed(checkpoint, tmp_path / 'bare.pth', dictionary=None,
                   cfg=text.replace(str(REPO), '/nowhere'))
    with pytest.raises(FileNotFoundError,
                       match='carries no dictionary, and /nowhere/'):
        load_recognizer(path)
    path = changed(checkpoint, tmp_path / 'other.pth', dictionary=dict(
        characters=[chr(0x4e00 + n) for n in range(94)]))
    with pytest.raises(CheckpointError, match='texts would come out wrong'):
        load_recognizer(path, CONFIG)


def test_nothing_of_a_checkpoint_is_run(checkpoint: Path,
                                        tmp_path: Path) -> None:
    text = torch.load(checkpoint)['meta']['cfg']
    ran = tmp_path / 'ran'
    attack = f"__import__('pathlib').Path({str(ran)!r}).touch()"
    steps = {
        "dict(type='ConditionApply', condition=ATTACK, true_transforms=[])":
        "'ConditionApply'",
        "dict(type='TorchVisionWrapper', op='ColorJitter')":
        "'TorchVisionWrapper'",
        "dict(type='os.system')": "'os.system'",
        "dict(type='Resize', scale=(9, 9), _scope_='mmpretrain')": "'Resize'",
    }
    for step, named in steps.items():
        step = step.replace('ATTACK', repr(attack))
        cfg = text.replace("dict(type='PackTextRecogInputs'",
                           f"{step}, dict(type='PackTextRecogInputs'")
        cfg = cfg if step in cfg else text + (
            f'\ntest_dataloader = dict(dataset=dict(pipeline=[{step}, '
            "dict(type='PackTextRecogInputs')]))\n")
        path = changed(checkpoint, tmp_path / 'bad.pth', cfg=cfg)
        with pytest.raises(CheckpointError, match='--config CONFIG') as error:
            TextRecognizer(path, device='cpu')
        assert named in str(error.value)
    path = changed(checkpoint, tmp_path / 'bad.pth', cfg=f'{attack}\n{text}')
    with pytest.raises(CheckpointError, match='is not run'):
        TextRecognizer(path, device='cpu')
    path = changed(checkpoint, tmp_path / 'bad.pth', cfg=text.replace(
        "'lmim',", "'a_module_that_is_not_there',"))
    TextRecognizer(path, device='cpu')  # it is not imported
    assert not ran.exists()
