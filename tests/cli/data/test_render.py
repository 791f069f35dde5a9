"""`render`: a set, its words and fonts; what is refused."""
import json

import cv2
import lmdb
import numpy as np
import pytest

from lmim.cli.data import main
from tests.datasets.make_lmdb import make_lmdb, picture

SMALL = ['--train', '24', '--test', '8', '--workers', '0']


@pytest.fixture
def render(run, tmp_path):
    """Renders into a folder of that name: exit status and result."""
    return lambda name, *argv: run('render', tmp_path / name, *SMALL, *argv)


def records(path):
    with lmdb.open(str(path), readonly=True, lock=False) as env:
        with env.begin() as txn:
            return {bytes(key): bytes(value) for key, value in txn.cursor()}


@pytest.mark.parametrize('argv', [
    [], ['paint'], ['render'], ['render', 'x', '--train', '0'],
    ['render', 'x', '--alphabet', 'ab', '--words', 'x'],
    *[['split', 'a', 'b', '--val', share] for share in ('0', '1.5', 'half')]
])
def test_wrong_command_lines_exit_2(argv, capsys):
    with pytest.raises(SystemExit) as stopped:
        main(argv)
    assert stopped.value.code == 2


def test_words_as_on_signs(render, run, tmp_path):
    """A set's labels, as the renderer's manner and style 'scene' have them."""
    labels = [f'{a}{b}treet' for a in 'aeiou' for b in 'rst']
    words = make_lmdb(tmp_path / 'words', [picture(1)] * len(labels),
                      [label.encode() for label in labels])
    scene = ('--words', words, '--manner', 'scene', '--style', 'scene')
    status, result = render('set', *scene)
    assert status == 0
    found = records(result['parts']['train']['path'])
    drawn = [found[b'label-%09d' % i].decode() for i in range(1, 25)]
    assert {word.lower() for word in drawn} & set(labels)
    assert any(word.isupper() for word in drawn) and set(drawn) - set(labels)
    settings = json.loads((tmp_path / 'set/rendered.json').read_text())[
        'settings']
    assert settings['words']['manner'] == 'scene'
    assert settings['style']['neighbored'] == 0.08
    # A set that was made before a setting came is as it was.
    manifest = tmp_path / 'set/rendered.json'
    held = json.loads(manifest.read_text())
    assert render('set', *scene)[1]['skipped'] is True
    held['settings']['style'].pop('loose')
    manifest.write_text(json.dumps(held))
    assert render('set', *scene)[0] == 1
    held['settings']['style'].update(loose=0.16, shear=10.)
    held['settings']['style'].pop('shear')  # at its default
    manifest.write_text(json.dumps(held))
    assert render('set', *scene)[1]['skipped'] is True
    status, error = run('render', tmp_path / 'no', '--manner', 'scene')
    assert status == 1


def test_render(run, tmp_path):
    out = tmp_path / 'set'
    status, result = run('render', out, *SMALL)
    assert status == 0 and result['skipped'] is False
    words, fonts = {}, {}
    for part, count in (('train', 24), ('test', 8)):
        about = result['parts'][part]
        assert about['samples'] == count
        found = records(about['path'])
        assert found[b'num-samples'] == str(count).encode()
        assert len(found) == 2 * count + 1
        words[part] = {found[b'label-%09d' % i].decode()
                       for i in range(1, count + 1)}
        fonts[part] = set(about['fonts'])
        image = cv2.imdecode(
            np.frombuffer(found[b'image-000000001'], np.uint8), 1)
        assert 28 <= image.shape[0] <= 2 * 48  # twice as high if bent
    assert not words['train'] & words['test']
    assert not fonts['train'] & fonts['test']
    manifest = json.loads((out / 'rendered.json').read_text())
    assert manifest['complete'] is True
    assert manifest['settings']['samples'] == {'train': 24, 'test': 8}
    assert set(manifest['settings']['fonts']['test']) == fonts['test']
    # 24 + 8 pictures, 8 in a row of 68 pixels.
    assert cv2.imread(result['sheet']).shape[0] == 4 * 68
    assert sorted(path.name for path in out.iterdir()) == [
        'rendered.json', 'samples.png', 'test.lmdb', 'train.lmdb'
    ]


