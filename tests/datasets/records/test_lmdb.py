"""LMDBs: what is recognised in them, and how they are opened."""
import json
import os
import pickle

import lmdb
import pytest

from lmim.datasets.records import (LMDBSource, UnreadableRecordError,
                                   open_sources)
from lmim.utils.errors import UserError
from tests.datasets.make_lmdb import make_lmdb, picture, write_entries


def as_json(*words):
    return [json.dumps(dict(filename='a.jpg', text=word),
                       ensure_ascii=False).encode() for word in words]


def labels_of(source):
    return [source.label(i) for i in range(len(source))]


def labels_only(path, labels):
    return make_lmdb(path, [], labels, num_samples=b'%d' % len(labels))


def test_lmdb_reads_names_and_labels(tmp_path):
    path = make_lmdb(tmp_path / 'a', [b'one', None, b''], [b'w\xc3\xb6rt'])
    source = LMDBSource(path)
    assert len(source) == 3
    assert source.read(0) == b'one'
    assert source.name(0) == f'{path} image-000000001'
    assert source.label(0) == 'wört'
    assert source.label(1) is None
    assert (source.layout, source.labelled) == ('LMDB with plain labels',
                                                True)
    with pytest.raises(UnreadableRecordError, match="no key 'image-00000000"):
        source.read(1)
    with pytest.raises(UnreadableRecordError, match='no bytes'):
        source.read(2)


def test_json_labels(tmp_path):
    values = as_json('Größe', 'a "b"', '', 'x')
    values[3:] = [b'{"filename": "a.jpg"', b'{"filename": "a.jpg"}',
                  b'{"text": 5}', b'"word"', b'{"text": "\\ud800"}',
                  b'[' * 100000, *as_json(*'abcdefgh')]
    source = open_sources(
        make_lmdb(tmp_path / 'a', [b'1'] * (len(values) + 1), values))
    assert (source.layout, source.labelled) == ('LMDB with JSON labels', True)
    assert [source.label(i) for i in (0, 1, 2, 9)] == ['Größe', 'a "b"', '',
                                                       'a']
    assert source.label(len(values)) is None
    for index, reason in zip(range(3, 9), [
            'malformed JSON', 'no "text"', 'no string but 5',
            'no JSON object', 'no valid text', 'malformed JSON']):
        with pytest.raises(UnreadableRecordError, match=reason):
            source.label(index)


def test_words_that_look_like_json_stay_words(tmp_path):
    words = ['{}', '"a"', '123', '{"text": "a"}', '[1]', 'null', '{',
             '{"x": 1}']
    values = [word.encode() for word in words]
    source = LMDBSource(make_lmdb(tmp_path / 'a', [b'1'] * 8, values))
    assert source.layout == 'LMDB with plain labels'
    assert labels_of(source) == words
    for number, word in enumerate(['{}', '"a"', '123', '{"a": 1}']):
        path = make_lmdb(tmp_path / f'{number}', [b'1'], [word.encode()])
        assert LMDBSource(path).label(0) == word


def test_plain_labels_that_are_not_utf8(tmp_path):
    path = make_lmdb(tmp_path / 'a', [b'1', b'2'], ['字'.encode('gbk'), b'x'])
    source = LMDBSource(path)
    with pytest.raises(UnreadableRecordError, match='not UTF-8'):
        source.label(0)
    assert source.label(1) == 'x' and source.read(0) == b'1'


def test_labels_in_another_lmdb(tmp_path):
    images = make_lmdb(tmp_path / 'i', [b'1', b'2'], [b'not', b'these'])
    for labels in ([b'a', b'b'], as_json('a', 'b')):
        path = labels_only(tmp_path / f'labels{len(labels[0])}', labels)
        source = open_sources(dict(path=images, labels=path))
        assert source.layout == 'LMDB with labels in another LMDB'
        assert source.labelled and labels_of(source) == ['a', 'b']
        assert source.read(1) == b'2'
        assert source.name(1) == f'{images} image-000000002'
        assert labels_of(pickle.loads(pickle.dumps(source))) == ['a', 'b']
    three = labels_only(tmp_path / 'three', [b'a', b'b', b'c'])
    with pytest.raises(ValueError, match=f'2 images, and {three}.*, 3. Give'):
        open_sources(dict(path=images, labels=three))
    none = make_lmdb(tmp_path / 'none', [b'1', b'2'])
    with pytest.raises(ValueError, match="none is to hold the labels of .* no "
                       "key 'label-000000001'; its first keys .*image-0000"):
        open_sources(dict(path=images, labels=none))
    with pytest.raises(ValueError, match=f'{three} holds 3 labels and no im.*'
                       f"path=IMAGES, labels='{three}'.*--labels {three}"):
        open_sources(three)


def test_labels_beside_images_are_found(tmp_path, messages):
    images = make_lmdb(tmp_path / 'imgs.lmdb', [b'1', b'2'])
    make_lmdb(tmp_path / 'more.lmdb', [b'3', b'4'])  # as Union14M-U lies
    labels_only(tmp_path / 'longer.lmdb', [b'x'] * 3)
    make_lmdb(tmp_path / 'both.lmdb', [b'3', b'4'], [b'no', b'no'])
    (tmp_path / 'damaged').mkdir()
    (tmp_path / 'damaged' / 'data.mdb').write_bytes(b'x' * 9000)
    assert not open_sources(images).labelled
    assert messages() == ''
    labels = labels_only(tmp_path / 'label.lmdb', as_json('a', 'b'))
    source = open_sources(images)
    assert labels_of(source) == ['a', 'b']
    assert source.layout == 'LMDB with labels in another LMDB'
    assert f'its labels are read from {labels}' in messages()
    labels_only(tmp_path / 'label2.lmdb', [b'c', b'd'])
    assert not open_sources(images).labelled
    message = messages()
    assert '2 LMDBs beside it' in message and 'None is taken' in message


