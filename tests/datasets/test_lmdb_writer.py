"""The LMDB writer: the layout, whole or not at all, small on disk."""
import os
import signal

import lmdb
import numpy as np
import pytest

from lmim.datasets import lmdb_writer
from lmim.datasets.lmdb_writer import LMDBWriter


def _read(path):
    with lmdb.open(str(path), readonly=True, lock=False) as env:
        with env.begin() as txn:
            return {bytes(key): bytes(value) for key, value in txn.cursor()}


def test_keys_and_labels(tmp_path):
    path = tmp_path / 'deep' / 'words.lmdb'
    with LMDBWriter(path) as writer:
        assert writer.add(b'first', 'wörd') == 1
        assert writer.add(b'second', '文') == 2
        assert writer.add(b'third') == writer.count == 3
    assert _read(path) == {
        b'image-000000001': b'first',
        b'image-000000002': b'second',
        b'image-000000003': b'third',
        b'label-000000001': 'wörd'.encode(),
        b'label-000000002': '文'.encode(),
        b'num-samples': b'3',
    }
    assert os.listdir(path.parent) == ['words.lmdb']
    assert os.listdir(path) == ['data.mdb']


def test_the_map_grows_and_the_file_stays_small(tmp_path):
    rng = np.random.default_rng(0)
    images = [rng.bytes(3000) for _ in range(1000)]
    path = tmp_path / 'a.lmdb'
    with LMDBWriter(path, batch_size=64, map_size=2**16) as writer:
        for image in images:
            writer.add(image, 'word')
    records = _read(path)
    assert [records[b'image-%09d' % i] for i in range(1, 1001)] == images
    assert records[b'num-samples'] == b'1000'
    stat = os.stat(path / 'data.mdb')
    # A record of 3000 bytes takes a page of 4096.
    assert max(stat.st_size, stat.st_blocks * 512) < 1.15 * 1000 * 4096


def test_same_records_same_bytes(tmp_path):
    files = []
    for name in 'ab':
        with LMDBWriter(tmp_path / name, batch_size=10) as writer:
            for i in range(105):
                writer.add(b'%d' % i * 500, str(i))
        files.append((tmp_path / name / 'data.mdb').read_bytes())
    assert files[0] == files[1]


def test_an_error_leaves_nothing(tmp_path):
    with pytest.raises(RuntimeError, match='mine'):
        with LMDBWriter(tmp_path / 'new/a.lmdb', batch_size=1) as writer:
            writer.add(b'image')
            raise RuntimeError('mine')
    assert os.listdir(tmp_path) == []


def test_nothing_added_is_an_error(tmp_path):
    with pytest.raises(ValueError, match='No record was added'):
        with LMDBWriter(tmp_path / 'a.lmdb'):
            pass
    assert os.listdir(tmp_path) == []
    with pytest.raises(ValueError, match='Record 1 of .* empty image'):
        with LMDBWriter(tmp_path / 'a.lmdb') as writer:
            writer.add(b'')


def test_overwriting_is_asked_for(tmp_path):
    path = tmp_path / 'a.lmdb'
    for image in (b'old', b'new'):
        with LMDBWriter(path, overwrite=True) as writer:
            writer.add(image)
    assert _read(path)[b'image-000000001'] == b'new'
    with pytest.raises(FileExistsError, match='a.lmdb exists'):
        with LMDBWriter(path) as writer:
            writer.add(b'newer')
    assert _read(path)[b'image-000000001'] == b'new'
    assert os.listdir(tmp_path) == ['a.lmdb']
    with pytest.raises(RuntimeError):  # a failure keeps the old one
        with LMDBWriter(path, overwrite=True) as writer:
            writer.add(b'newer')
            raise RuntimeError
    assert _read(path)[b'image-000000001'] == b'new'
    (tmp_path / 'file').write_bytes(b'')
    (tmp_path / 'folder').mkdir()
    (tmp_path / 'folder' / 'thesis.tex').write_bytes(b'')
    for name, reason in [('file', 'is a file'),
                         ('folder', 'other things than an LMDB')]:
        with pytest.raises(FileExistsError, match=reason):
            with LMDBWriter(tmp_path / name, overwrite=True):
                pass


def test_a_batch_is_limited_in_bytes(tmp_path, monkeypatch):
    monkeypatch.setattr(lmdb_writer, 'BATCH_BYTES', 1000)
    with LMDBWriter(tmp_path / 'a.lmdb') as writer:
        for size in (600, 300, 100, 5):
            writer.add(b'x' * size)
        assert len(writer._batch) == 1


@pytest.mark.skipif(not hasattr(os, 'fork'), reason='needs os.fork')
def test_killed_leaves_nothing_at_the_path(tmp_path):
    path = tmp_path / 'a.lmdb'
    child = os.fork()
    if child == 0:
        with LMDBWriter(path, batch_size=1) as writer:
            writer.add(b'image')
            os.kill(os.getpid(), signal.SIGKILL)
    status = os.waitpid(child, 0)[1]
    assert os.WTERMSIG(status) == signal.SIGKILL
    assert os.listdir(tmp_path) == [f'a.lmdb.tmp-{child}']
    with LMDBWriter(path) as writer:  # and is no hindrance
        writer.add(b'image')
    assert _read(path)[b'num-samples'] == b'1'
