"""`create` and `split`: what comes in, what comes out."""
import json
from pathlib import Path

import lmdb
import pytest

from lmim.cli.data import create, main
from lmim.datasets.splitting import part_of, word_key
from tests.datasets.make_lmdb import (make_lmdb, picture, read_entries,
                                      write_entries)


@pytest.mark.parametrize('workers', [0, 2])
def test_real_pictures_from_all_layouts(tmp_path, run, shared_data, workers):
    toy = shared_data / 'rec_toy_dataset'
    out = tmp_path / 'deep' / 'words.lmdb'
    status, result = run(
        'create', toy / 'imgs.lmdb', toy / 'imgs',
        toy / 'old_label.txt', toy / 'old_label.jsonl', toy / 'labels.json',
        toy / 'broken.lmdb', out, '--image-root', toy / 'imgs', '--workers',
        workers)
    assert status == 0
    assert (result['records'], result['written'], result['labelled']) == (
        51, 50, 40)
    assert [one['records'] for one in result['sources']] == [10] * 5 + [1]
    assert result['skipped']['total'] == 1
    made = read_entries(out)
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
    line, = skipped.read_text().splitlines()
    assert 'broken.lmdb image-000000001' in json.loads(line)['record']
    assert 'no image' in json.loads(line)['reason']
    assert sorted(p.name for p in out.parent.iterdir()) == [
        'words.lmdb', 'words.lmdb.skipped.jsonl'
    ]
    assert [p.name for p in out.iterdir()] == ['data.mdb']


def test_records_whose_labels_match_are_kept(tmp_path, run, capsys):
    labels = [b'abc', b'ab', b'a c', b'abc!', b'ABCD']
    words = make_lmdb(tmp_path / 'words', [picture(i) for i in range(5)],
                      labels)
    status, result = run('create', words, tmp_path / 'out', '--match',
                         '[A-Za-z]{3,}', '--workers', 0)
    assert status == 0
    made = read_entries(tmp_path / 'out')
    assert [made[b'label-%09d' % i] for i in (1, 2)] == [b'abc', b'ABCD']
    assert made[b'num-samples'] == b'2' and result['skipped']['total'] == 3
    with pytest.raises(SystemExit):
        main(['create', words, str(tmp_path / 'out'), '--match', '['])
    assert "'[' is no regular expression" in capsys.readouterr().err


def test_labels_of_another_lmdb(tmp_path, run, shared_data):
    toy = shared_data / 'rec_toy_dataset'
    images = tmp_path / 'images.lmdb'
    run('create', toy / 'imgs', images, '--workers', 0)
    status, result = run('create', images, tmp_path / 'out', '--labels',
                         toy / 'label.lmdb', '--workers', 0)
    assert status == 0 and result['labelled'] == 10
    wanted = json.loads(
        read_entries(toy / 'label.lmdb')[b'label-000000004'])['text']
    made = read_entries(tmp_path / 'out')
    assert made[b'label-000000004'].decode() == wanted
    status, result = run('create', images, images, tmp_path / 'x', '--labels',
                         toy / 'label.lmdb')
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


def test_broken_records_are_left_out_and_named(tmp_path, run, report, odd):
    out = tmp_path / 'out'
    status, result = run('create', odd, out, '--workers', 0)
    assert status == 0
    assert read_entries(out) == {
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
    options = ('--overwrite', '--workers', 0)
    status, result = run('create', odd, out, '--unlabelled', *options)
    assert status == 0 and result['skipped']['total'] == 3
    assert sorted(read_entries(out)) == [
        *(b'image-%09d' % number for number in range(1, 5)), b'num-samples'
    ]
    assert len(Path(result['skipped_file']).read_text().splitlines()) == 3
    words = report('create', odd, out, *options)
    assert '3 of 7 records are in' in words
    assert 'left out, no bytes: 1' in words
    # And of good ones: there is no list any more.
    run('create', out, tmp_path / 'good', '--workers', 0)
    run('create', tmp_path / 'good', out, *options)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        'good', 'odd.lmdb', 'out'
    ]


