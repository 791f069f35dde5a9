"""`lmim data render`."""
import json

import cv2
import lmdb
import numpy as np
import pytest

from lmim.cli.data import main

SMALL = ['--train', '30', '--test', '10', '--workers', '0']


def _records(path):
    with lmdb.open(str(path), readonly=True, lock=False) as env:
        with env.begin() as txn:
            return {bytes(key): bytes(value) for key, value in txn.cursor()}


def _run(capsys, *argv):
    """Exit status, the JSON on standard output, and standard error."""
    status = main([str(arg) for arg in argv] + ['--json'])
    out, err = capsys.readouterr()
    return status, json.loads(out), err


@pytest.mark.parametrize('argv', [
    [], ['paint'], ['render'], ['render', 'x', '--train', '0'],
    ['crop', 'a', 'b', 'c', '--min-size', '0']
])
def test_wrong_command_lines_exit_2(argv, capsys):
    with pytest.raises(SystemExit) as stopped:
        main(argv)
    assert stopped.value.code == 2


def test_render(tmp_path, capsys):
    out = tmp_path / 'set'
    status, result, _ = _run(capsys, 'render', out, *SMALL)
    assert status == 0 and result['skipped'] is False
    words, fonts = {}, {}
    for part, count in (('train', 30), ('test', 10)):
        about = result['parts'][part]
        assert about['samples'] == count
        records = _records(about['path'])
        assert records[b'num-samples'] == str(count).encode()
        assert len(records) == 2 * count + 1
        words[part] = {records[b'label-%09d' % i].decode()
                       for i in range(1, count + 1)}
        fonts[part] = set(about['fonts'])
        image = cv2.imdecode(
            np.frombuffer(records[b'image-000000001'], np.uint8), 1)
        assert 28 <= image.shape[0] <= 2 * 48  # twice as high if bent
    assert not words['train'] & words['test']
    assert not fonts['train'] & fonts['test']
    manifest = json.loads((out / 'rendered.json').read_text())
    assert manifest['complete'] is True
    assert manifest['settings']['samples'] == {'train': 30, 'test': 10}
    assert set(manifest['settings']['fonts']['test']) == fonts['test']
    # 30 + 10 pictures, 8 in a row of 68 pixels; boxes and masks, larger.
    assert cv2.imread(result['sheet']).shape[0] == 5 * 68 + 2 * 116
    assert sorted(path.name for path in out.iterdir()) == [
        'rendered.json', 'samples.png', 'test.lmdb', 'train.lmdb'
    ]


def test_render_hangs_on_the_seed_alone(tmp_path, capsys):
    files = {}
    for name, seed in (('a', 5), ('b', 5), ('c', 6)):
        assert main(['render', str(tmp_path / name), *SMALL, '--seed',
                     str(seed)]) == 0
        files[name] = [
            (tmp_path / name / file).read_bytes()
            for file in ('train.lmdb/data.mdb', 'test.lmdb/data.mdb',
                         'samples.png', 'rendered.json')
        ]
    assert files['a'] == files['b']
    assert all(a != c for a, c in zip(files['a'], files['c']))


def test_render_skips_resumes_and_refuses(tmp_path, capsys):
    train = tmp_path / 'train.lmdb' / 'data.mdb'
    _run(capsys, 'render', tmp_path, *SMALL)
    made, whole = train.stat().st_mtime_ns, train.read_bytes()
    assert _run(capsys, 'render', tmp_path, *SMALL)[1]['skipped'] is True
    assert main(['render', str(tmp_path), *SMALL]) == 0
    assert 'Nothing to do' in capsys.readouterr().out
    assert train.stat().st_mtime_ns == made

    status, result, err = _run(capsys, 'render', tmp_path, *SMALL, '--seed',
                               1)
    assert status == 1 and 'other settings (seed)' in result['error']
    assert 'other settings (seed)' in err
    assert train.read_bytes() == whole

    # Broken off: the manifest is there, not complete.
    manifest = json.loads((tmp_path / 'rendered.json').read_text())
    manifest['complete'] = False
    (tmp_path / 'rendered.json').write_text(json.dumps(manifest))
    (tmp_path / 'test.lmdb' / 'data.mdb').unlink()
    assert _run(capsys, 'render', tmp_path, *SMALL)[1]['skipped'] is False
    assert train.read_bytes() == whole
    assert len(_records(tmp_path / 'test.lmdb')) == 21

    status, result, _ = _run(capsys, 'render', tmp_path, *SMALL, '--seed', 1,
                             '--overwrite')
    assert status == 0 and train.read_bytes() != whole


def test_render_keeps_what_others_made(tmp_path, capsys):
    (tmp_path / 'train.lmdb').mkdir()
    status, result, _ = _run(capsys, 'render', tmp_path, *SMALL)
    assert status == 1 and 'was not made by this' in result['error']
    assert [path.name for path in tmp_path.iterdir()] == ['train.lmdb']


@pytest.mark.parametrize('argv, message', [
    (['--alphabet', 'ab\U0010fffe'], 'of the alphabet cannot be drawn'),
    (['--min-length', '5', '--max-length', '4'], 'Lengths are'),
    (['--fonts', 'no/such/folder'], 'does not exist'),
    (['--difficulty', '-1'], 'difficulty is 0 or more'),
])
def test_render_errors(tmp_path, capsys, argv, message):
    status, result, _ = _run(capsys, 'render', tmp_path / 'x', *SMALL, *argv)
    assert status == 1 and message in result['error']
    assert not (tmp_path / 'x').exists()
