"""Lists of images: their formats, and where their images are found."""
import json
import os
import pickle
import tracemalloc

import pytest

from lmim.utils.errors import UserError
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


ROWS = [('a.jpg', 'one'), ('b c/d.png', 'two, "2"'), ('e.png', 'Größe')]
#: Lists of these rows as other programs write them.
WRITTEN = {
    'easyocr.csv': 'filename,words\na.jpg,one\nb c/d.png,"two, ""2"""\n'
    'e.png,Größe\n',
    'unquoted.csv': 'filename,words\na.jpg,one\nb c/d.png,two, "2"\n'
    'e.png,Größe\n',
    'no_heading.csv': 'a.jpg,one\n"b c/d.png","two, ""2"""\ne.png,Größe\n',
    'excel.csv': '\ufeffsep=;\r\nBild;Wort\r\na.jpg;one\r\n'
    'b c/d.png;"two, ""2"""\r\ne.png;Größe\r\n',
    'pandas.csv': ',label,path,size\n0,one,a.jpg,7\n'
    '1,"two, ""2""",b c/d.png,7\n2,Größe,e.png,7\n',
    'pandas.tsv': '\tpath\tlabel\n0\ta.jpg\tone\n'
    '1\tb c/d.png\t"two, ""2"""\n2\te.png\tGröße\n',
    'heading.txt': 'image\ttext\na.jpg\tone\nb c/d.png\t"two, ""2"""\n'
    'e.png\tGröße\n',
    'icdar.txt': '\ufeffa.jpg, "one"\r\nb c/d.png, "two, \\"2\\""\r\n'
    'e.png, "Größe"\r\n',
    'windows.txt': 'a.jpg\tone\r\nb c\\d.png\ttwo, "2"\r\ne.png\tGröße',
    'mac.txt': 'a.jpg\tone\rb c/d.png\ttwo, "2"\re.png\tGröße\r',
    'labels.json': '{"a.jpg": "one", "b c/d.png": "two, \\"2\\"", '
    '"e.png": "Größe"}',
    'several_lines/labels.json': '{\n "a.jpg": "one",\n "b c/d.png": '
    '"two, \\"2\\"",\n "e.png": "Größe"\n}',
    'array.json': json.dumps([dict(filename=path, label=text)
                              for path, text in ROWS], indent=1),
    'metadata.jsonl': ''.join(json.dumps(dict(file_name=path, text=text))
                              + '\n' for path, text in ROWS),
}


@pytest.mark.parametrize('encoding', ['utf-8', 'utf-8-sig', 'utf-16',
                                      'cp1252'])
@pytest.mark.parametrize('name', WRITTEN)
def test_lists_of_other_programs(write, name, encoding, messages):
    text = WRITTEN[name].lstrip('\ufeff')
    if encoding == 'cp1252' and name.endswith('labels.json'):
        with pytest.raises(UserError, match='Save it as UTF-8'):
            open_sources(write(text.encode(encoding), [], name))
        return
    source = open_sources(write(text.encode(encoding), [
        path for path, _ in ROWS], name))
    assert source.labelled
    assert [(source.read(i).decode(), source.label(i))
            for i in range(len(source))] == ROWS
    assert ('is not in UTF-8: it is read as cp1252' in messages()) == (
        encoding == 'cp1252' and not text.isascii())
    assert entries(pickle.loads(pickle.dumps(source))) == ROWS


def test_several_pictures_of_a_text_and_mjsynth(write):
    source = open_sources(write(
        '["a.jpg", "b.jpg"]\tx y\n[\'a.jpg\']\tz\nb.jpg\tw\n',
        ['a.jpg', 'b.jpg']))
    assert entries(source) == [('a.jpg', 'x y'), ('b.jpg', 'x y'),
                               ('a.jpg', 'z'), ('b.jpg', 'w')]
    names = ['./2425/1/115_Lube_45484.jpg', "./2425/1/114_It's_41.jpg"]
    source = open_sources(write(f'{names[0]} 45484\n{names[1]} 41\n', names))
    assert entries(source) == [(names[0], 'Lube'), (names[1], "It's")]


