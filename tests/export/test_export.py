"""What is exported reads as the model does."""
import json
import shutil
import sys
from pathlib import Path
from typing import Any, Callable, List

import numpy as np
import onnxruntime
import pytest
import torch

from lmim.checkpoints import open_checkpoint
from lmim.export import exporting
from lmim.export.onnx_reader import OnnxTextReader, resize
from lmim.cli.export import main
from lmim.apis import TextRecognizer
from lmim.models.backbones import TextViT
from tests.apis.conftest import write_checkpoint
from tests.tool_runs import REPO

from .conftest import ARCH, Exported, config_of

Exports = Callable[[str], Exported]


@pytest.mark.parametrize('kind', ['autoregressive', 'ctc', 'parallel'])
def test_texts_and_scores_are_the_models(
        kind: str, exported: Exports, words: List[np.ndarray],
        torch_readings: Callable[[str], List[Any]]) -> None:
    done = exported(kind)
    wanted = torch_readings(kind)
    assert done.manifest['kind'] == kind
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


def test_encoder_of_bare_weights(
        exported: Exports, tmp_path: Path, words: List[np.ndarray],
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture) -> None:
    weights = open_checkpoint(exported('ctc').checkpoint).by_our_names()
    path = tmp_path / 'bare.pth'
    torch.save({'state_dict': {
        name: value for name, value in weights.items()
        if name.startswith('backbone.')}}, path)
    assert 'how many heads' in refusal(path, tmp_path, capsys)
    monkeypatch.setitem(TextViT.arch_zoo, 'mini', ARCH)
    assert main([str(path), '--output', str(tmp_path / 'out'), '--json']) == 0
    manifest = json.loads(capsys.readouterr().out)['manifest']
    assert manifest['kind'] == 'encoder' and manifest['grid'] == [1, 32]
    assert manifest['checkpoint']['config'] is False
    assert not (tmp_path / 'out/read.py').exists()
    pixels = resize(words, manifest['image'])
    session = onnxruntime.InferenceSession(str(tmp_path / 'out/encoder.onnx'))
    tokens = session.run(['tokens'], {'pixels': pixels})[0]
    model: Any = TextRecognizer(exported('ctc').checkpoint,
                                device='cpu').model
    images = torch.from_numpy(pixels[..., ::-1].copy()).permute(0, 3, 1, 2)
    with torch.no_grad():
        vit = model.backbone.vit
        wanted = vit.encode(vit.embed(images / 127.5 - 1))
    assert tokens.shape == (7, 33, 32)
    assert np.abs(tokens - wanted.numpy()).max() < 1e-4


def test_encoder_of_pretraining(tmp_path: Path) -> None:
    path = write_checkpoint(tmp_path / 'mae.pth',
                            config_of('pretraining', tmp_path))
    assert main([str(path), '--output', str(tmp_path / 'out'), '--pt2']) == 0
    assert sorted(path.name for path in (tmp_path / 'out').iterdir()) == [
        'encoder.onnx', 'encoder.pt2', 'manifest.json']


def test_a_mismatch_is_refused(
        exported: Exports, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture) -> None:
    facts = exporting.facts_of_recognizer
    monkeypatch.setattr(
        exporting, 'facts_of_recognizer',
        lambda model, cfg: facts(model, cfg)._replace(mean=(90., )))
    assert main([str(exported('ctc').checkpoint), '--output',
                 str(tmp_path / 'out')]) == 1
    said = capsys.readouterr().err
    assert 'otherwise than the model does' in said
    assert "' instead of '" in said and 'Nothing was written' in said
    assert list(tmp_path.iterdir()) == []


