"""`lmim infer`: what is written, where, and how it ends."""
import csv
import json
from pathlib import Path
from typing import Any, List

import cv2
import numpy as np
import pytest

from lmim.apis import Recognition, TextRecognizer
from lmim.apis.recognition import draw_recognition
from lmim.cli.infer import line, main
from lmim.utils.atomic import PARTIAL

from .conftest import png


def infer(checkpoint: Path, *args: Any) -> int:
    """Run the tool on the CPU."""
    return main([*map(str, args), '--checkpoint', str(checkpoint),
                 '--device', 'cpu'])


@pytest.mark.parametrize('suffix', [None, 'jsonl', 'csv'])
def test_words_are_written(checkpoint: Path, recognizer: TextRecognizer,
                           folder: Path, tmp_path: Path, suffix: Any,
                           capfd: pytest.CaptureFixture) -> None:
    words = recognizer(folder / 'words')
    path = tmp_path / f'words.{suffix}'
    output = ['--output', path] if suffix else []
    assert infer(checkpoint, folder / 'words', '--batch-size', 4,
                 *output) == 0
    out, err = capfd.readouterr()
    assert 'pictures: 7, words: 7, unreadable: 0' in err
    assert 'pictures/s in fp32' in err
    if suffix:
        out = path.read_text(encoding='utf-8')
        assert out.startswith('\ufeff') == (suffix == 'csv')  # for Excel
        out = out.lstrip('\ufeff')
    header = 'source,text,score,char_scores,polygon,error,rotation\n'
    assert out == header * (suffix == 'csv') + ''.join(
        line(word, suffix or 'text') for word in words)


def test_the_unreadable_are_told_and_counted(
        checkpoint: Path, images: List[np.ndarray], tmp_path: Path,
        capfd: pytest.CaptureFixture) -> None:
    folder = tmp_path / 'words'
    folder.mkdir()
    (folder / 'a.png').write_bytes(png(images[0]))
    (folder / 'b.png').write_bytes(b'no picture')
    (folder / 'c.png').write_bytes(png(images[1]))
    assert infer(checkpoint, folder) == 1
    out, err = capfd.readouterr()
    assert [row.split('\t')[0][-5:] for row in out.splitlines()] == [
        'a.png', 'c.png']
    assert 'b.png: its 10 bytes are no image' in err
    assert 'words: 2, unreadable: 1' in err
    assert infer(checkpoint, folder, '--json', '--precision', 'auto') == 1
    result = json.loads(capfd.readouterr().out)
    assert (result['ok'], result['words'], result['unreadable']) == (
        False, 2, 1)
    assert result['precision'] in ('fp32', 'bf16')
    assert 'product on cpu' in result['precision_reason']
    assert 'no image' in result['results'][1]['error']
    path = tmp_path / 'words.csv'
    assert infer(checkpoint, folder, '--json', '--output', path) == 1
    result = json.loads(capfd.readouterr().out)
    assert result['output'] == str(path) and 'results' not in result
    assert len(list(csv.DictReader(path.open()))) == 3


@pytest.mark.parametrize('args, message', [
    (['nope.png'], '1 of 1 inputs do not exist'),
    (['{words}', '--output', 'words.doc'], 'name it with --format'),
    (['{words}', '--output', '{words}', '--format', 'csv'], 'is a folder'),
    (['{words}', '--sheet', '{list}'], 'exists; give another path'),
    (['{words}', '--det-weights', 'x.pth'], '--det CONFIG'),
    (['{words}', '--config', 'nope.py'], 'config nope.py does not exist'),
    (['{words}', '--device', 'nowhere'], 'device nowhere cannot be used'),
    (['{words}', '--language', 'english'], 'of no CTC recognizer'),
    (['{words}', '{words}', '--polygons', '{list}'], 'the one folder'),
])
def test_errors_are_one_message(checkpoint: Path, folder: Path,
                                args: List[str], message: str,
                                capfd: pytest.CaptureFixture) -> None:
    args = [arg.format(words=folder / 'words', list=folder / 'list.txt')
            for arg in args]
    assert main([*args, '--checkpoint', str(checkpoint), '--json']) == 1
    out, err = capfd.readouterr()
    assert err.startswith('infer: error: ') and message in err
    assert 'Traceback' not in err
    assert message in json.loads(out)['error']


