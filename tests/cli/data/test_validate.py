"""`validate`."""
import json

import pytest

from tests.datasets.make_lmdb import (make_lmdb, noise, picture,
                                      write_entries)


def test_a_truncated_lmdb_is_refused(run, tmp_path):
    path = make_lmdb(tmp_path / 'cut.lmdb', [picture(1) + b'\0' * 5000] * 50)
    file = tmp_path / 'cut.lmdb' / 'data.mdb'
    file.write_bytes(file.read_bytes()[:100000])
    status, result = run('validate', path)
    assert status == 1
    assert 'is truncated: data.mdb has 100,000 bytes' in result['error']


@pytest.fixture
def odd(tmp_path):
    """Records with something bad or odd about each but the first."""
    sizes = {6: (3, 30), 7: (4, 200)}
    pictures = [noise(1, *sizes.get(number, (12, 30)))[0]
                for number in range(1, 12)]
    records = list(zip(pictures, [
        b'good', b'x', b'x', b'\xff\xfe', None, b'low', b'long', b'',
        b' both sides ', 'a\u200bb\x07'.encode(),
        'e\u0301 ＡＢ 文'.encode()]))
    records[1:3] = [(b'', b'x'), (b'no picture', b'x')]
    records += [(None, b'no image'), (picture(13), b'plain')]
    entries = {b'num-samples': b'%d' % len(records)}
    for number, (image, label) in enumerate(records, 1):
        if image is not None:
            entries[b'image-%09d' % number] = image
        if label is not None:
            entries[b'label-%09d' % number] = label
    return write_entries(tmp_path / 'odd.lmdb', entries)


def test_bad_and_odd_records(run, report, odd, tmp_path):
    file = tmp_path / 'report.jsonl'
    status, result = run('validate', odd, '--report', file, '--workers', 0)
    assert status == 1
    assert result['bad']['total'] == 5 and result['odd_records'] == 7
    found = {int(item['record'][-9:]): item
             for item in map(json.loads, file.read_text().splitlines())}
    bad = {number: item['bad'] for number, item in found.items()
           if item['bad']}
    assert sorted(bad) == [2, 3, 4, 5, 12]
    assert bad[2] == 'no bytes' and bad[5] == 'no label'
    assert 'UTF-8' in bad[4] and 'no key' in bad[12]
    assert {number: item['odd'] for number, item in found.items()
            if item['odd']} == {
        6: ['a side is below 4 pixels: 30x3'],
        7: ['one side is over 30 times the other: 200x4'],
        8: ["label: empty: ''"],
        9: ["label: begins or ends with a blank: ' both sides '"],
        10: ["label: control character in it: 'a\\u200bb\\x07'",
             "label: invisible character in it: 'a\\u200bb\\x07'"],
        11: ["label: not in NFC: 'e\u0301 ＡＢ 文'"],
        13: ['a picture of one colour, without anything to read: '
             'BGR 13 13 13'],
    }
    assert result['odd']['counts']['label: control character in it'] == 1
    told = report('validate', odd, '--workers', 0)
    assert '13 records, 5 of them bad, 7 odd' in told
    assert 'bad, no label: 1' in told


def test_labels_may_be_left_out(run, odd):
    status, result = run('validate', odd, '--unlabelled', '--workers', 0)
    assert status == 1
    assert result['bad']['total'] == 3 and result['odd_records'] == 3


def test_labels_are_wanted_only_where_there_are_some(run, tmp_path):
    """Pictures without labels beside labelled ones are good."""
    plain = make_lmdb(tmp_path / 'plain', [picture(1)])
    status, result = run('validate', plain, '--workers', 2)
    assert status == 0 and result['ok'] is True
    assert result['bad'] == {'total': 0, 'counts': {}, 'first': []}
    words = make_lmdb(tmp_path / 'words', [picture(2)] * 2, [b'two'])
    status, result = run('validate', plain, words, '--workers', 0)
    assert status == 1 and result['bad']['counts'] == {'no label': 1}
    assert 'words image-000000002' in result['bad']['first'][0]['record']


def test_many_bad_records_are_counted_by_kind(run, report, tmp_path):
    """Kinds leave out what differs from record to record."""
    path = make_lmdb(tmp_path / 'bad', [
        picture(1), *(b'bad picture' + b'!' * number for number in range(30)),
        *[None] * 5
    ])
    status, result = run('validate', path, '--workers', 0)
    assert status == 1 and result['bad']['total'] == 35
    assert sorted(result['bad']['counts'].values()) == [5, 30]
    assert result['bad']['counts']['no key ...'] == 5
    assert len(result['bad']['first']) == 20
    told = report('validate', path, '--workers', 0)
    assert 'and 15 more' in told and '--report FILE.jsonl' in told


def test_an_old_report_stays_when_it_fails(run, tmp_path):
    report = tmp_path / 'report.jsonl'
    report.write_text('old')
    status, result = run('validate', tmp_path / 'missing', '--report', report)
    assert status == 1 and 'do not exist' in result['error']
    assert report.read_text() == 'old'
