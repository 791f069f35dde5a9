"""The LMDB writer: the layout, whole or not at all, small on disk."""
import os
import signal

import numpy as np
import pytest

from lmim.datasets import lmdb_writer
from lmim.datasets.lmdb_writer import LMDBWriter
from tests.datasets.make_lmdb import read_entries
from tests.processes import needs_fork


def test_keys_and_labels(tmp_path):
    path = tmp_path / 'deep' / 'words.lmdb'
    with LMDBWriter(path) as writer:
        assert writer.add(b'first', 'wörd') == 1
        assert writer.add(b'second', '文') == 2
        assert writer.add(b'third') == writer.count == 3
    assert read_entries(path) == {
        b'image-000000001': b'first',
        b'image-000000002': b'second',
        b'image-000000003': b'third',
        b'label-000000001': 'wörd'.encode(),
        b'label-000000002': '文'.encode(),
        b'num-samples': b'3',
    }
    assert os.listdir(path.parent) == ['words.lmdb']
    assert os.listdir(path) == ['data.mdb']


def test_the_map_grows_and_the_file_stays_small(tmp_path, monkeypatch):
    """And the same records give the same bytes."""
    monkeypatch.setattr(lmdb_writer, 'MAP_SIZE', 2**16)
    monkeypatch.setattr(lmdb_writer, 'BATCH_SIZE', 32)
    rng = np.random.default_rng(0)
    images = [rng.bytes(3000) for _ in range(300)]
    for name in 'ab':
        with LMDBWriter(tmp_path / name) as writer:
            for image in images:
                writer.add(image, 'word')
    records = read_entries(tmp_path / 'a')
    assert [records[b'image-%09d' % i] for i in range(1, 301)] == images
    assert records[b'num-samples'] == b'300'
    one, other = (tmp_path / name / 'data.mdb' for name in 'ab')
    # A record of 3000 bytes takes a page of 4096.
    stat = os.stat(one)
    assert max(stat.st_size, stat.st_blocks * 512) < 1.15 * 300 * 4096
    assert one.read_bytes() == other.read_bytes()


def test_an_error_leaves_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(lmdb_writer, 'BATCH_SIZE', 1)
    with pytest.raises(RuntimeError, match='mine'):
        with LMDBWriter(tmp_path / 'new/a.lmdb') as writer:
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
    assert read_entries(path)[b'image-000000001'] == b'new'
    with pytest.raises(FileExistsError, match='a.lmdb exists'):
        with LMDBWriter(path) as writer:
            writer.add(b'newer')
    assert read_entries(path)[b'image-000000001'] == b'new'
    assert os.listdir(tmp_path) == ['a.lmdb']
    with pytest.raises(RuntimeError):  # a failure keeps the old one
        with LMDBWriter(path, overwrite=True) as writer:
            writer.add(b'newer')
            raise RuntimeError
    assert read_entries(path)[b'image-000000001'] == b'new'
    (tmp_path / 'file').write_bytes(b'')
    (tmp_path / 'folder').mkdir()
    (tmp_path / 'folder' / 'thesis.tex').write_bytes(b'')
    for name, reason in [('file', 'is a file'),
                         ('folder', 'other things than an LMDB')]:
        with pytest.raises(FileExistsError, match=reason):
            with LMDBWriter(tmp_path / name, overwrite=True):
                pass


@needs_fork
def test_killed_leaves_nothing_at_the_path(tmp_path, monkeypatch):
    monkeypatch.setattr(lmdb_writer, 'BATCH_SIZE', 1)
    path = tmp_path / 'a.lmdb'
    child = os.fork()
    if child == 0:
        with LMDBWriter(path) as writer:
            writer.add(b'image')
            os.kill(os.getpid(), signal.SIGKILL)
    status = os.waitpid(child, 0)[1]
    assert os.WTERMSIG(status) == signal.SIGKILL
    assert os.listdir(tmp_path) == [f'a.lmdb.tmp-{child}']
    with LMDBWriter(path) as writer:  # and is no hindrance
        writer.add(b'image')
    assert read_entries(path)[b'num-samples'] == b'1'
