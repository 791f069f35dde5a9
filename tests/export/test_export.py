"""What is exported reads as the model does."""
import json
import shutil
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any, Callable, List

import cv2
import numpy as np
import onnxruntime
import pytest
import torch

from lmim.checkpoints import load_encoder_weights, open_checkpoint
from lmim.cli.export import main
from lmim.export.onnx_files import check_recognizer, compare
from lmim.export.onnx_reader import OnnxTextReader, resize
from lmim.models.backbones import TextViT
from lmim.utils.errors import UserError
from tests.apis.conftest import write_checkpoint
from tests.tool_runs import REPO

from .conftest import ARCH, Exported, config_of

Exports = Callable[[str], Exported]
Reuse = Callable[[str], None]


@pytest.mark.parametrize('kind', ['autoregressive', 'ctc', 'parallel',
                                  'refined'])
def test_texts_and_scores_are_the_models(
        kind: str, exported: Exports, words: List[np.ndarray],
        torch_readings: Callable[[str], List[Any]]) -> None:
    done = exported(kind)
    wanted = torch_readings(kind)
    assert done.manifest['kind'] == kind.replace('refined', 'autoregressive')
    # It tells the pictures apart.
    assert len({round(one.char_scores[0], 4) for one in wanted}) == 7
    for size in (1, 3, 7):
        reader = OnnxTextReader(done.folder, batch_size=size)
        found = reader(words)
        assert [one.text for one in found] == [one.text for one in wanted]
        for one, other in zip(found, wanted):
            assert one.score == pytest.approx(other.score, abs=1e-5)
            assert one.char_scores == pytest.approx(other.char_scores,
                                                    abs=1e-5)


def test_manifest_tells_what_a_reader_needs(exported: Exports) -> None:
    done = exported('autoregressive')
    held = json.loads((done.folder / 'manifest.json').read_text('utf-8'))
    assert held == json.loads(json.dumps(done.manifest))
    assert len(held['classes']) == 97 and held['classes'][10] == 'a'
    assert (held['end_index'], held['start_index']) == (94, 97)
    assert held['ignored_indices'] == [95, 96] and held['max_length'] == 8
    assert held['image'] == dict(
        height=32, width=128, interpolation='bilinear', mean=[127.5] * 3,
        std=[127.5] * 3, rgb=True)
    assert held['versions']['torch'] == torch.__version__
    assert held['parity']['samples'] == 32
    assert 0 < held['parity']['max_difference'] < 1e-4
    assert sorted(path.name for path in done.folder.iterdir()) == [
        'decoder.onnx', 'encoder.onnx', 'manifest.json', 'read.py']
    pixels = onnxruntime.InferenceSession(
        str(done.folder / 'encoder.onnx')).get_inputs()[0]
    assert (pixels.type, pixels.shape) == ('tensor(uint8)',
                                           ['batch', 32, 128, 3])
    ctc = exported('ctc').manifest
    assert (ctc['blank_index'], ctc['ignored_indices']) == (94, [94])
    assert ctc['language'] == dict(
        file='language.npz', weight=.6, bonus=1.4, beams=8, candidates=4,
        least=.0025)


@pytest.mark.parametrize('kind, options', [
    ('pretraining', dict(pos_embed='grid')),
    ('rotary', dict(pos_embed='none', rotary=dict(type='MixedRotary')))])
def test_encoder_of_pretraining(exported: Exports, words: List[np.ndarray],
                                kind: str, options: dict) -> None:
    done = exported(kind)
    assert sorted(path.name for path in done.folder.iterdir()) == [
        'encoder.onnx', 'manifest.json']
    assert done.manifest['kind'] == 'encoder'
    assert done.manifest['grid'] == [1, 32]
    pixels = np.stack([resize(word, done.manifest['image'])
                       for word in words])
    session = onnxruntime.InferenceSession(str(done.folder / 'encoder.onnx'))
    tokens = session.run(['tokens'], {'pixels': pixels})[0]
    vit: Any = TextViT(ARCH, patch_size=(32, 4), **options)
    load_encoder_weights(vit, done.checkpoint)
    images = torch.from_numpy(pixels[..., ::-1].copy()).permute(0, 3, 1, 2)
    with torch.no_grad():
        wanted = vit.eval()(images / 127.5 - 1)
    assert tokens.shape == (7, 33, 32)
    assert np.abs(tokens - wanted.numpy()).max() < 1e-4


