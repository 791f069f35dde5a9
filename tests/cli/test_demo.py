"""What is behind the page, without one."""
import functools
import signal
import struct
import sys
import zlib
from contextlib import nullcontext
from pathlib import Path
from typing import Any, Dict
from unittest import mock

import cv2
import numpy as np
import pytest
import torch

from lmim.apis import Recognition, TextRecognizer
from lmim.cli.demo import (EACH, EMPTY, KEPT, Checkpoints, is_local, main,
                           make_reader, read_word, render_examples, served,
                           temporary_folder, terminable)
from lmim.datasets.records import UnreadableRecordError
from lmim.utils.errors import CheckpointError
from tests.apis.conftest import draw, png, write_checkpoint
from tests.tool_runs import mini_config


@pytest.fixture(scope='module')
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp('checkpoint') / 'model.pth'
    return write_checkpoint(path, mini_config('textrecog/transformer'))


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


@pytest.mark.parametrize('width, share, orange, grey', [
    # The last quarter of the map, but its edge.
    (128, 1., slice(272, 288), slice(0, 200)),
    # Half of the map is over padding, and cut off.
    (64, 0.5, slice(160, 192), slice(0, 80))])
def test_what_is_looked_at_is_orange(recognizer: TextRecognizer, width: int,
                                     share: float, orange: slice,
                                     grey: slice) -> None:
    maps = np.zeros((1, 8, 32), np.float32)
    maps[0, :, 24:] = 1 / 64
    if share < 1:
        maps[0, :, 8:16], maps[0, :, 24:] = 1 / 64, 0
    prepare = recognizer.prepare

    def padded(images: Any) -> Dict[str, Any]:
        data = prepare(images)
        data['data_samples'][0].set_metainfo(dict(valid_ratio=share))
        return data

    image = np.full((32, width, 3), 255, np.uint8)
    with mock.patch('lmim.cli.demo.character_attention',
                    return_value=[maps]), mock.patch.object(
                        recognizer, 'prepare', padded), mock.patch.object(
                            TextRecognizer, '__call__', return_value=[
                                Recognition('x', 1., [1.], 'array 1')]):
        look = read_word(recognizer, png(image))[1][0].astype(int)
    redness = look[..., 2] - look[..., 0]
    assert redness[:, orange].min() > 100 and redness[:, grey].max() == 0


def test_a_bomb_is_not_decoded(recognizer: TextRecognizer) -> None:
    header = struct.pack('>IIBBBBB', 60000, 60000, 8, 2, 0, 0, 0)
    chunk = b'IHDR' + header
    bomb = (b'\x89PNG\r\n\x1a\n' + struct.pack('>I', 13) + chunk +
            struct.pack('>I', zlib.crc32(chunk)))
    with pytest.raises(UnreadableRecordError,
                       match='decompression bomb|no image that OpenCV can'):
        read_word(recognizer, bomb)


LOOK = np.zeros((4, 9, 3), np.uint8)


@pytest.mark.parametrize('word, looks, captions, rows', [
    (Recognition('a b', 0.25, [0.9, 0.1, 0.5], ''), [LOOK] * 3,
     ['a 0.90', '\u2423 0.10', 'b 0.50'], []),
    (Recognition('ab', 0.25, [0.9, 0.1], ''), [], [],
     [['a', '0.90'], ['b', '0.10']]),
    # A token stands for what is not in the dictionary.
    (Recognition('a<UKN>', 0.25, [0.9, 0.6], ''), [], [],
     [['1', '0.90'], ['2', '0.60']])])
def test_what_is_shown(checkpoints: Checkpoints, tmp_path: Path, word: Any,
                       looks: Any, captions: Any, rows: Any) -> None:
    (tmp_path / 'word.png').touch()
    with mock.patch('lmim.cli.demo.read_word',
                    return_value=(word, looks, 'A note.')):
        text, note, pictures, table = make_reader(checkpoints)(
            'model.pth', str(tmp_path / 'word.png'))
    assert (text, note) == (word.text, 'Probability of the word: 0.250. '
                            'A note.')
    assert [caption for _, caption in pictures] == captions
    assert table == rows


