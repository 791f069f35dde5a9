"""`tools/data.py split`, and the decision behind it."""
import json
from pathlib import Path

import lmdb
import pytest

from lmim.datasets.splitting import part_of, word_key
from lmim.cli.data import main
from tests.datasets.make_lmdb import make_lmdb, picture


def run(capsys, *argv):
    """Exit status and the JSON on standard output."""
    status = main(['split', *map(str, argv), '--workers', '0', '--json'])
    return status, json.loads(capsys.readouterr().out)


def pairs(path):
    """Pictures and labels of an LMDB, in their order."""
    with lmdb.open(str(path), readonly=True, lock=False) as env:
        with env.begin() as transaction:
            count = int(transaction.get(b'num-samples'))
            return [(bytes(transaction.get(b'image-%09d' % number)),
                     bytes(transaction.get(b'label-%09d' % number)))
                    for number in range(1, count + 1)]


def test_about_the_share_is_held_out():
    keys = [b'%d' % number for number in range(20000)]
    held = [{key for key in keys if part_of(key, share)}
            for share in (0.0, 0.1, 0.3, 1.0)]
    assert not held[0] and len(held[3]) == len(keys)
    assert abs(len(held[1]) - 2000) < 200 and abs(len(held[2]) - 6000) < 300
    assert held[1] < held[2]  # a larger share only adds
    salted = {key for key in keys if part_of(key, 0.1, 'other')}
    assert abs(len(salted & held[1]) - 200) < 60  # independent
    with pytest.raises(ValueError, match='from 0 to 1, not 1.5'):
        part_of(b'', 1.5)


def test_the_decision_never_changes():
    """Sets that were split once are to be split alike for ever."""
    held = [number for number in range(40)
            if part_of(b'%d' % number, 0.25, 'salt')]
    assert held == [6, 9, 23, 26, 27, 32, 38, 39]
    assert word_key('ＷＯＲＤ') == word_key('word') == b'word'
    assert word_key('Straße') == word_key('STRASSE')


@pytest.fixture
def words(tmp_path):
    """200 different pictures of 40 words."""
    images = [picture(number % 250, 4, 5 + number // 100)
              for number in range(200)]
    labels = [b'Word%d' % (number % 40) if number % 2 else
              b'word%d' % (number % 40) for number in range(200)]
    return make_lmdb(tmp_path / 'words', images, labels), images, labels


def test_each_record_is_in_one_part(capsys, tmp_path, words):
    path, images, labels = words
    out = tmp_path / 'deep' / 'out'
    status, result = run(capsys, path, out, '--val', 0.25)
    assert status == 0
    train, val = pairs(out / 'train.lmdb'), pairs(out / 'val.lmdb')
    whole = list(zip(images, labels))
    assert sorted(train + val) == sorted(whole) and not set(train) & set(val)
    assert train == [pair for pair in whole if pair in set(train)]  # in order
    assert val == [pair for pair in whole if part_of(pair[0], 0.25)]
    assert 25 < len(val) < 75
    assert result['parts']['val'] == {
        'path': str(out / 'val.lmdb'), 'records': len(val),
        'labelled': len(val)
    }
    assert sorted(file.name for file in out.iterdir()) == [
        'train.lmdb', 'val.lmdb'
    ]


def test_a_record_stays_where_it_was_when_others_come(capsys, tmp_path,
                                                      words):
    path, images, labels = words
    fewer = make_lmdb(tmp_path / 'fewer', images[50:150:-1] + images[60:120],
                      labels[50:150:-1] + labels[60:120])
    run(capsys, path, tmp_path / 'all', '--val', 0.3)
    run(capsys, fewer, tmp_path / 'some', '--val', 0.3)
    for part in ('train', 'val'):
        some = {image for image, _ in pairs(tmp_path / f'some/{part}.lmdb')}
        assert some == {
            image for image, _ in pairs(tmp_path / f'all/{part}.lmdb')
        } & set(images[60:120]) and some
    run(capsys, path, tmp_path / 'salted', '--val', 0.3, '--salt', 'b')
    assert pairs(tmp_path / 'salted/val.lmdb') != pairs(
        tmp_path / 'all/val.lmdb')


def test_by_label(capsys, tmp_path, words):
    path, _, labels = words
    status, result = run(capsys, path, tmp_path / 'out', '--val', 0.3, '--by',
                         'label')
    assert status == 0 and result['by'] == 'label'
    train, val = (
        {label.lower() for _, label in pairs(tmp_path / f'out/{part}.lmdb')}
        for part in ('train', 'val'))
    assert train | val == {label.lower() for label in labels}
    assert not train & val
    # A record without a label belongs nowhere.
    few = make_lmdb(tmp_path / 'few', [picture(n) for n in range(30)],
                    [b'%d' % n for n in range(29)])
    _, result = run(capsys, few, tmp_path / 'x', '--val', 0.5, '--by',
                    'label')
    assert result['skipped']['counts'] == {'no label': 1}


def test_real_pictures(capsys, tmp_path, shared_data):
    toy = shared_data / 'rec_toy_dataset'
    status, result = run(capsys, toy / 'imgs', toy / 'broken.lmdb',
                         tmp_path / 'out', '--val', 0.4)
    assert status == 0
    assert result['skipped']['total'] == 1
    assert Path(result['skipped_file']).name == 'skipped.jsonl'
    parts = result['parts']
    assert parts['train']['records'] + parts['val']['records'] == 10
    assert min(part['records'] for part in parts.values()) > 0
    assert all(part['labelled'] == 0 for part in parts.values())
    assert main(['split', str(toy / 'imgs.lmdb'), str(tmp_path / 'b'),
                 '--val', '0.4']) == 0
    assert 'val.lmdb: ' in capsys.readouterr().out


@pytest.mark.parametrize('argv, message', [
    (['plain', 'out', '--by', 'label'], 'has no labels'),
    (['words', 'out', '--by', 'label', '--unlabelled'], '--unlabelled'),
    (['words', 'words'], 'is an LMDB; OUT_DIR'),
    (['plain', 'out'], 'out/val.lmdb would have no record'),
    (['words', 'there'], 'exists'),
])
def test_errors_leave_everything_as_it_was(capsys, tmp_path, monkeypatch,
                                           words, argv, message):
    monkeypatch.chdir(tmp_path)
    make_lmdb(Path('plain'), [picture(1)])
    Path('there/val.lmdb').mkdir(parents=True)
    before = sorted(tmp_path.rglob('*'))
    status, result = run(capsys, *argv)
    assert status == 1 and message in result['error']
    assert sorted(tmp_path.rglob('*')) == before


@pytest.mark.parametrize('share', ['0', '1', '1.5', 'half'])
def test_shares_that_make_no_split(share):
    with pytest.raises(SystemExit) as stopped:
        main(['split', 'a', 'b', '--val', share])
    assert stopped.value.code == 2
