"""Lists of images: their formats, and where their images are found."""
import json
import os
import pickle
import tracemalloc

import pytest

from lmim.datasets.records import (UnreadableRecordError, lists,
                                   open_sources)


@pytest.fixture
def write(tmp_path):
    """Writes a list, and its images: the content of each is its name."""

    def write(content, images=(), name='list.txt'):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else
                         content.encode())
        for image in images:
            file = path.parent / image
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(image.encode())
        return str(path)

    return write


def entries(source):
    """Contents and labels of all records."""
    return [(source.read(i).decode(), source.label(i))
            for i in range(len(source))]


def mmocr(pairs, **layout):
    """MMOCR's JSON."""
    return json.dumps(dict(
        metainfo=dict(dataset_type='TextRecogDataset', more=[1, {'a': '}'}]),
        data_list=[dict(img_path=path, instances=[dict(text=text)])
                   for path, text in pairs]), **layout)


TEXTS = {
    'tabs': ('a.jpg\tGröße\nb c/d.png\ttwo  words \n', [
        ('a.jpg', 'Größe'), ('b c/d.png', 'two  words')]),
    'tabs, BOM, CRLF, blank lines': (
        '\ufeff\r\na.jpg\tx\r\n\r\n \t \r\nb c/d.png\ty\r\n\n', [
            ('a.jpg', 'x'), ('b c/d.png', 'y')]),
    'tabs, empty and no label': ('a.jpg\t\nb c/d.png\n', [
        ('a.jpg', ''), ('b c/d.png', None)]),
    'tabs in the label': ('a.jpg\tx\ty\n', [('a.jpg', 'x\ty')]),
    'blanks': ('a.jpg two words\nd  x \r\ne.png', [
        ('a.jpg', 'two words'), ('d', 'x'), ('e.png', None)]),
    'blanks, and a tab in the label': (
        'd x\ty\nd z\nd w', [('d', 'x\ty'), ('d', 'z'), ('d', 'w')]),
    'paths': ('a.jpg\nb c/d.png\n', [('a.jpg', None), ('b c/d.png', None)]),
    'paths without suffix': ('d\na.jpg', [('d', None), ('a.jpg', None)]),
}


@pytest.mark.parametrize('case', TEXTS)
def test_text(write, case):
    content, wanted = TEXTS[case]
    path = write(content, ['a.jpg', 'b c/d.png', 'd', 'e.png'])
    source = open_sources(path)
    assert entries(source) == wanted
    unlabelled = case.startswith('paths')
    assert source.labelled == (not unlabelled)
    assert source.layout == ('list of paths' if unlabelled else
                             'list of paths and labels')
    assert source.name(0) == os.path.join(os.path.dirname(path), wanted[0][0])
    assert entries(pickle.loads(pickle.dumps(source))) == wanted


def test_json_lines(write):
    path = write('\ufeff{"filename": "a.jpg", "text": "Gr\\u00f6\\u00dfe"}\r\n'
                 '\n {"image": "a.jpg", "label": "ö\\n"}\n'
                 '{"img_path": "a.jpg"}\n{"filename": "a.jpg", "text": 5}\n'
                 '{"filename": "a.jpg", "text": "x"\n{"text": "x"}\n'
                 '{"img_path": "a.jpg", "instances": [{"text": "y"}]}',
                 ['a.jpg'], 'list.jsonl')
    source = open_sources(path)
    assert (source.layout, source.labelled, len(source)) == ('JSON lines',
                                                             True, 7)
    assert [source.label(i) for i in (0, 1, 2, 6)] == ['Größe', 'ö\n', None,
                                                       'y']
    assert source.read(3) == b'a.jpg'
    with pytest.raises(UnreadableRecordError, match='no string but 5'):
        source.label(3)
    with pytest.raises(UnreadableRecordError, match='malformed JSON'):
        source.read(4)
    with pytest.raises(UnreadableRecordError, match=r'no path \(as one of '
                       'img_path, filename, image'):
        source.read(5)
    assert source.name(5) == f'{path} entry 6'
    assert source.label(5) == 'x'


@pytest.mark.parametrize('layout', [
    {}, dict(indent=4), dict(separators=(',', ':'), ensure_ascii=False)])
def test_mmocr_json(write, layout):
    wanted = [('a.jpg', 'Größe "}]'), ('b c/d.png', '字\\'), ('a.jpg', '')]
    source = open_sources(write('\ufeff' + mmocr(wanted, **layout),
                                ['a.jpg', 'b c/d.png']))
    assert (source.layout, source.labelled) == ('MMOCR JSON', True)
    assert entries(source) == wanted
    assert entries(pickle.loads(pickle.dumps(source))) == wanted


def test_mmocr_json_without_text(write):
    data = [dict(img_path='a.jpg'), dict(img_path='a.jpg', instances=[]),
            dict(img_path='a.jpg', instances=[dict(polygon=[1, 2])]),
            dict(img_path='a.jpg', instances=[dict(text='a')] * 2),
            dict(img_path='a.jpg', instances=[dict(image='b')]), [], {},
            dict(img_path='a.jpg', instances=5)]
    path = write(json.dumps(dict(data_list=data, image='x')), ['a.jpg'])
    source = open_sources(path)
    assert len(source) == 8 and not source.labelled
    assert [source.label(i) for i in (0, 1, 2, 4)] == [None] * 4
    for index, reason in [(3, '2 instances.*data crop'), (5, 'no JSON object'),
                          (7, '"instances" is no list of objects but 5')]:
        with pytest.raises(UnreadableRecordError, match=reason):
            source.label(index)
    assert source.read(3) == source.read(4) == b'a.jpg'
    with pytest.raises(UnreadableRecordError, match='no path'):
        source.read(6)