def test_encoder_of_bare_weights(
        exported: Exports, reuse_graphs: Reuse, tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture) -> None:
    reuse_graphs('pretraining')
    held = open_checkpoint(exported('pretraining').checkpoint)
    path = tmp_path / 'bare.pth'
    torch.save({'state_dict': held.weights}, path)
    assert 'how many heads' in refusal(path, tmp_path, capsys)
    monkeypatch.setitem(TextViT.arch_zoo, 'mini', ARCH)
    assert main([str(path), '--output', str(tmp_path / 'out')]) == 0
    assert 'carries no config' in capsys.readouterr().out
    assert not (tmp_path / 'out/read.py').exists()


def test_a_mismatch_is_refused(
        exported: Exports, reuse_graphs: Reuse, tmp_path: Path,
        capsys: pytest.CaptureFixture) -> None:
    """Graphs of other weights."""
    path = write_checkpoint(tmp_path / 'other.pth',
                            config_of('ctc', tmp_path), std=0.2)
    reuse_graphs('ctc')
    said = refusal(path, tmp_path, capsys)
    assert 'otherwise than the model does' in said
    assert "' instead of '" in said and 'Nothing was written' in said
    assert len(list(tmp_path.iterdir())) == 2  # no draft is left


@pytest.mark.parametrize('value, words', [
    (np.nan, '1 of its weights are not finite'),
    (3e38, "differ from the model's by up to nan"),  # which computes it
])
def test_nan_is_refused(exported: Exports, reuse_graphs: Reuse,
                        tmp_path: Path, capsys: pytest.CaptureFixture,
                        value: float, words: str) -> None:
    held = torch.load(exported('pretraining').checkpoint)
    held['state_dict']['backbone.layers.0.ln1.weight'].fill_(value)
    torch.save(held, tmp_path / 'nan.pth')
    reuse_graphs('pretraining')
    said = refusal(tmp_path / 'nan.pth', tmp_path, capsys)
    assert words in said


def test_other_scores_and_nan_are_refused(
        exported: Exports, words: List[np.ndarray],
        torch_readings: Callable[[str], List[Any]]) -> None:
    pictures = {str(n): word for n, word in enumerate(words)}
    wanted = torch_readings('ctc')
    reader = OnnxTextReader(exported('ctc').folder)
    found = reader(words)
    assert check_recognizer(lambda _: wanted, reader, pictures, True) < 1e-5
    exact = found[3]
    for score, differs in ((exact.score + .25, .25), (np.nan, np.nan)):
        found[3] = exact._replace(score=score)
        assert compare(pictures, wanted, found) == (
            [], pytest.approx(differs, abs=1e-4, nan_ok=True))
        assert compare(pictures, wanted, found, word_scores=False)[1] < 1e-5
        other = [*wanted[:3], replace(wanted[3], score=score), *wanted[4:]]
        with pytest.raises(UserError, match='0 of 7 pictures otherwise'):
            check_recognizer(lambda _, read=other: read, reader, pictures,
                             True)
    found[3] = exact._replace(char_scores=[np.nan] * len(exact.char_scores))
    assert np.isnan(compare(pictures, wanted, found)[1])
    found[2] = found[2]._replace(text='?')
    texts, _ = compare(pictures, wanted, found)
    assert texts == [f"2: '?' instead of {wanted[2].text!r}"]


def test_given_pictures_and_int8(
        exported: Exports, reuse_graphs: Reuse, tmp_path: Path,
        words: List[np.ndarray], capsys: pytest.CaptureFixture) -> None:
    for number, image in enumerate(words):
        cv2.imwrite(str(tmp_path / f'{number}.png'), image)
    (tmp_path / 'broken.png').write_bytes(b'no picture')
    done = exported('autoregressive')
    reuse_graphs('autoregressive')
    command = [str(done.checkpoint), '--int8', '--output',
               str(tmp_path / 'out'), '--images',
               *map(str, sorted(tmp_path.glob('*.png')))]
    assert main(command) == 0
    said = capsys.readouterr().out
    assert 'skipped ' in said and 'broken.png' in said
    held = json.loads((tmp_path / 'out/manifest.json').read_text('utf-8'))
    assert held['precision'] == 'int8' and held['int8']['samples'] == 7
    exact = OnnxTextReader(done.folder)(words)
    rough = OnnxTextReader(tmp_path / 'out')(words)
    same = sum(one.text == other.text for one, other in zip(exact, rough))
    assert held['int8']['agreement'] == pytest.approx(same / 7)
    assert f'{same / 7:.1%} of 7 texts agree' in said
    assert held['int8']['bytes']['int8'] < held['int8']['bytes']['fp32'] * .8
    for rates in held['int8']['images_per_second'].values():
        assert rates['fp32'] > 0 and rates['int8'] > 0
    assert sorted(path.name for path in (tmp_path / 'out').iterdir()) == [
        'decoder.int8.onnx', 'encoder.int8.onnx', 'manifest.json', 'read.py']
    # Scores differ, so that not all of what is compared is the same.
    assert held['int8']['max_score_difference'] > 1e-4