def test_what_is_interrupted_leaves_nothing(
        checkpoint: Path, folder: Path, tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch) -> None:
    read = TextRecognizer._read

    def stop(self: Any, batch: Any) -> Any:
        yield next(read(self, batch))
        raise KeyboardInterrupt

    monkeypatch.setattr(TextRecognizer, '_read', stop)
    path = tmp_path / 'words.csv'
    path.write_text('old')
    assert infer(checkpoint, folder / 'words', '--output', path,
                 '--overwrite') == 130
    assert path.read_text() == 'old'
    assert not path.with_name(path.name + PARTIAL).exists()


def test_a_sheet(checkpoint: Path, folder: Path, tmp_path: Path,
                 capfd: pytest.CaptureFixture) -> None:
    path = tmp_path / 'sheet.png'
    assert infer(checkpoint, folder / 'words', '--sheet', path,
                 '--sheet-limit', 4) == 0
    assert f'sheet: {path} (the first 4)' in capfd.readouterr().err
    sheet = cv2.imread(str(path))
    assert sheet.shape == (68, 4 * 196, 3)
    assert (sheet[2:50, 2:60] == (200, 220, 210)).all(axis=2).mean() > 0.3


def test_a_word_is_saved(recognizer: TextRecognizer,
                         images: List[np.ndarray], tmp_path: Path) -> None:
    word = recognizer(images[2])[0]
    word.save(tmp_path / 'word.json')
    held = json.loads((tmp_path / 'word.json').read_text(encoding='utf-8'))
    assert held == word.to_dict()
    assert held['char_scores'] == pytest.approx(word.char_scores, abs=1e-6)
    word.save(tmp_path / 'word.png')
    assert cv2.imread(str(tmp_path / 'word.png')).shape[0] > 200
    with pytest.raises(ValueError, match=r'saved as .json or .png'):
        word.save(tmp_path / 'word.doc')
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        'word.json', 'word.png']


def test_each_character_has_its_bar(images: List[np.ndarray]) -> None:
    word = Recognition('a \ue000', 0.1, [0.9, 0.5, 0.2], 'x',
                       load=lambda: images[0])
    above, below = draw_recognition(word).axes
    assert np.array_equal(above.images[0].get_array(), images[0][..., ::-1])
    assert [bar.get_height() for bar in below.patches] == [0.9, 0.5, 0.2]
    assert [label.get_text() for label in below.get_xticklabels()] == [
        'a', '\u2423', 'U+E000']
    assert below.patches[1].get_facecolor() != below.patches[2].get_facecolor()
    # A token of MMOCR is several characters with one score.
    token = Recognition('a<UKN>', 0.1, [0.9, 0.5], 'x',
                        load=lambda: images[0])
    labels = draw_recognition(token).axes[1].get_xticklabels()
    assert [label.get_text() for label in labels] == ['1', '2']


def test_lines_quote_what_they_must() -> None:
    word = Recognition('a,"b', 0.5, [0.25], 'x y.png', polygon=[1., 2.5],
                       rotation=90, char_boxes=[[0., 1.005, 2.25, 4.]])
    assert line(word, 'csv') == 'x y.png,"a,""b",0.5,0.25,"1,2.5",,90\n'
    assert line(word, 'text') == 'x y.png\ta,"b\t0.5000\t1,2.5\n'
    assert line(Recognition('a', 0.5, [0.5], 'x\ty\n.png'), 'text') == (
        'x\\ty\\n.png\ta\t0.5000\n')
    assert json.loads(line(word, 'jsonl')) == dict(
        source='x y.png', text='a,"b', score=0.5, char_scores=[0.25],
        polygon=[1., 2.5], rotation=90, char_boxes=[[0., 1., 2.25, 4.]])
