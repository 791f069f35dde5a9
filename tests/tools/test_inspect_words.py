"""`tools/data.py inspect`."""
import json

import cv2
import numpy as np
import pytest

from lmim.cli.data import main
from lmim.cli.data.histograms import bars, spread
from lmim.cli.data.inspect_labels import kind_of
from tests.datasets.make_lmdb import make_lmdb, picture


def run(capsys, *argv):
    """Exit status and the JSON on standard output."""
    status = main(['inspect', *map(str, argv), '--workers', '0', '--json'])
    return status, json.loads(capsys.readouterr().out)


def test_spread():
    found = spread(np.array([1, 2, 2, 9, 40]), [0, 2, 4, 8, 16, 32])
    assert found == {
        'min': 1, 'median': 2, 'max': 40,
        'histogram': [[0, 2, 1], [2, 4, 2], [4, 8, 0], [8, 16, 1],
                      [16, 32, 0], [32, None, 1]]
    }
    assert spread(np.array([0.333333]), [0, 1, 2]) == {
        'min': 0.33, 'median': 0.33, 'max': 0.33, 'histogram': [[0, 1, 1]]
    }


def test_bars():
    assert bars(['a', 'bb', 'c'], [1, 1000, 0]) == [
        '   a     1 #', '  bb 1,000 ' + '#' * 40, '   c     0'
    ]
    assert bars([], []) == []


@pytest.mark.parametrize('char, kind', [
    ('a', 'Latin letters'), ('É', 'Latin letters'), ('文', 'Chinese letters'),
    ('ж', 'Cyrillic letters'), ('か', 'Hiragana letters'),
    ('7', 'digits and numbers'), ('７', 'digits and numbers beyond ASCII'),
    ('!', 'punctuation'), ('。', 'punctuation beyond ASCII'),
    ('€', 'symbols beyond ASCII'), (' ', 'blanks'),
    ('\u3000', 'blanks beyond ASCII'),
    ('\x07', 'control and invisible characters'),
])
def test_kinds_of_characters(char, kind):
    assert kind_of(char) == kind


def test_real_pictures(capsys, tmp_path, shared_data):
    toy = shared_data / 'rec_toy_dataset'
    sheet = tmp_path / 'deep' / 'sheet.png'
    status, result = run(capsys, toy / 'imgs.lmdb', toy / 'broken.lmdb',
                         '--sheet', sheet)
    assert status == 0 and result['records'] == 11
    assert [one['records'] for one in result['sources']] == [10, 1]
    sizes = [cv2.imread(str(path)).shape[:2]
             for path in (toy / 'imgs').iterdir()]
    pictures = result['pictures']
    # The broken one has a good header: only `validate` finds it.
    assert pictures['looked_at'] == 11
    assert pictures['formats'] == {'JPEG': 11}
    assert pictures['unreadable']['total'] == 0
    assert pictures['height']['min'] == min(height for height, _ in sizes)
    assert pictures['width']['max'] == max(width for _, width in sizes)
    assert sum(n for _, _, n in pictures['bytes']['histogram']) == 11
    entries = json.loads((toy / 'labels.json').read_text())['data_list']
    texts = [entry['instances'][0]['text'] for entry in entries]
    labels = result['labels']
    assert labels['looked_at'] == labels['labels'] == 11
    assert labels['different'] == len(set(texts)) + 1  # of the broken one
    assert labels['length']['max'] == max(map(len, texts))
    assert labels['characters']['/'] == ''.join(texts).count('/') == 2
    assert sum(labels['kinds'].values()) == sum(labels['characters'].values())
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


def test_counts(capsys, words):
    status, result = run(capsys, words)
    assert status == 0
    assert result['sources'] == [{
        'path': words, 'layout': 'LMDB with plain labels', 'records': 50,
        'labelled': True
    }]
    pictures, labels = result['pictures'], result['labels']
    assert pictures['unreadable']['total'] == 1
    assert pictures['formats'] == {'PNG': 49}
    width = pictures['width']
    assert (width['min'], width['max']) == (10, 59)
    assert width['histogram'] == [[8, 16, 6], [16, 32, 15], [32, 64, 28]]
    assert pictures['height']['histogram'] == [[8, 16, 49]]
    assert pictures['aspect ratio']['max'] == 5.9
    assert labels['labels'] == 48 and labels['different'] == 29
    assert labels['repeated'] == [['same', 20]]
    assert labels['length']['histogram'] == [[3, 4, 28], [4, 5, 20]]
    assert labels['characters']['w'] == 28
    assert labels['kinds'] == {
        'Latin letters': 28 + 80, 'digits and numbers': 56
    }
    assert labels['oddities']['odd']['missing']['labels'] == 1
    assert labels['oddities']['odd']['unreadable']['labels'] == 1


def test_samples(capsys, words):
    """What was looked at is told, and the same seed draws the same."""
    results = [run(capsys, words, '--sample', 20, '--seed', seed)[1]
               for seed in (1, 1, 2)]
    assert results[0] == results[1] != results[2]
    for result in results:
        assert result['pictures']['looked_at'] == 20
        assert result['labels']['looked_at'] == 20
    assert main(['inspect', words, '--sample', '20', '--workers', '0']) == 0
    told = capsys.readouterr().out
    assert 'pictures, 20 of 50 drawn at random:' in told
    assert 'labels, 20 of 50 drawn at random:' in told
    assert main(['inspect', words, '--sample', '0', '--workers', '0']) == 0
    told = capsys.readouterr().out
    assert 'pictures, all 50:' in told and 'labels, all 50:' in told
    assert "most frequent: 'same' 20x" in told
    assert '  32 to 64 28 ########' in told


def test_without_labels(capsys, tmp_path, shared_data):
    images = shared_data / 'rec_toy_dataset' / 'imgs'
    status, result = run(capsys, images)
    assert status == 0 and 'labels' not in result
    assert result['sources'][0]['layout'] == 'folder of images'
    status, result = run(capsys, images, '--sheet', tmp_path / 'a.txt')
    assert status == 1 and 'is to end in .png' in result['error']
