"""`tools/data.py render` and `crop`."""
import json
import runpy
import sys
from io import BytesIO

import cv2
import lmdb
import numpy as np
import pytest
from PIL import Image

from lmim.cli.data import COMMANDS, main

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


def test_help_tells_of_all_commands(repo, capsys, monkeypatch):
    monkeypatch.setattr(sys, 'argv', ['data.py', '--help'])
    monkeypatch.setattr(sys, 'path', list(sys.path))
    with pytest.raises(SystemExit) as stopped:
        runpy.run_path(str(repo / 'tools' / 'data.py'), run_name='__main__')
    assert stopped.value.code == 0
    told = capsys.readouterr().out
    assert 'exit status' in told
    assert set(COMMANDS) >= {'crop', 'render'}
    for command in COMMANDS.values():
        assert command.summary in told


@pytest.mark.parametrize('argv', [
    [], ['paint'], ['render'], ['render', 'x', '--train', '0'],
    ['crop', 'a', 'b'], ['crop', 'a', 'b', 'c', '--min-size', '0']
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


def test_crop_real_scenes_into_an_lmdb(tmp_path, capsys, shared_data):
    scenes = shared_data / 'scene_images'
    out = tmp_path / 'words.lmdb'
    status, result, _ = _run(capsys, 'crop', scenes / 'polygons.json', scenes,
                             out)
    assert status == 0
    assert (result['images'], result['instances']) == (10, 82)
    assert result['written'] + sum(result['skipped'].values()) == 82
    assert result['skipped'] == {'a side is below 8 pixels': 1}
    assert result['skipped_instances'][0]['image'].endswith('img_9.jpg')
    records = _records(out)
    assert records[b'num-samples'] == b'81' and len(records) == 82
    # The first word of the first scene is its upright box, pixel for pixel.
    first = json.loads((scenes / 'polygons.json').read_text())['data_list'][0]
    left, top, right, bottom = map(int, first['instances'][0]['bbox'])
    scene = cv2.imread(str(scenes / 'img_10.jpg'))
    word = cv2.imdecode(
        np.frombuffer(records[b'image-000000001'], np.uint8), 1)
    assert (word == scene[top:bottom, left:right]).all()


def test_crop_real_scenes_into_a_folder(tmp_path, capsys, shared_data):
    scenes = shared_data / 'scene_images'
    argv = ['crop', scenes / 'polygons.json', scenes, tmp_path / 'words',
            '--rectify', '--ignored', 'skip', '--min-size', '1']
    status, result, _ = _run(capsys, *argv)
    assert status == 0 and result['written'] == 21
    assert result['skipped'] == {"marked 'ignore'": 61}
    files = sorted((tmp_path / 'words').iterdir())
    assert len(files) == 21 and files[0].name.startswith('000000001-img_10-')
    assert cv2.imread(str(files[0])) is not None
    status, result, _ = _run(capsys, *argv)
    assert status == 1 and 'exists' in result['error']


@pytest.fixture
def scene(tmp_path):
    """Writes an annotation, and an image 60x40 with a red left half."""
    image = np.zeros((40, 60, 3), np.uint8)
    image[:, :30, 2] = 255
    cv2.imwrite(str(tmp_path / 'scene.png'), image)

    def annotate(*instances, img_path='deep/scene.png', **entry):
        path = tmp_path / 'ann.json'
        path.write_text(json.dumps({'data_list': [
            dict(img_path=img_path, instances=instances, **entry)
        ]}))
        return path

    return annotate


def test_crop_counts_what_it_leaves_out(tmp_path, capsys, scene):
    annotation = scene(
        dict(polygon=[20, 10, 40, 10, 40, 20, 20, 20]),
        dict(bbox=[50, 30, 90, 90]),  # clipped to 10x10
        dict(polygon=[100, 100, 120, 100, 120, 120, 100, 120]),
        dict(polygon=[1, 2, 3]), dict(polygon=['x', 1] * 4), dict(), 7,
        dict(bbox=[0, 0, 30, 4]))
    status, result, err = _run(capsys, 'crop', annotation, tmp_path,
                               tmp_path / 'out')
    assert status == 0 and result['written'] == 2
    assert result['skipped'] == {
        'no part of it lies in the image': 1,
        'malformed polygon': 3,
        'malformed instance': 1,
        'a side is below 8 pixels': 1,
    }
    shapes = [cv2.imread(str(path)).shape
              for path in sorted((tmp_path / 'out').iterdir())]
    assert shapes == [(10, 20, 3), (10, 10, 3)]


@pytest.mark.parametrize('polygon', [
    [20, 10, 40, 10, 40, 20, 20, 20],  # clockwise from top left
    [20, 10, 20, 20, 40, 20, 40, 10],  # the other way round: not mirrored
])
def test_rectified_crops_are_not_mirrored(tmp_path, capsys, scene, polygon):
    status, _, _ = _run(capsys, 'crop', scene(dict(polygon=polygon)),
                        tmp_path, tmp_path / 'out', '--rectify')
    assert status == 0
    word = cv2.imread(str(next((tmp_path / 'out').iterdir())))
    assert word.shape == (10, 20, 3)
    assert (word[:, :9, 2] == 255).all() and (word[:, 11:, 2] == 0).all()


def test_turned_pictures_follow_the_annotation(tmp_path, capsys, scene):
    """A 60x40 picture with the EXIF note 'turn by 90 degrees'."""
    exif = Image.Exif()
    exif[0x0112] = 6
    buffer = BytesIO()
    Image.open(tmp_path / 'scene.png').save(buffer, 'JPEG', exif=exif)
    (tmp_path / 'turned.jpg').write_bytes(buffer.getvalue())
    word = dict(bbox=[0, 0, 12, 30])
    for size, wanted in (((60, 40), 30), ((40, 60), 30)):
        annotation = scene(word, img_path='turned.jpg', height=size[0],
                           width=size[1])
        status, _, _ = _run(capsys, 'crop', annotation, tmp_path,
                            tmp_path / 'out', '--overwrite')
        assert status == 0
        red = cv2.imread(str(next((tmp_path / 'out').iterdir())))[..., 2]
        assert red.shape == (wanted, 12)
        assert red[:28].min() > 200  # turned: top half; as is: left half
    annotation = scene(word, img_path='turned.jpg', height=10, width=10)
    status, result, _ = _run(capsys, 'crop', annotation, tmp_path,
                             tmp_path / 'none')
    assert status == 1
    assert 'image is 40x60 pixels where the annotation says 10x10' in (
        result['error'])


def test_unreadable_images_are_counted(tmp_path, capsys, scene):
    annotation = scene(dict(bbox=[0, 0, 20, 20]))
    content = json.loads(annotation.read_text())
    content['data_list'] += [
        dict(img_path=name, instances=[dict(bbox=[0, 0, 20, 20])] * 2)
        for name in ('broken.jpg', 'empty.jpg')
    ]
    annotation.write_text(json.dumps(content))
    (tmp_path / 'broken.jpg').write_bytes(b'no picture')
    (tmp_path / 'empty.jpg').write_bytes(b'')
    status, result, _ = _run(capsys, 'crop', annotation, tmp_path,
                             tmp_path / 'out.lmdb')
    assert status == 0 and result['written'] == 1
    assert result['skipped'] == {'image cannot be decoded': 4}
    names = {item['image'] for item in result['skipped_instances']}
    assert names == {str(tmp_path / 'broken.jpg'),
                     str(tmp_path / 'empty.jpg')}


def test_missing_images_are_named_at_once(tmp_path, capsys, scene):
    annotation = scene()
    annotation.write_text(json.dumps({'data_list': [
        dict(img_path=name, instances=[])
        for name in ('scene.png', 'a/one.jpg', 'two.jpg')
    ]}))
    status, result, _ = _run(capsys, 'crop', annotation, tmp_path,
                             tmp_path / 'out')
    assert status == 1
    assert '2 of 3 images' in result['error']
    assert 'a/one.jpg' in result['error'] and 'two.jpg' in result['error']
    assert not (tmp_path / 'out').exists()


@pytest.mark.parametrize('content, message', [
    (None, 'does not exist'),
    ('no json', 'not of the right format'),
    ('[]', 'not of the right format'),
    ('{"data_list": [{"img_path": "a"}]}', 'not of the right format'),
    ('{"data_list": []}', 'names no image'),
    ('{"data_list": [{"img_path": "scene.png", "instances": []}]}',
     'it has no instances'),
])
def test_crop_errors(tmp_path, capsys, scene, content, message):
    annotation = tmp_path / 'given.json'
    scene()
    if content is not None:
        annotation.write_text(content)
    status, result, _ = _run(capsys, 'crop', annotation, tmp_path,
                             tmp_path / 'out')
    assert status == 1 and message in result['error']
    assert not (tmp_path / 'out').exists()
