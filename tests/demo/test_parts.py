"""What is behind the page, without one."""
import re
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

from lmim import TextRecognizer
from lmim.checkpoints import CheckpointError
from lmim.datasets.records import UnreadableRecordError
from lmim.demo.answer import EMPTY, answer
from lmim.demo.choices import KEPT, Checkpoints, short_names
from lmim.demo.examples import EACH, alphabet_for, render_examples
from lmim.demo.page import reader
from lmim.demo.reading import Reading, read_word
from lmim.demo.serving import (is_local, served, temporary_folder,
                                terminable)
from lmim.demo.tool import main
from lmim.apis import Recognition
from tests.apis.conftest import draw, png, write_checkpoint
from tests.tool_runs import mini_config


@pytest.fixture(scope='module')
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp('checkpoint') / 'model.pth'
    return write_checkpoint(path, mini_config('textrecog/lmim'))


@pytest.fixture(scope='module')
def checkpoints(checkpoint: Path) -> Checkpoints:
    return Checkpoints([checkpoint], device='cpu')


@pytest.fixture(scope='module')
def recognizer(checkpoints: Checkpoints) -> TextRecognizer:
    return checkpoints.recognizer('model.pth')


def test_a_word_is_what_the_recognizer_reads(
        recognizer: TextRecognizer) -> None:
    image = cv2.resize(draw('word'), (1500, 500))
    reading = read_word(recognizer, png(image))
    word = recognizer.predict_pixels([image])[0]
    assert word.text and reading.word.text == word.text
    assert reading.word.char_scores == pytest.approx(word.char_scores)
    # Shown small, whatever the size of the picture was.
    assert [look.shape for look in reading.looks] == (
        [(96, 288, 3)] * len(word.text))


def test_what_is_looked_at_is_orange(recognizer: TextRecognizer) -> None:
    """The map of each character, at the place that it has."""
    image = np.full((32, 128, 3), 255, np.uint8)
    maps = np.zeros((1, 8, 32), np.float32)
    maps[0, :, 24:] = 1 / 64
    word = Recognition('x', 1., [1.], 'array 1')
    with mock.patch('lmim.demo.reading.character_attention',
                    return_value=[maps]), mock.patch.object(
                        recognizer, 'predict_pixels', return_value=[word]):
        look = read_word(recognizer, png(image)).looks[0].astype(int)
    blue, red = look[..., 0], look[..., 2]
    assert (red - blue)[:, 272:].min() > 100  # the last quarter, but its edge
    assert (red - blue)[:, :200].max() == 0


def test_padding_is_not_shown(recognizer: TextRecognizer) -> None:
    """A map over a padded picture is cut to the picture."""
    maps = np.zeros((1, 8, 32), np.float32)
    maps[0, :, 8:16] = 1 / 64
    prepare = recognizer.prepare

    def padded(images: Any) -> Dict[str, Any]:
        data = prepare(images)
        data['data_samples'][0].set_metainfo(dict(valid_ratio=0.5))
        return data

    word = Recognition('x', 1., [1.], 'array 1')
    image = np.full((32, 64, 3), 255, np.uint8)
    with mock.patch('lmim.demo.reading.character_attention',
                    return_value=[maps]), mock.patch.multiple(
                        recognizer, prepare=padded,
                        predict_pixels=mock.Mock(return_value=[word])):
        look = read_word(recognizer, png(image)).looks[0].astype(int)
    orange = look[..., 2] - look[..., 0]
    assert orange[:, 110:].min() > 100 and orange[:, :80].max() == 0


def test_a_bomb_is_not_decoded(recognizer: TextRecognizer) -> None:
    header = struct.pack('>IIBBBBB', 60000, 60000, 8, 2, 0, 0, 0)
    chunk = b'IHDR' + header
    bomb = (b'\x89PNG\r\n\x1a\n' + struct.pack('>I', 13) + chunk +
            struct.pack('>I', zlib.crc32(chunk)))
    with pytest.raises(UnreadableRecordError,
                       match='decompression bomb|no image that OpenCV can'):
        read_word(recognizer, bomb)


def test_text_is_no_markup() -> None:
    word = Recognition('<b>', 0.25, [0.9, 0.1, 0.5], 'array 1')
    page = answer(Reading(word, [np.zeros((4, 9, 3), np.uint8)] * 3))
    assert '<b>0.250</b>' in page and page.count('<b>') == 1
    assert re.findall('lmim-char">(.+?)</span>', page) == ['&lt;', 'b', '&gt;']
    assert re.findall('lmim-bar"><span class="(.+?)" style="width:(.+?)%',
                      page) == [('lmim-sure', '90.0'), ('lmim-unsure', '10.0'),
                                ('lmim-sure', '50.0')]
    assert page.count('src="data:image/png;base64,iVBOR') == 3
    assert 'src="http' not in page


def test_tokens_are_numbered() -> None:
    """Where a token stands for what is not in the dictionary."""
    word = Recognition('a<UKN>', 0.5, [0.9, 0.6], 'array 1')
    page = answer(Reading(word, [], 'No places.'))
    assert re.findall('lmim-char">(.+?)</span>', page) == ['1', '2']
    assert page.endswith('its probability. No places.</p>')


