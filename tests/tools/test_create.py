"""`tools/data.py create`: what comes in, what comes out."""
import json
from pathlib import Path
from typing import Any, Dict, Tuple

import cv2
import lmdb
import numpy as np
import pytest

from lmim.cli.data import main
from tests.datasets.make_lmdb import make_lmdb, picture, write_entries


def run(capsys: pytest.CaptureFixture, *argv: Any
        ) -> Tuple[int, Dict[str, Any], str]:
    """Exit status, the JSON on standard output, and standard error."""
    status = main([*map(str, argv), '--json'])
    out, err = capsys.readouterr()
    return status, json.loads(out), err


def records(path: Path) -> Dict[bytes, bytes]:
    """All keys and values of an LMDB."""
    with lmdb.open(str(path), readonly=True, lock=False) as env:
        with env.begin() as transaction:
            return {bytes(k): bytes(v) for k, v in transaction.cursor()}


@pytest.mark.parametrize('workers', [0, 2])
def test_real_pictures_from_all_layouts(tmp_path, capsys, shared_data,
                                        workers):
    toy = shared_data / 'rec_toy_dataset'
    out = tmp_path / 'deep' / 'words.lmdb'
    status, result, _ = run(
        capsys, 'create', toy / 'imgs.lmdb', toy / 'imgs',
        toy / 'old_label.txt', toy / 'old_label.jsonl', toy / 'labels.json',
        toy / 'broken.lmdb', out, '--image-root', toy / 'imgs', '--workers',
        workers)
    assert status == 0
    assert (result['records'], result['written'], result['labelled']) == (
        51, 50, 40)
    assert [one['records'] for one in result['sources']] == [10] * 5 + [1]
    assert result['skipped']['total'] == 1
    made = records(out)
    assert made[b'num-samples'] == b'50' and len(made) == 50 + 40 + 1
    # The folder is in the order of names, the list in its own.
    for number, file in enumerate(sorted((toy / 'imgs').iterdir()), 11):
        assert made[b'image-%09d' % number] == file.read_bytes()
        assert b'label-%09d' % number not in made
    for number, line in enumerate(
            (toy / 'old_label.txt').read_text().splitlines(), 21):
        name, label = line.split(maxsplit=1)
        assert made[b'image-%09d' % number] == (
            toy / 'imgs' / Path(name).name).read_bytes()
        assert made[b'label-%09d' % number] == label.encode()
    first = json.loads((toy / 'labels.json').read_text())['data_list'][0]
    assert made[b'label-000000041'].decode() == first['instances'][0]['text']
    # What was left out is named, beside the LMDB.
    skipped = Path(result['skipped_file'])
    assert skipped == out.with_name('words.lmdb.skipped.jsonl')
    line, = skipped.read_text().splitlines()
    assert 'broken.lmdb image-000000001' in json.loads(line)['record']
    assert 'no image' in json.loads(line)['reason']
    assert sorted(p.name for p in out.parent.iterdir()) == [
        'words.lmdb', 'words.lmdb.skipped.jsonl'
    ]
    assert [p.name for p in out.iterdir()] == ['data.mdb']


def test_labels_of_another_lmdb(tmp_path, capsys, shared_data):
    toy = shared_data / 'rec_toy_dataset'
    images = tmp_path / 'images.lmdb'
    run(capsys, 'create', toy / 'imgs', images, '--workers', 0)
    status, result, _ = run(capsys, 'create', images, tmp_path / 'out',
                            '--labels', toy / 'label.lmdb', '--workers', 0)
    assert status == 0 and result['labelled'] == 10
    with lmdb.open(str(toy / 'label.lmdb'), readonly=True,
                   lock=False) as env, env.begin() as transaction:
        wanted = json.loads(transaction.get(b'label-000000004'))['text']
    assert records(tmp_path / 'out')[b'label-000000004'].decode() == wanted
    status, result, _ = run(capsys, 'create', images, images, tmp_path / 'x',
                            '--labels', toy / 'label.lmdb')
    assert status == 1 and 'there are 2 sources' in result['error']


@pytest.fixture
def odd(tmp_path):
    """Good records 1, 4 and 6; others that no picture or text comes of."""
    surrogate = json.dumps({'text': '\ud800'}).encode()
    entries = {b'num-samples': b'7'}
    images = [picture(1), b'', None, picture(4), b'no picture', picture(6),
              picture(7)]
    labels = ['one', 'two', 'three', '', 'five', 'wörd 文', None]
    for number, (image, label) in enumerate(zip(images, labels), 1):
        if image is not None:
            entries[b'image-%09d' % number] = image
        text = (surrogate if label is None else json.dumps(
            {'text': label}).encode())
        entries[b'label-%09d' % number] = text
    return write_entries(tmp_path / 'odd.lmdb', entries)


