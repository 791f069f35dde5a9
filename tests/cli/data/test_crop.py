"""`crop`, with MMOCR's JSON of text detection and spotting."""
import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from lmim.datasets.records import open_sources
from tests.datasets.make_lmdb import read_entries


def test_real_scenes_into_an_lmdb(tmp_path, run, shared_data):
    scenes = shared_data / 'scene_images'
    out = tmp_path / 'words.lmdb'
    status, result = run('crop', scenes / 'polygons.json', scenes, out)
    assert status == 0
    assert (result['images'], result['instances']) == (10, 82)
    assert (result['written'], result['labelled']) == (81, 0)
    assert result['skipped']['counts'] == {'a side is below 8 pixels': 1}
    assert 'img_9.jpg, instance' in result['skipped']['first'][0]['record']
    records = read_entries(out)
    assert records[b'num-samples'] == b'81' and len(records) == 82
    # The first word of the first scene is its upright box, pixel for pixel.
    first = json.loads((scenes / 'polygons.json').read_text())['data_list'][0]
    left, top, right, bottom = map(int, first['instances'][0]['bbox'])
    scene = cv2.imread(str(scenes / 'img_10.jpg'))
    word = cv2.imdecode(
        np.frombuffer(records[b'image-000000001'], np.uint8), 1)
    assert (word == scene[top:bottom, left:right]).all()


def test_real_scenes_with_transcriptions(shared_data, tmp_path, run):
    """Transcribed words only, with their labels."""
    scenes = shared_data / 'scene_images'
    content = json.loads((scenes / 'polygons.json').read_text())
    for entry in content['data_list']:
        for number, word in enumerate(entry['instances']):
            word['text'] = '###' if word['ignore'] else f'w,{number}'
    annotation = tmp_path / 'spotting.json'
    annotation.write_text(json.dumps(content))
    # Straightened, into a folder: it gets a list.
    argv = ['crop', annotation, scenes, tmp_path / 'words', '--rectify']
    status, result = run(*argv)
    assert status == 0
    assert (result['images'], result['instances']) == (10, 82)
    assert result['written'] == result['labelled'] == 21
    assert result['skipped']['counts'] == {"marked 'ignore'": 61}
    source = open_sources(str(tmp_path / 'words' / 'labels.tsv'))
    assert len(source) == 21
    for index in range(len(source)):
        name = Path(source.name(index)).stem
        assert source.label(index) == f'w,{name.split("-")[-1]}'
    status, result = run(*argv)
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


def test_what_is_left_out_is_counted(tmp_path, run, scene):
    annotation = scene(
        dict(polygon=[20, 10, 40, 10, 40, 20, 20, 20]),
        dict(bbox=[50, 30, 90, 90]),  # clipped to 10x10
        dict(polygon=[100, 100, 120, 100, 120, 120, 100, 120]),
        dict(polygon=[1, 2, 3]), dict(polygon=['x', 1] * 4), dict(), 7,
        dict(bbox=[0, 0, 30, 4]))
    content = json.loads(annotation.read_text())
    for name in ('broken.jpg', 'empty.jpg'):
        (tmp_path / name).write_bytes(b'no picture'[:name == 'broken.jpg'])
        content['data_list'].append(
            dict(img_path=name, instances=[dict(bbox=[0, 0, 20, 20])] * 2))
    annotation.write_text(json.dumps(content))
    status, result = run('crop', annotation, tmp_path, tmp_path / 'out')
    assert status == 0 and result['written'] == 2
    assert result['skipped']['counts'] == {
        'image cannot be decoded': 4,
        'malformed polygon': 3,
        'no part of it lies in the image': 1,
        'malformed instance': 1,
        'a side is below 8 pixels': 1,
    }
    shapes = [cv2.imread(str(path)).shape
              for path in sorted((tmp_path / 'out').iterdir())]
    assert shapes == [(10, 20, 3), (10, 10, 3)]


def test_transcriptions_of_mmocr(tmp_path, run, scene):
    """Text spotting JSON: what has no text among labelled words is left."""
    annotation = scene(*[dict(bbox=[0, 0, 20, 20], **extra) for extra in (
        dict(text='a\tb'), dict(text='###'), dict(text='x', ignore=True),
        dict(), dict(text='two\nlines'))])
    status, result = run('crop', annotation, tmp_path, tmp_path / 'out.lmdb')
    assert status == 0 and result['written'] == 1
    assert result['skipped']['counts'] == {
        "marked 'ignore'": 2,
        'no transcription, as others have': 1,
        'its transcription has several lines': 1,
    }
    assert read_entries(tmp_path / 'out.lmdb')[b'label-000000001'] == b'a\tb'