def test_nothing_read() -> None:
    page = answer(Reading(Recognition('', 0.5, [], 'array 1'), []))
    assert 'No character was read.' in page and 'lmim-cell"' not in page


def test_only_named_checkpoints_are_read(
        checkpoints: Checkpoints, checkpoint: Path, tmp_path: Path,
        caplog: pytest.LogCaptureFixture) -> None:
    read = reader(checkpoints)
    (tmp_path / 'word.png').write_bytes(png(draw('word')))
    assert read('model.pth', None) == EMPTY
    assert 'lmim-text' in read('model.pth', str(tmp_path / 'word.png'))
    told = read(str(checkpoint), str(tmp_path / 'word.png'))
    assert 'role="alert"' in told and 'cannot be loaded' in told
    assert 'There is no checkpoint' in caplog.text


def test_a_failure_is_a_sentence(
        checkpoints: Checkpoints, tmp_path: Path,
        caplog: pytest.LogCaptureFixture) -> None:
    with mock.patch('lmim.demo.page.read_word', side_effect=MemoryError):
        (tmp_path / 'word.png').touch()
        told = reader(checkpoints)('model.pth', str(tmp_path / 'word.png'))
    assert 'failed on this picture' in told and 'Error' not in told
    assert 'MemoryError' in caplog.text


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


def test_two_recognizers_are_kept(checkpoint: Path) -> None:
    with mock.patch('lmim.demo.choices.TextRecognizer') as build:
        choices = Checkpoints([Path('a'), Path('b'), Path('c')])
        assert build.call_count == 3 == KEPT + 1
        choices.recognizer('a')
        choices.recognizer('b')
        assert build.call_count == 3
        choices.recognizer('c')
        assert build.call_count == 4


def test_names_tell_apart() -> None:
    one, two = Path('/x/run1/last.pth'), Path('/x/run2/last.pth')
    assert list(short_names([one])) == ['last.pth']
    assert short_names([two, one]) == {'run2/last.pth': two,
                                       'run1/last.pth': one}
    assert list(short_names([Path('a'), Path('b/a')])) == ['a', 'b/a']


def test_examples_are_what_can_be_read(
        recognizer: TextRecognizer, tmp_path: Path,
        capsys: pytest.CaptureFixture) -> None:
    assert alphabet_for(recognizer.characters) == 'abcdefghijklmnopqrstuvwxyz'
    assert alphabet_for(['1', '<UKN>', ' ', '2']) == '12'
    paths = render_examples('01', tmp_path / 'words')
    assert len(paths) == 2 * EACH
    for path in paths:
        assert path.parent == tmp_path / 'words'
        assert cv2.imread(str(path)).shape[0] >= 48
    # A script that no font has: none, and it is told.
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


def test_a_port_in_use_is_told() -> None:
    page = mock.Mock()
    page.launch.side_effect = OSError('taken')
    with mock.patch('lmim.demo.serving.make_theme'), pytest.raises(
            OSError, match=r'port 80 of 127.0.0.1 .* --port N'), served(
                page, '127.0.0.1', 80, 5):
        raise AssertionError


def test_gradio_is_named(checkpoint: Path,
                         capsys: pytest.CaptureFixture) -> None:
    with mock.patch.dict(sys.modules, {'gradio': None}), mock.patch.dict(
            'os.environ'):
        assert main(['--checkpoint', str(checkpoint)]) == 1
    told = capsys.readouterr().err.strip().splitlines()
    assert len(told) == 1 and told[0].startswith('demo: error: ')
    assert told[0].endswith('pip install "lmim[demo]"')


@pytest.mark.parametrize('host', ['127.0.0.1', '0.0.0.0'])
def test_the_address_is_told(host: str,
                             capsys: pytest.CaptureFixture) -> None:
    with mock.patch.multiple(
            'lmim.demo.tool', wait_for_end=mock.DEFAULT,
            _make_page=mock.Mock(return_value=(None, ['a.pth'])),
            served=mock.Mock(return_value=nullcontext('ADDRESS'))
    ) as changed, mock.patch.dict('os.environ'):
        assert main(['--checkpoint', 'a.pth', '--host', host]) == 0
    changed['wait_for_end'].assert_called_once()
    told = capsys.readouterr()
    assert told.out == 'ADDRESS (Ctrl-C ends it)\n'
    warned = 'everybody who can reach 0.0.0.0 can use this page' in told.err
    assert warned == (host == '0.0.0.0')


@pytest.mark.parametrize('line', [
    [], ['--checkpoint', 'a', '--checkpoints', 'b'],
    ['--checkpoint', 'a', '--port', '0'],
    ['--checkpoint', 'a', '--max-mb', '0']])
def test_wrong_command_lines(line: list) -> None:
    with pytest.raises(SystemExit) as end:
        main(line)
    assert end.value.code == 2


def test_the_end_is_the_same_by_either_signal() -> None:
    before = signal.getsignal(signal.SIGTERM)
    for number in (signal.SIGINT, signal.SIGTERM):
        with pytest.raises(KeyboardInterrupt), terminable():
            signal.raise_signal(number)
    assert signal.getsignal(signal.SIGTERM) == before
