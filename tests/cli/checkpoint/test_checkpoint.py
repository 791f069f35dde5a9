"""`lmim checkpoint`, as a user types it."""
from functools import partial
from pathlib import Path
from typing import Any, Dict, List

import pytest
import torch
from mmengine.config import Config

from lmim.checkpoints import open_checkpoint
from lmim.apis.loading import build_model
from lmim.cli.checkpoint import main
from tests import tool_runs
from tests.apis.conftest import write_checkpoint
from tests.checkpoints.tiny import ENCODER, assert_same, weights_of
from tests.good_runs import RECOGNIZER, recognizing
from tests.tool_runs import mini_config, run_tool

pytestmark = pytest.mark.usefixtures('nothing_lost')


call = partial(tool_runs.call, main)


def result(*args: Any) -> Dict[str, Any]:
    """Run the command; what it did."""
    done = tool_runs.call_json(main, *args)
    assert done['code'] == 0, done
    return done


def save(path: Path, kind: str, **more: Any) -> Path:
    """A file with weights of a format."""
    torch.save({'model': weights_of(kind), **more}, path)
    return path


def test_inspect_a_run(room: Path, repo: Path) -> None:
    path = room / 'recognizer' / 'epoch_2.pth'
    configs = repo / 'configs'
    about = result('inspect', path, '--configs',
                   configs / 'textrecog/transformer')
    assert about['ok'] and about['format'] == 'ours'
    assert about['encoder'] == {
        'embed_dims': 128, 'num_layers': 4, 'patch_size': [32, 4],
        'num_patches': 32, 'feedforward_channels': 512, 'num_heads': 4,
        'img_size': [32, 128], 'grid': [1, 32]}
    assert about['text_decoder'] == {
        'classes': 97, 'embedded': 98, 'embed_dims': 128, 'num_layers': 2}
    # 4 + 12 a block + 2, of 4 blocks.
    assert about['parts']['encoder']['tensors'] == 54
    assert about['parts']['projection'] == {
        'tensors': 4, 'values': 128 * 128 + 3 * 128,
        'bytes': 4 * (128 * 128 + 3 * 128)}
    assert about['told']['epoch'] == 2
    assert {'optimizer', 'message_hub'} <= set(about['also_in_it'])
    assert about['config'] and about['dictionary'] == 94
    # Its dictionary is made of data that are not here.
    unread, = about['fits']['unread'].items()
    assert 'chinese' in unread[0] and 'dictionary' in unread[1]
    names = [Path(found).name for found in about['fits']['whole']]
    assert RECOGNIZER.name in names
    assert about['keys']['backbone.pos_embed'] == {
        'shape': [1, 33, 128], 'dtype': 'float32'}
    words = call('inspect', path, '--configs', configs / 'pretrain/mae').stdout
    assert ('encoder: 4 layers of 128 channels, feed-forward 512; 32 patches '
            'of 32x4 (height x width)\n  by the config: 4 heads, 1x32 patches '
            'of images of 32x128') in words
    assert f'its encoder fits {mini_config("pretrain/mae")}' in words
    assert 'epoch: 2' in words


def test_probe_what_was_pretrained(room: Path) -> None:
    """Of random pictures of no letters, on words that are drawn."""
    path = room / 'lmim' / 'epoch_2.pth'
    found = result('probe', path, '-n', 24)
    assert found['words'] == 24
    assert found['cls_norm'] == pytest.approx(128**0.5, rel=0.05)
    assert 0 < found['cls_relative'] < 1.1
    assert 1 < found['cls_rank'] < found['patch_rank'] < 128
    assert 0 <= found['character_accuracy'] <= 1
    for name in ('target', 'pred'):
        assert found[f'{name}_picture'] + found[
            f'{name}_within'] == pytest.approx(1)
    # A fine-tuned encoder has no target; its words have labels, or not.
    path, data = room / 'recognizer' / 'epoch_2.pth', room / 'words.lmdb'
    words = call('probe', path, '--data', data)
    assert words.code == 0, words.stderr
    assert 'over 8 words\n[CLS]: standard deviation' in words.stdout
    assert 'a linear probe reads' in words.stdout
    assert 'target' not in words.stdout
    # Of noise, and of letters that are taken to be of equal width.
    assert "on its own letter's columns" in words.stdout
    unlabelled = call('probe', path, '--data', data, '--unlabelled')
    assert unlabelled.code == 0 and 'probe reads' not in unlabelled.stdout
    assert 'columns' not in unlabelled.stdout


