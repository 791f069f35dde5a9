import os

import pytest
from make_lmdb import make_lmdb, picture, write_entries

from lmim.datasets import UnlabelledTextDataset
from lmim.datasets.sources import (FolderSource, JoinedSource, LMDBSource,
                                   UnreadableRecordError, open_sources)


def test_lmdb_reads_names_and_labels(tmp_path):
    path = make_lmdb(tmp_path / 'a', [b'one', None, b''], [b'w\xc3\xb6rt'])
    source = LMDBSource(path)
    assert len(source) == 3
    assert source.read(0) == b'one'
    assert source.name(0) == f'{path} image-000000001'
    assert source.label(0) == 'wört'
    assert source.label(1) is None
    with pytest.raises(UnreadableRecordError, match="no key 'image-00000000"):
        source.read(1)
    with pytest.raises(UnreadableRecordError, match='no'):
        source.read(2)


def test_the_same_lmdb_twice_in_one_process(tmp_path):
    # LMDB refuses to be opened twice; two datasets must share it.
    path = make_lmdb(tmp_path / 'a', [b'one'])
    first, second = LMDBSource(path), LMDBSource(path)
    assert first.env is second.env
    del first
    assert second.read(0) == b'one'


def test_lmdb_is_closed_with_its_last_source(tmp_path):
    path = make_lmdb(tmp_path / 'a', [b'one'])
    source = LMDBSource(path)
    del source
    make_lmdb(tmp_path / 'a', [b'two', b'three'])
    assert LMDBSource(path).read(0) == b'two'


def test_lmdb_is_opened_again_after_fork(tmp_path):
    source = LMDBSource(make_lmdb(tmp_path / 'a', [b'one']))
    parent = source.env
    child = os.fork()
    if child == 0:
        ok = source.read(0) == b'one' and source.env is not parent
        os._exit(0 if ok else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert source.env is parent and source.read(0) == b'one'


def test_joined_sources_keep_order(tmp_path):
    paths = [
        make_lmdb(tmp_path / 'a', [b'a1', b'a2'], [b'x', b'y']),
        make_lmdb(tmp_path / 'b', [b'b1'], [b'z'])
    ]
    source = open_sources(paths)
    assert isinstance(source, JoinedSource)
    assert [source.read(i) for i in range(len(source))] == [
        b'a1', b'a2', b'b1'
    ]
    assert [source.label(i) for i in range(3)] == ['x', 'y', 'z']
    assert source.name(2) == f'{paths[1]} image-000000001'


def test_folder_is_searched_recursively(tmp_path):
    (tmp_path / 'b' / 'deep').mkdir(parents=True)
    (tmp_path / 'b' / 'deep' / 'ü.JPG').write_bytes(b'3')
    (tmp_path / 'b' / 'x.png').write_bytes(b'2')
    (tmp_path / 'a.png').write_bytes(b'1')
    (tmp_path / 'notes.txt').write_bytes(b'no image')
    (tmp_path / 'b' / 'loop').symlink_to(tmp_path)
    source = FolderSource(str(tmp_path))
    assert [source.read(i) for i in range(len(source))] == [b'1', b'3', b'2']
    assert source.name(1) == str(tmp_path / 'b' / 'deep' / 'ü.JPG')


def test_all_missing_paths_are_listed(tmp_path):
    good = make_lmdb(tmp_path / 'good', [picture(1)])
    with pytest.raises(FileNotFoundError) as error:
        UnlabelledTextDataset([good, 'gone_a', 'gone_b'],
                              data_root=str(tmp_path))
    message = str(error.value)
    assert '2 of 3' in message and 'LMIM_DATA_ROOT' in message
    assert str(tmp_path / 'gone_a') in message
    assert str(tmp_path / 'gone_b') in message


def test_other_bad_places_are_refused(tmp_path):
    (tmp_path / 'file.jpg').write_bytes(b'1')
    with pytest.raises(NotADirectoryError, match='file.jpg is a file'):
        open_sources([str(tmp_path / 'file.jpg')])
    (tmp_path / 'empty').mkdir()
    with pytest.raises(ValueError, match='empty: no image in this folder'):
        open_sources([str(tmp_path / 'empty')])
    make_lmdb(tmp_path / 'empty' / 'words', [b'1'])
    with pytest.raises(ValueError, match='holds LMDBs.*empty/words'):
        open_sources([str(tmp_path / 'empty')])
    with pytest.raises(ValueError, match='no path is given'):
        open_sources([])
    with pytest.raises(ValueError, match='num-samples is 0'):
        open_sources([make_lmdb(tmp_path / 'none', [])])


def test_lmdb_without_a_valid_count_is_refused(tmp_path):
    path = write_entries(tmp_path / 'a', {b'image-000000001': picture(1)})
    with pytest.raises(ValueError, match="no key 'num-samples'.*image-0000"):
        LMDBSource(path)
    path = make_lmdb(tmp_path / 'b', [b'x'], num_samples=b'many')
    with pytest.raises(ValueError, match="'num-samples' is b'many'"):
        LMDBSource(path)


def test_truncated_lmdb_is_refused(tmp_path):
    path = make_lmdb(tmp_path / 'a', [os.urandom(20000)] * 5)
    file = tmp_path / 'a' / 'data.mdb'
    os.truncate(file, file.stat().st_size // 2)
    with pytest.raises(ValueError, match='is truncated. Copy it again'):
        LMDBSource(path)