def test_pairs_for_text_editing(run, tmp_path):
    out = tmp_path / 'pairs'
    status, result = run('render', out, *SMALL, '--pairs')
    assert status == 0 and result['kind'] == 'pairs'
    for part, count in (('train', 24), ('test', 8)):
        folder = out / part
        assert result['parts'][part]['path'] == str(folder)
        assert sorted(path.name for path in folder.iterdir()) == [
            'i_s', 'i_s.txt', 'i_t.txt', 'mask_s', 'mask_t', 't_b', 't_f']
        names = [f'{index:08d}.png' for index in range(count)]
        texts = []
        for file in ('i_s.txt', 'i_t.txt'):
            lines = (folder / file).read_text().splitlines()
            assert [line.split(' ')[0] for line in lines] == names
            texts.append([line.split(' ')[1] for line in lines])
        assert all(one != other for one, other in zip(*texts))
        source, target, erased, mask, other_mask = (
            cv2.imread(str(folder / name / names[-1]), cv2.IMREAD_UNCHANGED)
            for name in ('i_s', 't_f', 't_b', 'mask_s', 'mask_t'))
        assert source.shape == target.shape == erased.shape
        assert mask.shape == other_mask.shape == source.shape[:2]
        differs = np.abs(source.astype(int) - erased).max(axis=2)
        assert differs[mask > 250].mean() > 5 * differs[mask == 0].mean()
    # Whole: nothing to do. Of pairs, no set of words is made, nor back.
    assert run('render', out, *SMALL, '--pairs')[1]['skipped'] is True
    status, error = run('render', out, *SMALL)
    assert status == 1 and 'other settings (pairs)' in error['error']
    for missing in ('t_b/00000000.png', 'i_t.txt'):
        (out / 'test' / missing).unlink()
        assert run('render', out, *SMALL, '--pairs')[1]['skipped'] is False
        assert (out / 'test' / missing).is_file()


def test_the_seed_alone_decides(render, tmp_path):
    """In any number of processes."""
    for name, *argv in (('a', ), ('b', '--workers', 2), ('c', '--seed', 6)):
        assert render(name, *argv)[0] == 0
    for file in ('train.lmdb/data.mdb', 'test.lmdb/data.mdb',
                 'rendered.json', 'samples.png'):
        one, two, other = ((tmp_path / name / file).read_bytes()
                           for name in 'abc')
        assert one == two != other, file


def test_render_skips_resumes_and_refuses(run, tmp_path, capsys):
    train = tmp_path / 'train.lmdb' / 'data.mdb'
    run('render', tmp_path, *SMALL)
    made, whole = train.stat().st_mtime_ns, train.read_bytes()
    assert run('render', tmp_path, *SMALL)[1]['skipped'] is True
    assert main(['render', str(tmp_path), *SMALL]) == 0
    assert 'Nothing to do' in capsys.readouterr().out
    assert train.stat().st_mtime_ns == made

    status, result = run('render', tmp_path, *SMALL, '--seed',
                               1)
    assert status == 1 and 'other settings (seed)' in result['error']
    assert train.read_bytes() == whole

    # Broken off: the manifest is there, not complete.
    manifest = json.loads((tmp_path / 'rendered.json').read_text())
    manifest['complete'] = False
    (tmp_path / 'rendered.json').write_text(json.dumps(manifest))
    (tmp_path / 'test.lmdb' / 'data.mdb').unlink()
    assert run('render', tmp_path, *SMALL)[1]['skipped'] is False
    assert train.read_bytes() == whole
    assert len(records(tmp_path / 'test.lmdb')) == 17

    status, result = run('render', tmp_path, *SMALL, '--seed', 1,
                             '--overwrite')
    assert status == 0 and train.read_bytes() != whole


def test_render_keeps_what_others_made(run, tmp_path):
    (tmp_path / 'train.lmdb').mkdir()
    status, result = run('render', tmp_path, *SMALL)
    assert status == 1 and 'was not made by this' in result['error']
    assert [path.name for path in tmp_path.iterdir()] == ['train.lmdb']


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


def test_words_of_another_set(render, tmp_path):
    labels = [b'w%d' % number for number in range(40)]
    path = make_lmdb(tmp_path / 'labelled', [picture(1)] * 40, labels)
    status, result = render('two', '--words', path)
    assert status == 0
    for part in ('train', 'test'):
        made = records(result['parts'][part]['path'])
        assert {value for key, value in made.items()
                if key.startswith(b'label')} <= set(labels)


@pytest.mark.parametrize('argv, message', [
    (['--words', 'no/such/list'], 'do not exist'),
    (['--style-options', 'curl=1'], 'no setting curl'),
    (['--alphabet', 'abא'], 'right to left'),
    (['--alphabet', 'ab好'], 'cannot be drawn: no font has them'),
    (['--fonts', 'matplotlib', 'no/such/place'], 'does not exist'),
    (['--max-length', '2'], 'Lengths are'),
    (['--min-length', '5', '--max-length', '4'], 'Lengths are'),
    (['--difficulty', '-1'], 'difficulty is 0 or more'),
])
def test_what_is_refused(render, tmp_path, argv, message):
    status, result = render('x', *argv)
    assert status == 1 and message in result['error']
    assert not (tmp_path / 'x').exists()