def test_probe_halves_and_attention(tmp_path: Path, repo: Path) -> None:
    """Of random weights: as little as chance, or not much more."""
    config = (repo / 'configs/pretrain/darling'
              / 'darling_vit-mini_1xb64_rendered.py')
    path = write_checkpoint(tmp_path / 'darling.pth', config)
    found = result('probe', path, '-n', 40)
    for half in ('style', 'content', 'chance'):
        for name in ('character', 'font', 'tone'):
            assert 0 <= found[f'{half}_{name}'] <= 1
    config = (repo / 'configs/textrecog/siga'
              / 'siga_vit-mini_1xb64_rendered-labels.py')
    path = write_checkpoint(tmp_path / 'siga.pth', config)
    share = result('probe', path, '-n', 40)['attention_correctness']
    # A word of 3 to 6 letters.
    assert 0.05 < share < 0.5


def test_probe_painted_letters(tmp_path: Path, repo: Path,
                               room: Path) -> None:
    config = repo / 'configs/pretrain/odm/odm_vit-mini_1xb64_rendered.py'
    path = write_checkpoint(tmp_path / 'odm.pth', config)
    found = result('probe', path, '-n', 8)
    for kind in ('placed', 'level'):
        assert found[f'{kind}_iou_blank'] == 0
        for how in ('', '_told', '_mean'):
            best = found[f'{kind}_iou{how}_best']
            assert 0 <= found[f'{kind}_iou{how}'] <= best < 1 and best > 0
    # Labels tell no places.
    words = call('probe', path, '--data', room / 'words.lmdb')
    assert words.code == 0, words.stderr
    assert 'plain letters, level: IoU' in words.stdout
    assert 'in their places' not in words.stdout


def test_inspect_a_recognizer_of_mmocr(tmp_path: Path, repo: Path) -> None:
    """Its encoder is a part of its backbone."""
    config = (repo / 'configs/textrecog/crnn'
              / 'crnn_vit-mini_1xb64_rendered-labels.py')
    path = tmp_path / 'crnn.pth'
    model = build_model(Config.fromfile(config).model.to_dict(), empty=False)
    torch.save({'state_dict': model.state_dict()}, path)
    about = result('inspect', path, '--configs', config.parent)
    assert about['format'] == 'feature-map'
    assert about['encoder']['num_layers'] == 4
    assert about['fits']['whole'] == [str(config)]
    told = call('convert', path, tmp_path / 'with.pth', '--to',
                'feature-map', '--config', config)
    assert told.code == 0, told.stderr


def test_inspect_what_is_damaged_or_unknown(tmp_path: Path) -> None:
    path = tmp_path / 'in.pth'
    weights = weights_of('timm')
    weights['norm.bias'][3] = float('nan')
    torch.save(weights, path)
    told = call('inspect', path, '--configs', tmp_path / 'none')
    assert told.code == 1 and 'NOT FINITE: norm.bias' in told.stdout
    assert 'timm ViT, 30 tensors' in told.stdout
    assert 'no configs were tried' in told.stdout
    torch.save({'conv.weight': torch.ones(2, 1)}, path)
    (tmp_path / 'configs').mkdir()
    (tmp_path / 'configs' / 'bad.py').write_text("model = dict(type='No')")
    told = call('inspect', path, '--keys', '--configs', tmp_path / 'configs')
    assert told.code == 0
    assert 'no format that is known, 1 tensors of 2 values' in told.stdout
    assert 'conv.weight  (2, 1) float32' in told.stdout
    assert 'bad.py: ' in told.stdout and 'No is not in' in told.stdout


def test_convert_there_and_back(tmp_path: Path) -> None:
    source = save(tmp_path / 'in.pth', 'lmim-pretrain', optimizer={},
                  epoch=9)
    ours, back = tmp_path / 'ours.pth', tmp_path / 'back.pth'
    done = result('convert', source, ours, '--to', 'ours')
    assert done['input']['format'] == 'lmim-pretrain'
    assert done['output']['format'] == 'ours'
    assert done['output']['tensors'] == done['input']['tensors']
    assert done['not_taken_over'] == ['optimizer', 'epoch']
    result('convert', ours, back, '--to', 'lmim-pretrain')
    content = torch.load(back, weights_only=True)
    assert_same(content['model'], weights_of('lmim-pretrain'))
    assert content['meta']['epoch'] == 9
    told = call('convert', source, ours, '--to', 'ours')
    assert told.code == 1 and '--overwrite' in told.stderr
    told = call('convert', source, ours, '--to', 'timm', '--overwrite')
    assert told.code == 1 and 'Add --drop' in told.stderr
    assert 'teacher (model_maeenc_momentum.cls_token' in told.stderr
    assert open_checkpoint(ours).kind.key == 'ours'  # as it was
    told = call('convert', source, ours, '--to', 'timm', '--overwrite',
                '--drop')
    assert told.code == 0 and 'left out: teacher' in told.stdout
    assert len(torch.load(ours, weights_only=True)) == ENCODER


