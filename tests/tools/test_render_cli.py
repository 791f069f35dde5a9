"""Options of `lmim data render`: words, fonts, masks, processes."""
import json

import cv2
import lmdb
import numpy as np
import pytest

from lmim.cli.data import main

SMALL = ['--train', '24', '--test', '8', '--workers', '0']


@pytest.fixture
def render(tmp_path, capsys):
    """Render into a folder; the exit status and what is told."""

    def run(name, *argv):
        status = main(['render', str(tmp_path / name), *SMALL,
                       *map(str, argv), '--json'])
        return status, json.loads(capsys.readouterr().out)

    return run


def records(path):
    with lmdb.open(str(path), readonly=True, lock=False) as env:
        with env.begin() as txn:
            return {bytes(key): bytes(value) for key, value in txn.cursor()}


def test_any_number_of_processes_writes_the_same(render, tmp_path):
    for name, workers in (('one', 0), ('two', 2)):
        assert render(name, '--masks', '--workers', workers)[0] == 0
    for file in ('train.lmdb/data.mdb', 'test_masks.lmdb/data.mdb',
                 'rendered.json', 'samples.png'):
        one, two = ((tmp_path / name / file).read_bytes()
                    for name in ('one', 'two'))
        assert one == two, file


def test_masks_and_boxes_belong_to_the_pictures(render, tmp_path):
    _, result = render('set', '--masks')
    for part, count in (('train', 24), ('test', 8)):
        about = result['parts'][part]
        pictures, masks = records(about['path']), records(about['masks'])
        assert pictures.keys() == masks.keys() and len(masks) == 2 * count + 1
        for number in (1, count):
            image, mask = (
                cv2.imdecode(np.frombuffer(found[b'image-%09d' % number],
                                           np.uint8), flags)
                for found, flags in ((pictures, 1), (masks, -1)))
            assert image.shape[:2] == mask.shape
            told = json.loads(masks[b'label-%09d' % number])
            text = pictures[b'label-%09d' % number].decode()
            assert told['text'] == text
            boxes = np.array(told['boxes'], np.float32).reshape(-1, 4, 2)
            assert len(boxes) == len(text)
            inside = np.zeros_like(mask)
            cv2.fillPoly(inside, list(boxes.round().astype(int)), 255)
            inside = cv2.dilate(inside, np.ones((3, 3)))
            assert not (inside[mask > 127] == 0).any()
    # They are part of what is there, or is not.
    assert render('set', '--masks')[1]['skipped'] is True
    (tmp_path / 'set' / 'test_masks.lmdb' / 'data.mdb').unlink()
    assert render('set', '--masks')[1]['skipped'] is False
    status, result = render('set')
    assert status == 1 and 'other settings (masks)' in result['error']
    # No masks of another set are left.
    assert render('set', '--seed', 1, '--overwrite')[0] == 0
    assert sorted(path.name for path in (tmp_path / 'set').iterdir()) == [
        'rendered.json', 'samples.png', 'test.lmdb', 'train.lmdb']


def test_words_of_a_list_and_what_is_left_out(render, tmp_path):
    path = tmp_path / 'words.txt'
    path.write_text('\n'.join(['סוף', *(f'w{i}' for i in range(40))]),
                    encoding='utf-8')
    status, result = render('set', '--words', path, '--min-length', 2,
                            '--style-options', 'bent=1', 'height=32,32')
    assert status == 0
    (told, ) = result['left_out']
    assert told.startswith('1 word(s) left out, of scripts that run from')
    labels = {value.decode() for part in ('train', 'test') for key, value in
              records(result['parts'][part]['path']).items()
              if key.startswith(b'label')}
    assert labels <= {f'w{i}' for i in range(40)} and len(labels) > 10
    manifest = json.loads((tmp_path / 'set' / 'rendered.json').read_text())
    assert manifest['left_out'] == [told] and manifest['complete'] is True
    assert manifest['settings']['style']['height'] == [32, 32]
    assert manifest['settings']['style']['bent'] == 1
    # Other words under the same name are another set.
    path.write_text('\n'.join(f'v{i}' for i in range(40)))
    status, result = render('set', '--words', path, '--min-length', 2,
                            '--style-options', 'bent=1', 'height=32,32')
    assert status == 1 and 'other settings (words)' in result['error']


def test_words_like_those_of_another_set(render):
    """The labels of a set that was rendered, imitated."""
    _, first = render('one', '--alphabet', 'abcde')
    status, result = render('two', '--statistics',
                            first['parts']['train']['path'], '--order', 1)
    assert status == 0
    for part in ('train', 'test'):
        for key, value in records(result['parts'][part]['path']).items():
            if key.startswith(b'label'):
                assert set(value.decode()) <= set('abcde')


@pytest.mark.parametrize('argv, message', [
    (['--words', 'no/such/list'], 'do not exist'),
    (['--style-options', 'curl=1'], 'no setting curl'),
    (['--alphabet', 'abא'], 'right to left'),
    (['--fonts', 'matplotlib', 'no/such/place'], 'does not exist'),
    (['--max-length', '2'], 'Lengths are'),
])
def test_what_is_refused(render, tmp_path, argv, message):
    status, result = render('x', *argv)
    assert status == 1 and message in result['error']
    assert not (tmp_path / 'x').exists()


def test_two_kinds_of_words_exit_2(tmp_path):
    with pytest.raises(SystemExit) as stopped:
        main(['render', str(tmp_path), '--alphabet', 'ab', '--words', 'x'])
    assert stopped.value.code == 2