def test_a_folder_of_images_and_their_labels(tmp_path, messages):
    make_lmdb(tmp_path / 'imgs.lmdb', [b'1', b'2'])
    labels_only(tmp_path / 'label.lmdb', [b'a', b'b'])
    source = open_sources(str(tmp_path))
    assert len(source) == 2 and labels_of(source) == ['a', 'b']
    assert 'it is not read' not in messages()


def test_the_same_lmdb_twice_in_one_process(tmp_path):
    # LMDB refuses to be opened twice; two datasets must share it.
    path = make_lmdb(tmp_path / 'a', [b'one'])
    first, second = LMDBSource(path), LMDBSource(path)
    assert first.store.env is second.store.env
    del first
    assert second.read(0) == b'one'


def test_an_lmdb_under_two_names(tmp_path):
    path = make_lmdb(tmp_path / 'a', [b'one'])
    (tmp_path / 'link').symlink_to(tmp_path / 'a')
    (tmp_path / 'hard').hardlink_to(tmp_path / 'a' / 'data.mdb')
    stores = [LMDBSource(name).store for name in (
        path, f'{path}/data.mdb', str(tmp_path / 'link'),
        str(tmp_path / 'hard'))]
    assert len({id(store.env) for store in stores}) == 1


@pytest.mark.parametrize('last', [False, True])
def test_an_lmdb_numbered_from_0(tmp_path, messages, last):
    values = {b'num-samples': b'3'}
    for number in range(3 + last):
        values[b'image-%09d' % number] = b'%d' % number
        values[b'label-%09d' % number] = b'w%d' % number
    path = write_entries(tmp_path / 'a', values)
    source = open_sources(path)
    source = pickle.loads(pickle.dumps(source))
    wanted = [1, 2, 3] if last else [0, 1, 2]
    assert [source.read(i) for i in range(3)] == [b'%d' % i for i in wanted]
    assert labels_of(source) == [f'w{i}' for i in wanted]
    assert source.name(2) == f'{path} image-00000000{wanted[2]}'
    assert ("has 'image-000000000' and 'image-000000003', one more than its "
            'num-samples (3)' in messages()) == last


def test_what_lies_behind_the_count_is_told_of(tmp_path, messages):
    values = {b'num-samples': b'2'}
    values.update((b'image-%09d' % number, b'x') for number in (1, 2, 3, 4))
    path = write_entries(tmp_path / 'a', values)
    assert len(open_sources(path)) == 2
    assert (f"{path} has 'image-000000003', and its num-samples is 2: what "
            'lies behind that number is not read' in messages())


def test_lmdbs_that_are_not_as_they_should_be(tmp_path):
    path = write_entries(tmp_path / 'a', {b'image-000000001': picture(1)})
    with pytest.raises(ValueError, match="no key 'num-samples'.*image-0000"):
        LMDBSource(path)
    path = make_lmdb(tmp_path / 'b', [b'x'], num_samples=b'many')
    with pytest.raises(ValueError, match="'num-samples' is b'many'"):
        LMDBSource(path)
    path = write_entries(tmp_path / 'c', {b'num-samples': b'2',
                                          b'img-1': b'x'})
    with pytest.raises(ValueError, match="no key 'image-000000001'.*'img-1'"):
        LMDBSource(path)
    (tmp_path / 'd').mkdir()
    for value in (b'', b'x' * 9000):
        (tmp_path / 'd' / 'data.mdb').write_bytes(value)
        with pytest.raises(UserError, match='cannot open the LMDB .*/d: '):
            LMDBSource(str(tmp_path / 'd'))


@pytest.mark.parametrize('name', ['folder', 'file.mdb'])
def test_a_truncated_lmdb_is_refused(tmp_path, name):
    """Reading a page past the end of a mapped file would be a SIGBUS."""
    path = tmp_path / name
    env = lmdb.open(str(path), map_size=1 << 26, subdir=name == 'folder')
    with env.begin(write=True) as transaction:
        transaction.put(b'num-samples', b'8')
        for number in range(1, 9):
            transaction.put(b'image-%09d' % number, b'x' * 20000)
            transaction.put(b'label-%09d' % number, b'y')
    env.close()
    file = path / 'data.mdb' if name == 'folder' else path
    whole = file.read_bytes()
    source = open_sources(str(path))
    assert len(source.read(7)) == 20000
    del source
    for size in (len(whole) - 1, len(whole) // 2, 9000, 5000):
        os.truncate(file, size)
        with pytest.raises(UserError, match=(
                f'{path} is truncated: {file.name} has {size:,} bytes, and '
                f'its last page ends at {len(whole):,}; '
                f'{len(whole) - size:,} bytes .*are missing. Copy it again')):
            open_sources(str(path))
    file.write_bytes(whole)  # as the message says
    assert len(open_sources(str(path)).read(7)) == 20000


def test_a_damaged_page_loses_its_own_records_only(tmp_path):
    path = make_lmdb(tmp_path / 'a', [b'%03d' % i * 300 for i in range(200)])
    file = tmp_path / 'a' / 'data.mdb'
    whole = bytearray(file.read_bytes())
    # Each leaf, of about four records, tells its kind in two bytes.
    at = whole.index(b'100' * 300) // 4096 * 4096 + 10
    whole[at:at + 2] = b'\xff\xff'
    file.write_bytes(whole)
    source = open_sources(path)
    lost = 0
    for index in range(200):
        try:
            assert source.read(index) == b'%03d' % index * 300
        except UnreadableRecordError as error:
            assert str(error).startswith('LMDB: ')
            lost += 1
    assert 1 <= lost < 10