def test_a_file_with_everything(room: Path, tmp_path: Path) -> None:
    """Config and dictionary go along, and MMEngine reads it."""
    pytest.importorskip('safetensors')
    path, own = room / 'recognizer' / 'epoch_2.pth', tmp_path / 'own.pth'
    for target in (tmp_path / 'all.safetensors', own):
        done = result('convert', path, target)
        assert done['output']['config']
        assert done['output']['dictionary'] == 94
    read = open_checkpoint(tmp_path / 'all.safetensors')
    assert_same(read.weights, open_checkpoint(path).weights)
    assert read.model_config() == open_checkpoint(path).model_config()
    outcome = run_tool('test.py', room, RECOGNIZER,
                       tmp_path / 'all.safetensors', '--work-dir', tmp_path,
                       options=recognizing(room))
    assert outcome.code == 0, outcome.stderr


def test_a_config_must_fit(tmp_path: Path) -> None:
    source = save(tmp_path / 'in.pth', 'lmim-finetune')
    told = call('convert', source, tmp_path / 'out.pth', '--to', 'ours',
                '--config', RECOGNIZER)
    assert told.code == 1 and 'is not the config of' in told.stderr
    assert 'mismatched: ' in told.stderr and '`inspect` tells' in told.stderr
    assert not (tmp_path / 'out.pth').exists()


def test_extract_and_average(room: Path, tmp_path: Path) -> None:
    runs = [room / 'lmim' / f'epoch_{epoch}.pth' for epoch in (1, 2)]
    mean, encoder = tmp_path / 'mean.pth', tmp_path / 'encoder.pth'
    done = result('average', *runs, mean)
    assert done['from_last'] == [] and done['output']['config']
    first, second, both = (open_checkpoint(path).weights
                           for path in (*runs, mean))
    name = 'backbone.layers.0.attn.qkv.weight'
    assert not torch.equal(first[name], second[name])
    expected = (first[name].double() + second[name].double()) / 2
    assert torch.equal(both[name], expected.float())
    done = result('extract', mean, encoder)
    assert done['output']['tensors'] == 54
    assert set(done['dropped']) == {'teacher', 'decoder of pre-training'}
    outcome = run_tool('train.py', room, RECOGNIZER, '--work-dir', tmp_path,
                       options=recognizing(room, **{
                           'model.backbone.init_cfg.checkpoint': encoder}))
    assert outcome.code == 0, outcome.stderr
    told = call('average', runs[0], mean)
    assert told.code == 1 and '--overwrite' in told.stderr


def test_another_dictionary(room: Path, tmp_path: Path) -> None:
    path, new = room / 'recognizer' / 'epoch_2.pth', tmp_path / 'new.pth'
    characters: List[str] = list('zA中文1')
    names = tmp_path / 'names.txt'
    names.write_text('\n'.join(characters), encoding='utf-8')
    done = result('resize-dictionary', path, new, '--dict', names)
    assert done['carried'] == ['z', 'A', '1'] and done['new'] == ['中', '文']
    assert len(done['dropped']) == 91
    assert done['tensors']['decoder.classifier.weight'] == {
        'before': [97, 128], 'after': [8, 128]}
    read = open_checkpoint(new)
    assert read.characters() == characters
    model = read.model_config()
    assert model is not None
    assert model['decoder']['dictionary']['dict_file'] == str(names)
    # The result is a dictionary that can be changed again, without files.
    names.unlink()
    fewer = tmp_path / 'fewer.txt'
    fewer.write_text('文\nz', encoding='utf-8')
    told = call('resize-dictionary', new, tmp_path / 'b.pth', '--dict', fewer)
    assert told.code == 0, told.stderr
    assert 'carried: 2 characters  文z' in told.stdout
    assert 'tokens kept: <EOS>, <PAD>, <UKN>' in told.stdout
    assert 'decoder.trg_word_emb.weight: [9, 128] -> [6, 128]' in told.stdout


def test_what_is_not_told_is_asked_for(tmp_path: Path) -> None:
    source = save(tmp_path / 'in.pth', 'lmim-finetune')
    words = tmp_path / 'words.txt'
    words.write_text('a\nb')

    def refusal(*args: Any) -> str:
        told = call('resize-dictionary', source, tmp_path / 'out.pth', *args)
        assert told.code == 1 and not (tmp_path / 'out.pth').exists()
        return told.stderr

    assert 'carries no config of a model: name the one' in refusal(
        '--dict', words, '--old-dict', words)
    config = tmp_path / 'config.py'
    config.write_text("model = dict(dictionary=dict(dict_file='nowhere.txt'))")
    assert 'name it with --old-dict' in refusal('--dict', words, '--config',
                                                config)
    assert 'dictionary nowhere.txt does not exist' in refusal(
        '--dict', 'nowhere.txt')
    words.write_text('a\na')
    assert 'words.txt is no dictionary' in refusal('--dict', words)
    words.write_text('')
    assert 'is empty' in refusal('--dict', words)
