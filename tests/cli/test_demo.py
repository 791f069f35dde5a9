"""What is behind the page, without one."""
import sys
from contextlib import nullcontext
from pathlib import Path
from unittest import mock

import cv2
import pytest
import torch

from lmim.apis import TextRecognizer
from lmim.cli.demo import (EACH, EMPTY, Checkpoints, is_local, main,
                           make_reader, read_word, render_examples, served)
from lmim.utils.errors import CheckpointError
from tests.apis import conftest
from tests.apis.conftest import draw, png


make_checkpoint, checkpoint = conftest.make_checkpoint, conftest.checkpoint


@pytest.fixture(scope='module')
def checkpoints(checkpoint: Path) -> Checkpoints:
    return Checkpoints([checkpoint], device='cpu')


@pytest.fixture(scope='module')
def recognizer(checkpoints: Checkpoints) -> TextRecognizer:
    return checkpoints.recognizer('model.pth')


def test_a_word_is_what_the_recognizer_reads(
        recognizer: TextRecognizer) -> None:
    image = cv2.resize(draw('word'), (1500, 500))
    found, looks, _ = read_word(recognizer, png(image))
    word = recognizer([image])[0]
    assert word.text and found.text == word.text
    assert found.char_scores == pytest.approx(word.char_scores)
    # Shown small, whatever the size of the picture was.
    assert [look.shape for look in looks] == [(96, 288, 3)] * len(word.text)


def test_only_named_checkpoints_are_read(
        checkpoints: Checkpoints, checkpoint: Path, tmp_path: Path,
        caplog: pytest.LogCaptureFixture) -> None:
    read = make_reader(checkpoints)
    path = tmp_path / 'word.png'
    path.write_bytes(png(draw('word')))
    assert read('model.pth', None) == ('', EMPTY, [], [])
    text, note, pictures, _ = read('model.pth', str(path))
    word = checkpoints.recognizer('model.pth')(draw('word'))[0]
    assert text == word.text != ''
    assert note.startswith(f'Probability of the word: {word.score:.3f}. ')
    assert [caption for _, caption in pictures] == [text] + [
        f'{char} {score:.2f}'
        for char, score in zip(word.text, word.char_scores)]
    # The picture as it is, but for the boxes.
    drawn = pictures[0][0]
    orange = (drawn == (217, 95, 14)).all(axis=2)
    assert drawn.shape == (96, 256, 3) and 0.01 < orange.mean() < 0.2
    text, note, *_ = read(str(checkpoint), str(path))
    assert not text and 'cannot be loaded' in note
    assert 'There is no checkpoint' in caplog.text
    with mock.patch('lmim.cli.demo.read_word', side_effect=MemoryError):
        text, note, *_ = read('model.pth', str(path))
    assert 'failed on this picture' in note and 'Error' not in note
    assert 'MemoryError' in caplog.text
    path.write_bytes(b'<b>no</b> picture')
    assert read('model.pth', str(path))[1].startswith(
        'This file cannot be read as a picture: its 17 ')


def test_a_folder_is_searched(checkpoint: Path, tmp_path: Path,
                              capsys: pytest.CaptureFixture) -> None:
    for name in ('run1', 'run2'):
        (tmp_path / name).mkdir()
        (tmp_path / name / 'last.pth').write_bytes(checkpoint.read_bytes())
    torch.save(dict(state_dict={}), tmp_path / 'empty.pth')
    found = Checkpoints([], tmp_path, 'cpu')
    assert found.names == ['run1/last.pth', 'run2/last.pth']
    assert 'left out: ' in capsys.readouterr().err
    (tmp_path / 'run1' / 'last.pth').unlink()
    (tmp_path / 'run2' / 'last.pth').unlink()
    with pytest.raises(ValueError, match='holds no checkpoint of a recogn'):
        Checkpoints([], tmp_path, 'cpu')
    with pytest.raises(FileNotFoundError, match='--checkpoint FILE'):
        Checkpoints([], tmp_path / 'other')
    with pytest.raises(CheckpointError):
        Checkpoints([tmp_path / 'empty.pth'], device='cpu')


def test_examples_are_what_can_be_read(
        recognizer: TextRecognizer, tmp_path: Path,
        capsys: pytest.CaptureFixture) -> None:
    paths = render_examples(recognizer.characters, tmp_path / 'words')
    assert len(paths) == 2 * EACH
    for path in paths:
        assert path.parent == tmp_path / 'words'
        assert cv2.imread(str(path)).shape[0] >= 48
    # A script that no font has: none, and it is reported.
    assert render_examples('\ue000', tmp_path / 'none') == []
    assert 'no examples: ' in capsys.readouterr().err


@pytest.mark.parametrize('host, local', [
    ('127.0.0.1', True), ('localhost', True), ('::1', True), ('[::1]', True),
    ('127.0.0.9', True), ('0.0.0.0', False), ('::', False),
    ('10.1.2.3', False), ('example.org', False)])
def test_local_addresses(host: str, local: bool) -> None:
    assert is_local(host) == local


def test_a_port_in_use_is_reported() -> None:
    page = mock.Mock()
    page.launch.side_effect = OSError('taken')
    with mock.patch.dict(sys.modules, gradio=mock.MagicMock()), pytest.raises(
            OSError, match=r'port 80 of 127.0.0.1 .* --port N'):
        with served(page, '127.0.0.1', 80, 5):
            raise AssertionError


def test_gradio_is_named(checkpoint: Path,
                         capsys: pytest.CaptureFixture) -> None:
    with mock.patch.dict(sys.modules, {'gradio': None}), mock.patch.dict(
            'os.environ'):
        assert main(['--checkpoint', str(checkpoint)]) == 1
    said = capsys.readouterr().err.strip().splitlines()
    assert len(said) == 1 and said[0].startswith('demo: error: ')
    assert said[0].endswith('pip install "lmim[demo]"')


@pytest.mark.parametrize('host', ['127.0.0.1', '0.0.0.0'])
def test_the_address_is_printed(host: str,
                                capsys: pytest.CaptureFixture) -> None:
    with mock.patch.multiple(
            'lmim.cli.demo', wait_for_end=mock.DEFAULT,
            require_gradio=mock.DEFAULT, make_page=mock.DEFAULT,
            render_examples=mock.DEFAULT, Checkpoints=mock.DEFAULT,
            served=mock.Mock(return_value=nullcontext('ADDRESS'))
    ) as changed, mock.patch.dict('os.environ'):
        assert main(['--checkpoint', 'a.pth', '--host', host]) == 0
    changed['wait_for_end'].assert_called_once()
    said = capsys.readouterr()
    assert said.out == 'ADDRESS (Ctrl-C ends it)\n'
    warned = 'everybody who can reach 0.0.0.0 can use this page' in said.err
    assert warned == (host == '0.0.0.0')