def test_only_named_checkpoints_are_read(
        checkpoints: Checkpoints, checkpoint: Path, tmp_path: Path,
        caplog: pytest.LogCaptureFixture) -> None:
    read = make_reader(checkpoints)
    path = tmp_path / 'word.png'
    path.write_bytes(png(draw('word')))
    assert read('model.pth', None) == ('', EMPTY, [], [])
    text, _, pictures, _ = read('model.pth', str(path))
    assert text and len(pictures) == len(text)
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


def test_two_recognizers_are_kept() -> None:
    with mock.patch('lmim.cli.demo.TextRecognizer') as build:
        choices = Checkpoints([Path('a'), Path('b'), Path('x/a')])
        assert choices.names == ['a', 'b', 'x/a']
        assert build.call_count == 3 == KEPT + 1
        choices.recognizer('a')
        choices.recognizer('b')
        assert build.call_count == 3
        choices.recognizer('x/a')
        assert build.call_count == 4


def test_examples_are_what_can_be_read(
        recognizer: TextRecognizer, tmp_path: Path,
        capsys: pytest.CaptureFixture) -> None:
    paths = render_examples(recognizer.characters, tmp_path / 'words')
    assert len(paths) == 2 * EACH
    for path in paths:
        assert path.parent == tmp_path / 'words'
        assert cv2.imread(str(path)).shape[0] >= 48
    with mock.patch('lmim.cli.demo.WordGenerator',
                    side_effect=ValueError) as words:
        for characters in (recognizer.characters, ['1', '<UKN>', ' ', '2']):
            render_examples(characters, tmp_path / characters[1])
    assert [call.args[1] for call in words.call_args_list] == [
        'abcdefghijklmnopqrstuvwxyz', '12']
    # A script that no font has: none, and it is reported.
    assert render_examples('\ue000', tmp_path / 'none') == []
    assert 'no examples: ' in capsys.readouterr().err


@pytest.mark.parametrize('host, local', [
    ('127.0.0.1', True), ('localhost', True), ('::1', True), ('[::1]', True),
    ('127.0.0.9', True), ('0.0.0.0', False), ('::', False),
    ('10.1.2.3', False), ('example.org', False)])
def test_local_addresses(host: str, local: bool) -> None:
    assert is_local(host) == local


def test_the_folder_goes(tmp_path: Path) -> None:
    with mock.patch('tempfile.tempdir', str(tmp_path)), mock.patch.dict(
            'os.environ'):
        with pytest.raises(KeyboardInterrupt), temporary_folder() as folder:
            (folder / 'word.png').touch()
            assert folder.parent == tmp_path.resolve()
            raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []


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
            render_examples=mock.DEFAULT, TextRecognizer=mock.DEFAULT,
            served=mock.Mock(return_value=nullcontext('ADDRESS'))
    ) as changed, mock.patch.dict('os.environ'):
        assert main(['--checkpoint', 'a.pth', '--host', host]) == 0
    changed['wait_for_end'].assert_called_once()
    said = capsys.readouterr()
    assert said.out == 'ADDRESS (Ctrl-C ends it)\n'
    warned = 'everybody who can reach 0.0.0.0 can use this page' in said.err
    assert warned == (host == '0.0.0.0')


def test_the_end_is_the_same_by_either_signal(
        request: pytest.FixtureRequest) -> None:
    before = signal.getsignal(signal.SIGTERM)
    # A shell starts what runs in the background with Ctrl-C ignored.
    request.addfinalizer(functools.partial(
        signal.signal, signal.SIGINT, signal.getsignal(signal.SIGINT)))
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number in (signal.SIGINT, signal.SIGTERM):
        with pytest.raises(KeyboardInterrupt), terminable():
            signal.raise_signal(number)
    assert signal.getsignal(signal.SIGTERM) == before