@pytest.mark.parametrize('name, content, reason', [
    ('a.txt', 'C:\\data\\a.jpg\tx', 'are those of a Windows machine'),
    ('a.txt', 'no\\a.jpg\tx', 'the paths contain backslashes'),
    ('a.txt', 'word\ta.jpg\n', 'perhaps columns are swapped'),
    ('a.txt', '0\ta.jpg\tx\n', 'a column too many'),
    ('a.txt', 'a.jpg\u00a0x', r"picture is '\\xa0' .U\+00A0."),
    ('a.txt', 'a.jpg|x', r"picture is '\|' .U\+007C."),
    ('a.txt', 'a.jpg\t[{"transcription": "x", "points": []}]',
     'for text detection .of PaddleOCR.'),
    ('labels.json', '{"a.jpg": {"img_dimensions": [], "polygons": []}}',
     'for text detection .of docTR.'),
    ('a.csv', 'path,width,height\na.jpg,1,2\n',
     'the columns path, width, height, and none of them is known'),
])
def test_what_is_not_taken_is_told_for_what_it_is(write, name, content,
                                                  reason):
    with pytest.raises(ValueError, match=reason) as error:
        open_sources(write(content, ['a.jpg'], name))
    assert 'image_root' not in str(error.value)


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
        open_sources(write('"a.jpg"', name='list.json'))


def test_labels_and_paths_that_are_not_utf8(write, tmp_path, messages):
    # Unpacked elsewhere, the name of the file may have the list's encoding.
    name = os.fsdecode('字.jpg'.encode('gbk'))
    (tmp_path / name).write_bytes(b'1')
    source = open_sources(write('字.jpg\t字'.encode('gbk')))
    assert source.read(0) == b'1' and source.label(0) == '字'
    assert 'is not in UTF-8: it is read as gb18030' in messages()
    source.name(0).encode('utf-8')  # any log takes it
    # A damaged line beyond what is looked at first.
    good = 'a.jpg\tx\n' * 200000
    source = open_sources(write(good.encode() + b'a.jpg\t\xe4\n', ['a.jpg']))
    with pytest.raises(UnreadableRecordError, match='not UTF-8'):
        source.label(200000)
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


def test_a_damaged_line_does_not_decide_the_encoding(write, messages):
    """The others' labels would be read as other characters."""
    names = ['a.jpg', 'b.jpg', 'c.jpg']
    labels = ['Größe'.encode(), b'\xe4', '中文'.encode()]
    text = b''.join(name.encode() + b'\t' + label + b'\n'
                    for name, label in zip(names, labels))
    lines = b''.join(b'{"filename": "%s", "text": "%s"}\n' % (
        name.encode(), label) for name, label in zip(names, labels))
    only = b'{"filename": "a.jpg", "text": "x"}\n' + lines.split(b'\n')[1]
    for content, bad in ((text, 1), (lines, 1), (only, 1)):
        source = open_sources(write(content, names))
        for index in {0, 1, len(source) - 1} - {bad}:
            assert source.label(index) == (
                'x' if content is only else labels[index].decode())
        with pytest.raises(UnreadableRecordError, match="utf-8' codec"):
            source.label(bad)
    assert 'not in UTF-8' not in messages()


@pytest.mark.parametrize('cell', ['two\rlines', '"' + 'x' * 200000])
def test_rows_that_are_none_of_a_table(write, cell):
    source = open_sources(write(
        f'path,size,label\na.jpg,7,one\nb.jpg,7,{cell}\nc.jpg,7,three\n',
        ['a.jpg', 'b.jpg', 'c.jpg'], 'list.csv'))
    assert [(source.read(index), source.label(index)) for index in (0, 2)
            ] == [(b'a.jpg', 'one'), (b'c.jpg', 'three')]
    with pytest.raises(UnreadableRecordError):
        source.read(1)


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
