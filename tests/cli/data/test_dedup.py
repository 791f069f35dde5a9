"""`lmim data dedup`."""
import json
from pathlib import Path
from typing import Any, Callable, List, Tuple

import cv2
import numpy as np
import pytest

from tests.datasets.make_lmdb import make_lmdb, picture, read_entries
from tests.documents import REPO


@pytest.fixture
def files(shared_data: Path) -> List[bytes]:
    """Ten real words, as their files hold them."""
    folder = shared_data / 'rec_toy_dataset' / 'imgs'
    return [path.read_bytes() for path in sorted(folder.glob('*.jpg'))]


def again(file: bytes, quality: int = 0) -> bytes:
    """The same pixels as PNG; or compressed once more."""
    image = cv2.imdecode(np.frombuffer(file, np.uint8), cv2.IMREAD_COLOR)
    if not quality:
        return cv2.imencode('.png', image)[1].tobytes()
    return cv2.imencode('.jpg', image,
                        [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes()


@pytest.fixture
def sets(files: List[bytes], tmp_path: Path) -> Tuple[str, str]:
    """A training set, and a benchmark of two parts that shares three."""
    train = make_lmdb(
        tmp_path / 'train.lmdb',
        [files[0], again(files[1]), again(files[2], 70), files[3], b'broken',
         files[4], picture(200)],
        [b'one', b'two', b'three', b'four', b'', b'five', b'six'])
    tests = tmp_path / 'tests'
    tests.mkdir()
    make_lmdb(tests / 'a.lmdb', [files[0], files[1], files[9]],
              [b'one', b'TWO', b'nine'])
    make_lmdb(tests / 'b.lmdb', [files[2], picture(201)], [b'three', b'x'])
    return train, str(tests)


def test_copies_in_a_benchmark(sets: Tuple[str, str], tmp_path: Path,
                              run: Any) -> None:
    train, tests = sets
    report, sheet = tmp_path / 'copies.jsonl', tmp_path / 'pairs.png'
    status, result = run('dedup', '--workers', '0', train, '--against', tests,
                         '--report', report, '--sheet', sheet)
    assert status == 1 and result['ok'] is False
    assert result['kinds'] == {'bytes': 1, 'pixels': 1, 'near': 1}
    assert (result['records'], result['copies'],
            result['different_labels']) == (7, 3, 1)
    assert [(Path(part['path']).name, part['records'], part['count'])
            for part in result['found_in']] == [('a.lmdb', 3, 2),
                                                ('b.lmdb', 2, 1)]
    assert result['unreadable']['total'] == 1
    assert result['unreadable']['first'][0]['record'].endswith(
        'image-000000005')
    lines = [json.loads(line)
             for line in report.read_text(encoding='utf-8').splitlines()]
    assert [line['kind'] for line in lines] == ['bytes', 'pixels', 'near']
    assert lines[1]['label'] == 'two' and lines[1]['of_label'] == 'TWO'
    assert lines[2]['of'].endswith('b.lmdb image-000000001')
    assert 0.95 <= lines[2]['correlation'] < 1
    assert cv2.imread(str(sheet)).shape[1] > 1000


def test_a_clean_set_is_written(sets: Tuple[str, str], tmp_path: Path,
                                run: Any) -> None:
    train, tests = sets
    clean = tmp_path / 'clean.lmdb'
    status, result = run('dedup', '--workers', '0', train, '--against', tests,
                         '--write-clean', clean)
    assert status == 0 and result['clean']['records'] == 3
    made = read_entries(clean)
    assert made[b'num-samples'] == b'3'
    assert [made[b'label-%09d' % number] for number in (1, 2, 3)] == [
        b'four', b'five', b'six']
    status, result = run('dedup', '--workers', '0', clean, '--against', tests)
    assert status == 0 and result['copies'] == 0
    status, result = run('dedup', '--workers', '0', train, '--write-clean',
                         clean)
    assert status == 1 and 'exists' in result['error']


def test_the_clean_set_of_a_benchmark(files: List[bytes], tmp_path: Path,
                                      monkeypatch: pytest.MonkeyPatch,
                                      run: Any) -> None:
    """The command of docs/data.md, on sets laid out as Union14M-L's."""
    monkeypatch.chdir(tmp_path)
    text = (REPO / 'docs/data.md').read_text(encoding='utf-8')
    line = next(line for line in text.splitlines()
                if line.startswith('lmim data dedup data/Union'))
    root = Path('data/Union14M-L')
    for folder, numbers in {'images': (0, 1, 2, 3),
                            'Union14M-Benchmarks/curve': (0, ),
                            'Union14M-Benchmarks/artistic': (9, ),
                            'general_images': (2, 8)}.items():
        (root / folder).mkdir(parents=True)
        for number in numbers:
            (root / folder / f'{number}.jpg').write_bytes(files[number])
    for path, folder, numbers in [
            ('train_annos/mmocr1.0/train_easy.json', 'images', range(4)),
            ('Union14M-Benchmarks/general/annotation.json', 'general_images',
             (2, 8))]:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(json.dumps(dict(data_list=[
            dict(img_path=f'{folder}/{number}.jpg',
                 instances=[dict(text=f'word{number}')])
            for number in numbers])))
    status, result = run(*line.split()[2:], '--workers', '0')
    assert status == 0 and result['copies'] == 2
    made = read_entries(Path('data/Union14M-L-clean/easy.lmdb'))
    assert made[b'num-samples'] == b'2'
    assert made[b'label-000000001'] == b'word1'
    assert made[b'label-000000002'] == b'word3'


def test_copies_inside_a_folder(files: List[bytes], tmp_path: Path,
                                report: Callable[..., str]) -> None:
    folder = tmp_path / 'words'
    folder.mkdir()
    for name, data in (('a.jpg', files[0]), ('b.jpg', files[1]),
                       ('c.png', again(files[0])),
                       ('d.jpg', again(files[1], 75)), ('e.jpg', files[0])):
        (folder / name).write_bytes(data)
    words = report('dedup', folder, '--workers', '2')
    assert ('3 of 5 pictures of' in words and
            'the set itself (bytes 1, pixels 1, near 1)' in words)
    assert f'{folder}/c.png: pixels, {folder}/a.jpg' in words
    assert f'{folder}/d.jpg: near, {folder}/b.jpg' in words
    assert f'{folder}/e.jpg: bytes, {folder}/a.jpg' in words


def test_refused_before_any_work(sets: Tuple[str, str], run: Any) -> None:
    train, tests = sets
    for argv, message in (
        (['--against', tests, train], 'its own copy'),
        (['--against', tests, '--overwrite', '--write-clean', train],
         'cannot be written to'),
        (['--against', tests, '--sheet', tests], 'is a folder')):
        status, result = run('dedup', '--workers', '0', train, *argv)
        assert status == 1 and message in result['error']