def test_a_mismatch_of_scores_alone_is_refused(
        exported: Exports, words: List[np.ndarray],
        torch_readings: Callable[[str], List[Any]]) -> None:
    from lmim.export.parity import compare
    from lmim.export.samples import Samples
    samples = Samples('', [str(n) for n in range(7)], words, [])
    wanted = torch_readings('ctc')
    found = OnnxTextReader(exported('ctc').folder)(words)
    assert compare(samples, wanted, found).score < 1e-5
    found[3] = found[3]._replace(score=found[3].score + 0.25)
    differs = compare(samples, wanted, found)
    assert not differs.texts and differs.score == pytest.approx(0.25, abs=1e-4)
    assert compare(samples, wanted, found, word_scores=False).score < 1e-5
    found[2] = found[2]._replace(text='?')
    assert len(compare(samples, wanted, found).texts) == 1


def test_given_samples_and_int8(
        exported: Exports, tmp_path: Path, words: List[np.ndarray],
        capsys: pytest.CaptureFixture) -> None:
    import cv2
    for number, image in enumerate(words):
        cv2.imwrite(str(tmp_path / f'{number}.png'), image)
    (tmp_path / 'broken.png').write_bytes(b'no picture')
    done = exported('autoregressive')
    command = [str(done.checkpoint), '--int8', '--output',
               str(tmp_path / 'out'), '--images',
               *map(str, sorted(tmp_path.glob('*.png')))]
    assert main(command) == 0
    told = capsys.readouterr().out
    assert 'skipped ' in told and 'broken.png' in told
    held = json.loads((tmp_path / 'out/manifest.json').read_text('utf-8'))
    assert held['precision'] == 'int8' and held['int8']['samples'] == 7
    exact = OnnxTextReader(done.folder)(words)
    rough = OnnxTextReader(tmp_path / 'out')(words)
    same = sum(one.text == other.text for one, other in zip(exact, rough))
    assert held['int8']['agreement'] == pytest.approx(same / 7)
    assert f'{same / 7:.1%} of 7 texts agree' in told
    assert held['int8']['bytes']['int8'] < held['int8']['bytes']['fp32'] * .8
    for rates in held['int8']['images_per_second'].values():
        assert rates['fp32'] > 0 and rates['int8'] > 0
    assert sorted(path.name for path in (tmp_path / 'out').iterdir()) == [
        'decoder.int8.onnx', 'encoder.int8.onnx', 'manifest.json', 'read.py']
    # Scores differ, so that not all of what is compared is the same.
    assert held['int8']['max_score_difference'] > 1e-4


def test_too_little_agreement_is_refused(
        exported: Exports, tmp_path: Path, shared_data: Path,
        capsys: pytest.CaptureFixture) -> None:
    said = refusal(
        exported('ctc').checkpoint, tmp_path, capsys, '--kind', 'encoder',
        '--int8', '--min-agreement', 1, '--images',
        shared_data / 'rec_toy_dataset/imgs')
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
        'sar_lmim-vit-mini_1xb64_rendered-labels.py')
    said = refusal(sar, tmp_path, capsys)
    assert 'ParallelSARDecoder' in said and '--kind encoder' in said
    path = exported('autoregressive').checkpoint
    assert 'leave --pt2 out' in refusal(path, tmp_path, capsys, '--pt2')
    changes = {
        'beam_width=1': {'model.decoder.beam_width': 3},
        'postprocessor to LMIMPostprocessor': {
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
    assert 'none of the 1 samples' in refusal(
        path, tmp_path, capsys, '--images', tmp_path / 'broken.png')
    monkeypatch.setitem(sys.modules, 'onnxscript', None)
    assert 'pip install "lmim[export]"' in refusal(path, tmp_path, capsys)


def test_command_line(capsys: pytest.CaptureFixture) -> None:
    with pytest.raises(SystemExit) as wrong:
        main(['x.pth', '--output', 'out', '--min-agreement', '0.9'])
    assert wrong.value.code == 2 and 'add it' in capsys.readouterr().err
    with pytest.raises(SystemExit) as wrong:
        main(['x.pth', '--output', 'out', '--int8', '--min-agreement', '99'])
    assert 'not between 0 and 1' in capsys.readouterr().err