@pytest.mark.parametrize('argv, message', [
    (['create', 'missing.lmdb', 'out'], 'do not exist'),
    (['create', 'words', 'words'], 'exists'),
    (['create', 'words', 'words', '--overwrite'], 'is read from'),
    (['create', 'words', 'b/c', '--overwrite'], 'other things than an LMDB'),
    (['create', 'words', 'out', '--image-root', 'b'], 'no SOURCE is such'),
    (['create', 'bad', 'out'], 'would have no record'),
    (['split', 'plain', 'out', '--by', 'label'], 'has no labels'),
    (['split', 'words', 'out', '--by', 'label', '--unlabelled'],
     '--unlabelled'),
    (['split', 'words', 'words'], 'is an LMDB; OUT_DIR'),
    (['split', 'plain', 'out'], 'out/val.lmdb would have no record'),
    (['split', 'words', 'there'], 'exists'),
])
def test_errors_leave_everything_as_it_was(tmp_path, run, monkeypatch, argv,
                                           message):
    monkeypatch.chdir(tmp_path)
    make_lmdb(Path('words'), [picture(number) for number in range(9)],
              [b'w'] * 9)
    make_lmdb(Path('plain'), [picture(1)])
    make_lmdb(Path('bad'), [b'no picture'])
    Path('there/val.lmdb').mkdir(parents=True)
    Path('b/c').mkdir(parents=True)
    Path('b/c/notes.txt').write_text('mine')
    before = sorted(tmp_path.rglob('*'))
    status, result = run(*argv, '--workers', 0)
    assert status == 1 and message in result['error']
    assert [path for path in sorted(tmp_path.rglob('*'))
            if path.name != 'out' or path.is_file()] == before


@pytest.mark.parametrize('error, status', [(KeyboardInterrupt, 130),
                                           (OSError('disk is full'), 1)])
def test_broken_off_it_leaves_nothing(tmp_path, capsys, monkeypatch, error,
                                      status):
    path = make_lmdb(tmp_path / 'words', [picture(n) for n in range(30)])
    before = sorted(tmp_path.rglob('*'))
    read = create._read

    def fail(source, index, labels):
        if index == 20:
            raise error
        return read(source, index, labels)

    monkeypatch.setattr(create, '_read', fail)
    assert main(['create', path, str(tmp_path / 'out'), '--workers',
                 '0']) == status
    assert sorted(tmp_path.rglob('*')) == before
    if status == 1:
        assert 'words image-000000021: OSError: disk is full' in (
            capsys.readouterr().err)


def pairs(path):
    """Pictures and labels of an LMDB, in their order."""
    found = read_entries(path)
    return [(found[b'image-%09d' % number], found[b'label-%09d' % number])
            for number in range(1, int(found[b'num-samples']) + 1)]


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


def test_each_record_is_in_one_part(run, tmp_path, words):
    path, images, labels = words
    out = tmp_path / 'deep' / 'out'
    status, result = run('split', path, out, '--val', 0.25, '--workers', 2)
    assert status == 0
    train, val = pairs(out / 'train.lmdb'), pairs(out / 'val.lmdb')
    whole = list(zip(images, labels))
    assert val == [pair for pair in whole if part_of(pair[0], 0.25)]
    assert train == [pair for pair in whole if pair not in val]  # in order
    assert 25 < len(val) < 75
    assert result['parts']['val'] == {
        'path': str(out / 'val.lmdb'), 'records': len(val),
        'labelled': len(val)
    }
    assert sorted(file.name for file in out.iterdir()) == [
        'train.lmdb', 'val.lmdb'
    ]


def test_split_by_label(run, report, tmp_path, words):
    path, _, labels = words
    status, _ = run('split', path, tmp_path / 'out', '--val', 0.3, '--by',
                    'label', '--workers', 0)
    assert status == 0
    train, val = (
        {label.lower() for _, label in pairs(tmp_path / f'out/{part}.lmdb')}
        for part in ('train', 'val'))
    assert train | val == {label.lower() for label in labels}
    assert not train & val
    # A record without a label belongs nowhere.
    few = make_lmdb(tmp_path / 'few', [picture(n) for n in range(30)],
                    [b'%d' % n for n in range(29)])
    argv = ('split', few, tmp_path / 'x', '--val', 0.5, '--by', 'label',
            '--workers', 0)
    _, result = run(*argv)
    assert result['skipped']['counts'] == {'no label': 1}
    assert Path(result['skipped_file']) == tmp_path / 'x/skipped.jsonl'
    with lmdb.open(str(tmp_path / 'x/val.lmdb'), readonly=True,
                   lock=False) as env:
        held = result['parts']['val']['records']
        assert env.stat()['entries'] == 2 * held + 1
    assert f'val.lmdb: {held} records' in report(*argv, '--overwrite')
