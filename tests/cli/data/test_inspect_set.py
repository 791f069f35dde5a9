"""`inspect`."""
import json

import cv2
import pytest

from tests.datasets.make_lmdb import make_lmdb, picture


def test_real_pictures(run, tmp_path, shared_data):
    toy = shared_data / 'rec_toy_dataset'
    sheet = tmp_path / 'deep' / 'sheet.png'
    status, result = run('inspect', toy / 'imgs.lmdb', toy / 'broken.lmdb',
                         '--sheet', sheet, '--workers', 0)
    assert status == 0 and result['records'] == 11
    assert [one['records'] for one in result['sources']] == [10, 1]
    sizes = [cv2.imread(str(path)).shape[:2]
             for path in (toy / 'imgs').iterdir()]
    pictures = result['pictures']
    assert pictures['looked_at'] == 11
    assert pictures['formats'] == {'JPEG': 10}
    assert pictures['unreadable']['total'] == 1  # the broken one
    assert pictures['sizes']['height']['min'] == min(
        height for height, _ in sizes)
    assert pictures['sizes']['width']['max'] == max(
        width for _, width in sizes)
    entries = json.loads((toy / 'labels.json').read_text())['data_list']
    texts = [entry['instances'][0]['text'] for entry in entries]
    labels = result['labels']
    assert labels['looked_at'] == labels['labels'] == 11
    assert labels['different'] == len(set(texts)) + 1  # of the broken one
    assert labels['length']['max'] == max(map(len, texts))
    assert labels['characters']['/'] == ''.join(texts).count('/') == 2
    assert sum(labels['scripts'].values()) == sum(
        labels['characters'].values())
    # Two rows of eight; the broken one is a cross.
    image = cv2.imread(str(sheet))
    assert image.shape == (2 * 68, 8 * 196, 3)
    assert (image[68:, 2 * 196:3 * 196] == (0, 0, 200)).all(axis=2).any()


@pytest.fixture
def words(tmp_path):
    """50 pictures, one of them broken; labels, one of them missing."""
    images = [picture(number, 10, 10 + number) for number in range(50)]
    images[9] = b'nothing'
    labels = [b'same'] * 20 + [b'w%02d' % number for number in range(20, 48)]
    return make_lmdb(tmp_path / 'words', images, labels + [b'\xff'])


def test_counts(run, report, words):
    status, result = run('inspect', words, '--workers', 2)
    assert status == 0
    assert result['sources'] == [{
        'path': words, 'layout': 'LMDB with plain labels', 'records': 50,
        'labelled': True
    }]
    pictures, labels = result['pictures'], result['labels']
    assert pictures['unreadable']['total'] == 1
    assert 'image-000000010' in pictures['unreadable']['first'][0]['record']
    assert pictures['formats'] == {'PNG': 49}
    assert pictures['sizes']['width'] == {
        'min': 10, '5%': 12.4, 'median': 35, '95%': 56.6, 'max': 59}
    assert pictures['sizes']['width / height']['max'] == 5.9
    assert labels['labels'] == 48 and labels['different'] == 29
    assert labels['repeated'] == [['same', 20]]
    assert labels['warnings']['lengths'] == {'3': 28, '4': 20}
    assert labels['characters']['w'] == 28
    assert labels['scripts'] == {'Latin': 28 + 80, 'Common': 56}
    assert labels['warnings']['odd']['missing']['labels'] == 1
    assert labels['warnings']['odd']['unreadable']['labels'] == 1
    told = report('inspect', words, '--sample', 0, '--workers', 0)
    assert 'pictures, all 50:' in told and 'labels, all 50:' in told
    assert "most frequent: 'same' 20x" in told
    assert 'of each length: 3 28x; 4 20x' in told
    row, = (line.split() for line in told.splitlines()
            if line.startswith('height'))
    assert row == ['height', '10', '10', '10', '10', '10']


def test_samples(run, report, words):
    """What was looked at is reported, and is the same each time."""
    argv = ('inspect', words, '--workers', 0, '--sample', 20)
    result = run(*argv)[1]
    assert result == run(*argv)[1]
    assert result['pictures']['looked_at'] == 20
    assert result['labels']['looked_at'] == 20
    told = report(*argv)
    assert 'pictures, 20 of 50 drawn at random:' in told
    assert 'labels, 20 of 50 drawn at random:' in told


def test_without_labels(run, tmp_path, shared_data):
    images = shared_data / 'rec_toy_dataset' / 'imgs'
    status, result = run('inspect', images, '--workers', 0)
    assert status == 0 and 'labels' not in result
    assert result['sources'][0]['layout'] == 'folder of images'
    status, result = run('inspect', images, '--sheet', tmp_path / 'a.txt')
    assert status == 1 and 'is to end in .png' in result['error']