def test_what_is_no_list_is_refused(write):
    for content, reason in {
            '': 'is empty: it lists no image',
            '\n \r\n': 'is empty: it lists no image',
            '{"data_list": []}': 'is empty: it lists no image',
            b'PK\3\4\0\0': 'is a file, and no list of images',
            'a.jpg\tx'.encode('utf-16'): 'is in UTF-16. Save it as UTF-8',
            '{"a": 1,\n "b": {}}': 'without a list "data_list"',
            '{"data_list": 5}': 'without a list "data_list"',
            '{"data_list": [{"img_path": "a.jpg"} {}]}': "',' delimiter",
            '{"data_list": [{"img_path": "a.jpg"}': "',' delimiter",
            '{"data_list": [{"img_path": }]}': 'Expecting value: line 1 c',
            '{"data_list": [' + '[' * 100000: 'recursion',
            b'{"data_list": ["\xe4"]}': "can't decode byte 0xe4",
            '{"filename": "a.jpg"\n{"filename": "b.jpg"}': 'JSON lines',
            '{"a": 1}\n{"a": 2}': 'none of its first entries names an image',
    }.items():
        with pytest.raises(ValueError, match=reason) as error:
            open_sources(write(content, ['a.jpg']))
        assert 'list.txt' in str(error.value)
    with pytest.raises(ValueError, match='does not begin with an object'):
        open_sources(write('[{"img_path": "a.jpg"}]', name='list.json'))


def test_labels_and_paths_that_are_not_utf8(write, tmp_path):
    name = os.fsdecode('字.jpg'.encode('gbk'))
    (tmp_path / name).write_bytes(b'1')
    source = open_sources(write('字.jpg\t字'.encode('gbk')))
    assert source.read(0) == b'1'
    with pytest.raises(UnreadableRecordError, match='not UTF-8'):
        source.label(0)
    source.name(0).encode('utf-8')  # any log takes it
    path = write('{"filename": "a\\ud800", "text": "x"}\n'
                 '{"filename": "a.jpg", "text": "\\ud800"}', ['a.jpg'])
    source = open_sources(path)
    with pytest.raises(UnreadableRecordError, match='no path of a file'):
        source.read(0)
    source.name(0).encode('utf-8')
    with pytest.raises(UnreadableRecordError, match='no valid text'):
        source.label(1)
    source = open_sources(write(mmocr([('a.jpg', '\ud800'), ('a.jpg', 'x')])))
    with pytest.raises(UnreadableRecordError, match='malformed JSON'):
        source.label(0)
    assert source.label(1) == 'x'


def test_missing_images_are_unreadable_records(write):
    source = open_sources(write('gone.jpg\ta\na.jpg\tb', ['a.jpg']))
    with pytest.raises(UnreadableRecordError, match='No such file'):
        source.read(0)
    assert source.read(1) == b'a.jpg' and source.label(0) == 'a'


def test_image_root(write, tmp_path, messages):
    content = mmocr([('x/1.jpg', 'a'), ('x/2.jpg', 'b')])
    path = write(content, name='annos/deep/list.json')
    with pytest.raises(ValueError) as error:
        open_sources(path)
    message = str(error.value)
    for part in ('none of the first 2 images exists', "'x/1.jpg'",
                 str(tmp_path / 'annos/deep'), str(tmp_path / 'annos'),
                 f'{tmp_path},', 'the working directory',
                 f"dict(path='{path}', image_root=FOLDER)",
                 '--image-root FOLDER'):
        assert part in message
    # As the lists of Union14M-L, which lie two folders below its images.
    (tmp_path / 'x').mkdir()
    (tmp_path / 'x' / '2.jpg').write_bytes(b'2')
    source = open_sources(path)
    assert source.image_root == str(tmp_path) and source.read(1) == b'2'
    assert messages() == f'{path}: its paths are relative to {tmp_path}.\n'
    # Two folders would do.
    (tmp_path / 'annos/deep/imgs/x').mkdir(parents=True)
    (tmp_path / 'annos/deep/imgs/x/1.jpg').write_bytes(b'1')
    with pytest.raises(ValueError, match='may be relative to any of '
                       f'{tmp_path}, {tmp_path}/annos/deep/imgs. Give'):
        open_sources(path)
    source = open_sources(
        dict(path='annos/deep/list.json', image_root='annos/deep/imgs'),
        data_root=str(tmp_path))
    assert source.read(0) == b'1'
    assert source.name(0) == f'{tmp_path}/annos/deep/imgs/x/1.jpg'
    # What is given is taken, and what is beside the list comes first.
    with pytest.raises(ValueError, match=f'relative to {tmp_path}/annos. G'):
        open_sources(dict(path=path, image_root=str(tmp_path / 'annos')))
    (tmp_path / 'annos/deep/x').mkdir()
    (tmp_path / 'annos/deep/x/2.jpg').write_bytes(b'3')
    assert open_sources(path).read(1) == b'3'


def test_absolute_paths(write, tmp_path):
    write('', ['a.jpg'], 'images/empty.txt')
    source = open_sources(write(f'{tmp_path}/images/a.jpg\tx'))
    assert source.read(0) == b'a.jpg'


def test_a_list_takes_little_more_memory_than_its_text(write, monkeypatch):
    """Entries are kept neither as objects nor by each worker."""
    content = mmocr([(f'images/{number % 7:08d}.jpg', 'word')
                     for number in range(3000)])
    write('', ['images/00000003.jpg'])
    path = write(content)
    monkeypatch.setattr(lists, 'HEAD_BYTES', 1000)
    tracemalloc.start()
    source = open_sources(path)
    kept, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert kept < len(content) / 10  # the rest is in shared memory
    assert peak < 6 * len(content)
    table = source._entries._data
    assert table.is_shared() and len(table) <= len(content)