def test_too_little_agreement_is_refused(
        exported: Exports, reuse_graphs: Reuse, tmp_path: Path,
        capsys: pytest.CaptureFixture) -> None:
    path = exported('pretraining').checkpoint
    reuse_graphs('pretraining')
    said = refusal(path, tmp_path, capsys, '--int8', '--min-agreement', 1)
    assert '--min-agreement 1.0' in said and 'agrees with fp32 to 0.99' in said
    assert list(tmp_path.iterdir()) == []


def refusal(path: Path, tmp_path: Path, capsys: pytest.CaptureFixture,
            *more: Any) -> str:
    """What the tool says when it writes nothing."""
    out = tmp_path / 'refused'
    assert main([str(path), '--output', str(out), *map(str, more)]) == 1
    assert not out.exists()
    return str(capsys.readouterr().err)


def test_what_cannot_be_exported(exported: Exports, tmp_path: Path,
                                 capsys: pytest.CaptureFixture) -> None:
    sar = write_checkpoint(
        tmp_path / 'sar.pth', REPO / 'configs/textrecog/sar' /
        'sar_vit-mini_1xb64_rendered-labels.py')
    said = refusal(sar, tmp_path, capsys)
    assert 'ParallelSARDecoder' in said and '--kind encoder' in said
    path = exported('autoregressive').checkpoint
    changes = {
        'beam_width=1': {'model.decoder.beam_width': 3},
        'postprocessor to WordScorePostprocessor': {
            'model.decoder.postprocessor.type': 'CTCPostProcessor'},
        'RescaleToHeight': {
            'test_dataloader.dataset.pipeline': [
                dict(type='RescaleToHeight', height=32),
                dict(type='PackTextRecogInputs')]},
        'to 32x100, and the encoder is for 32x128': {
            'test_dataloader.dataset.pipeline': [
                dict(type='Resize', scale=(100, 32)),
                dict(type='PackTextRecogInputs')]},
    }
    for told, options in changes.items():
        config = config_of('autoregressive', tmp_path, **options)
        said = refusal(path, tmp_path, capsys, '--config', config)
        assert told in said


def test_what_is_missing(exported: Exports, tmp_path: Path,
                         monkeypatch: pytest.MonkeyPatch,
                         capsys: pytest.CaptureFixture) -> None:
    path = exported('ctc').checkpoint
    taken = tmp_path / 'taken'
    shutil.copytree(exported('ctc').folder, taken)
    assert main([str(path), '--output', str(taken)]) == 1
    assert '--overwrite' in capsys.readouterr().err
    assert 'does not exist' in refusal(tmp_path / 'no.pth', tmp_path, capsys)
    bare = tmp_path / 'bare.pth'
    torch.save({'state_dict': open_checkpoint(
        exported('autoregressive').checkpoint).weights}, bare)
    assert '--config CONFIG' in refusal(bare, tmp_path, capsys)
    (tmp_path / 'broken.png').write_bytes(b'no picture')
    assert 'none of the pictures' in refusal(
        path, tmp_path, capsys, '--images', tmp_path / 'broken.png')
    monkeypatch.setitem(sys.modules, 'onnxscript', None)
    assert 'pip install "lmim[export]"' in refusal(path, tmp_path, capsys)


def test_command_line(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    assert '--int8: add it' in refusal(tmp_path / 'x.pth', tmp_path, capsys,
                                       '--min-agreement', 0.9)
    with pytest.raises(SystemExit):
        main(['x.pth', '--output', 'out', '--int8', '--min-agreement', '99'])
    assert 'not between 0 and 1' in capsys.readouterr().err