@pytest.mark.parametrize('polygon', [
    [20, 10, 40, 10, 40, 20, 20, 20],  # clockwise from top left
    [20, 10, 20, 20, 40, 20, 40, 10],  # the other way round: not mirrored
])
def test_rectified_crops_are_not_mirrored(tmp_path, run, scene, polygon):
    run('crop', scene(dict(polygon=polygon)), tmp_path, tmp_path / 'out',
        '--rectify')
    word = cv2.imread(str(next((tmp_path / 'out').iterdir())))
    assert word.shape == (10, 20, 3)
    assert (word[:, :9, 2] == 255).all() and (word[:, 11:, 2] == 0).all()


@pytest.mark.parametrize('orientation', range(1, 9))
@pytest.mark.parametrize('rectify', [[], ['--rectify']])
def test_a_turned_picture_and_its_annotation(tmp_path, run, orientation,
                                             rectify):
    """EXIF turns the picture, and the places where it was not turned."""
    upright = np.full((60, 40), 255, np.uint8)
    upright[10:22, 4:34] = np.arange(0, 120, 4)  # dark at the left
    # Pillow turns back what the note will turn.
    back = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}
    stored = Image.fromarray(upright)
    if orientation > 1:
        stored = stored.transpose(Image.Transpose(back[orientation]))
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored.save(tmp_path / 'turned.png', exif=exif)
    mask = np.asarray(stored) < 120
    y, x = np.nonzero(mask)
    in_file = [x.min(), y.min(), x.max() + 1, y.max() + 1]
    cases = [((60, 40), [4, 10, 34, 22])]
    if orientation > 4:  # of the others both sizes are alike
        cases.append(((40, 60), [int(value) for value in in_file]))
    # Without a size: where the words lie tells, if it can.
    cases.append((None, cases[0][1]))
    if x.max() >= 40:
        cases.append((None, cases[1][1]))
    for size, box in cases:
        annotation = tmp_path / 'ann.json'
        annotation.write_text(json.dumps({'data_list': [dict(
            img_path='turned.png', instances=[dict(bbox=box)],
            **(dict(zip(('height', 'width'), size)) if size else {}))]}))
        run('crop', annotation, tmp_path, tmp_path / 'out', '--overwrite',
            *rectify)
        word = cv2.imread(str(next((tmp_path / 'out').iterdir())), 0)
        assert np.abs(word.astype(int) - upright[10:22, 4:34]).max() <= (
            4 if rectify else 0)


def test_a_picture_of_another_size_than_annotated(tmp_path, run, scene):
    annotation = scene(dict(bbox=[0, 0, 12, 30]), img_path='scene.png',
                       height=10, width=10)
    status, result = run('crop', annotation, tmp_path, tmp_path / 'none')
    assert status == 1
    assert 'image is 60x40 pixels where the annotation says 10x10' in (
        result['error'])


def _json(*names):
    return json.dumps({'data_list': [dict(img_path=name, instances=[])
                                     for name in names]})


@pytest.mark.parametrize('name, content, message', [
    ('given.json', None, 'does not exist'),
    ('given.json', 'no json', 'not of the right format'),
    ('given.json', '[]', 'not of the right format'),
    ('given.json', '[' * 100000, 'not of the right format'),
    ('given.json', '{"data_list": [{"img_path": "a"}]}', 'not of the right'),
    ('given.json', '{"data_list": []}', 'names no image'),
    ('given.json', _json('img_1.png'), 'it has no instances'),
    ('given.json', _json('img_1.png', 'a/1.jpg', '2.jpg'),
     '2 of 3 images that given.json names are not in images, neither by '
     'their path nor by their name: a/1.jpg, 2.jpg'),
])
def test_errors(tmp_path, run, monkeypatch, name, content, message):
    monkeypatch.chdir(tmp_path)
    Path('images').mkdir()
    cv2.imwrite('images/img_1.png', np.zeros((40, 60, 3), np.uint8))
    if content is not None:
        Path(name).write_text(content)
    status, result = run('crop', name, 'images', 'out')
    assert status == 1 and message in result['error']
    assert not Path('out').exists()