def test_broken_records_are_left_out_and_named(tmp_path, capsys, odd):
    status, result, _ = run(capsys, 'create', odd, tmp_path / 'out',
                            '--workers', 0)
    assert status == 0
    assert records(tmp_path / 'out') == {
        b'image-000000001': picture(1), b'label-000000001': b'one',
        b'image-000000002': picture(4), b'label-000000002': b'',
        b'image-000000003': picture(6),
        b'label-000000003': 'wörd 文'.encode(),
        b'num-samples': b'3',
    }
    lines = Path(result['skipped_file']).read_text().splitlines()
    found = {json.loads(line)['record'][-1]: json.loads(line)['reason']
             for line in lines}
    assert sorted(found) == ['2', '3', '5', '7']
    assert found['2'] == 'no bytes' and 'no key' in found['3']
    assert 'label' in found['7']
    # Made again without labels: one record more, and a new list.
    status, result, _ = run(capsys, 'create', odd, tmp_path / 'out',
                            '--overwrite', '--unlabelled', '--workers', 0)
    assert status == 0 and result['skipped']['total'] == 3
    assert sorted(records(tmp_path / 'out')) == [
        *(b'image-%09d' % number for number in range(1, 5)), b'num-samples'
    ]
    assert len(Path(result['skipped_file']).read_text().splitlines()) == 3
    # And of good ones: there is no list any more.
    run(capsys, 'create', tmp_path / 'out', tmp_path / 'good')
    run(capsys, 'create', tmp_path / 'good', tmp_path / 'out', '--overwrite')
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        'good', 'odd.lmdb', 'out'
    ]


def test_no_check_copies_what_is_no_picture(tmp_path, capsys, odd):
    status, result, _ = run(capsys, 'create', odd, tmp_path / 'out',
                            '--no-check', '--unlabelled')
    assert status == 0 and result['written'] == 5
    assert records(tmp_path / 'out')[b'image-000000003'] == b'no picture'


def test_encoding_anew(tmp_path, capsys):
    rng = np.random.default_rng(0)
    tall = cv2.imencode('.bmp', rng.integers(
        0, 255, (90, 30, 3), 'uint8'))[1].tobytes()
    small = picture(3, height=20, width=50)
    path = make_lmdb(tmp_path / 'a', [tall, small], [b'tall', b'small'])

    def made(*argv: Any) -> list:
        status, _, _ = run(capsys, 'create', path, tmp_path / 'out',
                           '--overwrite', '--workers', 0, *argv)
        assert status == 0
        found = records(tmp_path / 'out')
        assert found[b'label-000000001'] == b'tall'
        return [found[b'image-%09d' % number] for number in (1, 2)]

    def size(value: bytes) -> tuple:
        return cv2.imdecode(np.frombuffer(value, np.uint8), 1).shape[:2]

    assert made() == [tall, small]
    shrunk = made('--shrink', 24)
    assert shrunk[0][:2] == b'\xff\xd8' and size(shrunk[0]) == (72, 24)
    assert shrunk[1] == small
    png = made('--format', 'png')
    assert size(png[0]) == (90, 30) and png[1] == small
    assert (cv2.imdecode(np.frombuffer(png[0], np.uint8), 1) == cv2.imdecode(
        np.frombuffer(tall, np.uint8), 1)).all()
    worse = made('--format', 'jpg', '--quality', 20)
    better = made('--format', 'jpg')
    assert all(one[:2] == b'\xff\xd8' for one in worse + better)
    assert len(worse[0]) < len(better[0]) and size(worse[1]) == (20, 50)


@pytest.mark.parametrize('argv, message', [
    (['missing.lmdb', 'out'], 'do not exist'),
    (['a', 'a'], 'exists'),
    (['a', 'a', '--overwrite'], 'is read from'),
    (['a', 'b/words', '--overwrite'], 'holds other things than an LMDB'),
    (['b', 'b/out'], 'all LMDBs of which are read'),
    (['a', 'out', '--quality', '50'], '--format jpg or --shrink'),
    (['a', 'out', '--quality', '500', '--shrink', '9'], '1 to 100'),
    (['a', 'out', '--image-root', 'b'], 'no SOURCE is such a file'),
    (['bad', 'out'], 'would have no record'),
])
def test_errors_leave_everything_as_it_was(tmp_path, capsys, monkeypatch,
                                           argv, message):
    monkeypatch.chdir(tmp_path)
    make_lmdb(Path('a'), [picture(1)])
    make_lmdb(Path('bad'), [b'no picture'])
    Path('b/words').mkdir(parents=True)
    Path('b/words/notes.txt').write_text('mine')
    make_lmdb(Path('b/part'), [picture(2)])
    before = sorted(tmp_path.rglob('*'))
    status, result, err = run(capsys, 'create', *argv, '--workers', 0)
    assert status == 1 and message in result['error']
    assert message in err and 'Traceback' not in err
    assert sorted(tmp_path.rglob('*')) == before


def test_report_and_debug(tmp_path, capsys, odd):
    assert main(['create', odd, str(tmp_path / 'out'), '--workers', '0']) == 0
    told = capsys.readouterr().out
    assert '3 of 7 records are in' in told
    assert 'left out, no bytes: 1' in told
    with pytest.raises(FileExistsError):
        main(['create', odd, str(tmp_path / 'out'), '--debug'])
    with pytest.raises(SystemExit) as stopped:
        main(['create', '--help'])
    assert stopped.value.code == 0
    assert 'python tools/data.py create' in capsys.readouterr().out
