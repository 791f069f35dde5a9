"""LMDBs that are cut short or damaged: nothing crashes, little is lost."""
import os
import pickle
import random
from pathlib import Path

import lmdb
import pytest
from make_lmdb import make_lmdb, write_entries
from mmengine.logging import MMLogger

from lmim.datasets.writing.lmdb_writer import LMDBWriter
from lmim.datasets.records import UnreadableRecordError, open_sources
from lmim.datasets.records.files import ReadOnlyFile
from lmim.datasets.records.lmdb_format import read_head
from lmim.datasets.records.lmdb_pages import LMDBPages
from lmim.datasets.records.lmdb_salvage import LMDBSalvage

PAGE = 4096


@pytest.fixture
def told(monkeypatch, capsys):
    """Reads what was told, where no run has a logger."""
    monkeypatch.setattr(MMLogger, '_instance_dict', {})
    return lambda: capsys.readouterr().err


def values(count, low, high, seed=0):
    rng = random.Random(seed)
    return [rng.randbytes(rng.randint(low, high)) for _ in range(count)]


def pages_of(path, kind=LMDBPages):
    file = ReadOnlyFile(str(Path(path) / 'data.mdb'))
    return kind(file, read_head(file))


def readable(source, what='read'):
    """Bytes (or labels) of all records that have them, by their index."""
    found = {}
    for index in range(len(source)):
        try:
            found[index] = getattr(source, what)(index)
        except UnreadableRecordError:
            continue
    return found


def leaves(path, count):
    """The page on which the tree has each image."""
    pages, visited = pages_of(path), []
    page = pages.page
    pages.page = lambda number, kind: visited.append(number) or page(
        number, kind)
    found = []
    for index in range(count):
        pages.get(b'image-%09d' % (index + 1))
        found.append(visited[-1])
    return found


def test_pages_say_what_lmdb_says(tmp_path):
    """Small values in leaves, large ones on pages of their own, depth 3."""
    sizes = [0, 1, 50, 700, 1900, 2040, 2100, 4080, 4081, 9000]
    rng = random.Random(1)
    entries = {b'image-%09d' % i: rng.randbytes(rng.choice(sizes))
               for i in rng.sample(range(1, 5000), 1500)}
    entries.update({b'label-%09d' % i: b'%d' % i for i in range(1, 3000, 2)})
    entries[b'num-samples'] = b'5000'
    path = write_entries(tmp_path / 'a', entries)
    with lmdb.open(path, readonly=True, lock=False) as env:
        stat, info = env.stat(), env.info()
    assert stat['depth'] >= 3 and stat['overflow_pages'] > 300
    pages = pages_of(path)
    assert pages.head[:3] == (stat['psize'], stat['depth'], len(entries))
    assert pages.head.last_page == info['last_pgno']
    keys = [b'%s-%09d' % (kind, i) for kind in (b'image', b'label')
            for i in range(5001)]
    for key in [*keys, b'num-samples', b'', b'a', b'image', b'z' * 500]:
        assert pages.get(key) == entries.get(key), key
    # Without the tree it is the same for records.
    salvage = pages_of(path, LMDBSalvage)
    assert salvage.found == 1500 and salvage.get(b'num-samples') == b'5000'
    for key in keys:
        if key in entries:
            assert salvage.get(key) == entries[key]
        else:
            with pytest.raises(UnreadableRecordError):
                salvage.get(key)


def test_an_empty_lmdb(tmp_path):
    assert pages_of(write_entries(tmp_path / 'a', {})).get(b'a') is None


def test_a_truncated_lmdb_whose_index_is_left(tmp_path, told):
    images = values(8, 20000, 20000)
    path = make_lmdb(tmp_path / 'a', images, [b'x%d' % i for i in range(8)])
    file = tmp_path / 'a' / 'data.mdb'
    whole = file.read_bytes()
    for size in (len(whole) - 1, len(whole) // 2, PAGE * 8 + 5):
        os.truncate(file, size)
        source = open_sources(path)
        assert len(source) == 8 and source.layout == 'LMDB with plain labels'
        wanted = {i: image for i, image in enumerate(images)
                  if image in whole[:size]}
        assert readable(source) == wanted
        assert [source.label(i) for i in range(8)] == [
            f'x{i}' for i in range(8)]
        message = told()
        assert f'{path} is truncated: data.mdb has {size:,} bytes' in message
        assert f'{len(whole) - size:,} bytes (' in message
        assert 'index is lost' not in message
    assert len(wanted) == 1
    with pytest.raises(UnreadableRecordError, match=r'it lies on page \d+, '
                       'past the end of the truncated data.mdb'):
        source.read(7)
    # In other processes, too.
    assert readable(pickle.loads(pickle.dumps(source))) == wanted
    child = os.fork()
    if child == 0:
        os._exit(0 if readable(source) == wanted else 1)
    assert os.waitpid(child, 0)[1] == 0


@pytest.mark.parametrize('low, high', [(300, 1500), (2100, 9000)])
def test_a_truncated_lmdb_whose_index_is_lost(tmp_path, told, low, high):
    """As most are: each commit writes the root anew, at the end."""
    images = values(650, low, high)
    with LMDBWriter(tmp_path / 'a', batch_size=100) as writer:
        for number, image in enumerate(images):
            writer.add(image, f'word {number}')
    file = tmp_path / 'a' / 'data.mdb'
    whole, leaf_of = file.read_bytes(), leaves(tmp_path / 'a', 650)
    for share in (0.9, 0.4):
        size = int(len(whole) * share)
        os.truncate(file, size)
        # A leaf may have an older copy, with some of its records.
        most = {i: image for i, image in enumerate(images)
                if image in whole[:size] and b'image-%09d' % (i + 1) in whole}
        least = {i: image for i, image in most.items()
                 if (leaf_of[i] + 1) * PAGE <= size}
        source = open_sources(str(tmp_path / 'a'))
        found = readable(source)
        assert least.items() <= found.items() <= most.items()
        assert len(least) / 650 > share - 0.2 and len(found) < 650
        assert max(found) < len(source) <= 650
        labels = readable(source, 'label')
        assert source.labelled and len(labels) / 650 > share - 0.3
        assert all(word == f'word {i}' for i, word in labels.items())
        message = told()
        assert 'Its index is lost, too' in message
        assert 'of a number that is lost, too' in message
    with pytest.raises(UnreadableRecordError, match='truncated'):
        source.read(min(set(range(650)) - set(found)))
    # Nothing but the head is left.
    for size in (2 * PAGE, PAGE, 200):
        os.truncate(file, size)
        with pytest.raises(ValueError, match="a: 'num-samples' cannot be had: "
                           'no image is on the pages.* Copy the LMDB again'):
            open_sources(str(tmp_path / 'a'))
    for size in (100, 0):
        os.truncate(file, size)
        with pytest.raises(OSError, match='cannot open the LMDB'):
            open_sources(str(tmp_path / 'a'))


def test_versions_that_differ_are_unreadable(tmp_path):
    images = {b'image-%09d' % i: b'old %d' % i for i in range(1, 300)}
    path = write_entries(tmp_path / 'a', {**images, b'num-samples': b'299'})
    write_entries(tmp_path / 'a', {b'image-000000003': b'new'})
    pages = pages_of(path, LMDBSalvage)
    assert pages.get(b'image-000000004') == b'old 4'
    with pytest.raises(UnreadableRecordError, match='several versions'):
        pages.get(b'image-000000003')
    assert pages_of(path).get(b'image-000000003') == b'new'
    assert pages.get(b'label-000000003') is None


def test_a_damaged_page_is_told(tmp_path):
    """Each field that is read is made wrong in turn."""
    path = write_entries(tmp_path / 'a', {
        b'image-%09d' % i: b'x' * 700 for i in range(1, 900)})
    write_entries(tmp_path / 'a', {b'big': b'y' * 9000})
    file = tmp_path / 'a' / 'data.mdb'
    whole = file.read_bytes()
    pages = pages_of(path)
    root = pages.head.root * PAGE
    assert pages.head.depth == 3
    branch = int.from_bytes(whole[root + 16:root + 18], 'little') + root
    child = int.from_bytes(whole[branch:branch + 4], 'little')
    big = whole.index(b'y' * 4000) // PAGE * PAGE
    own = (root // PAGE).to_bytes(4, 'little')
    for key, changes in {
            b'image-000000001': [
                (root, b'\7'), (root + 10, b'\2'), (root + 10, b'\0'),
                (root + 12, b'\1'), (root + 12, b'\0\0'),
                (root + 12, b'\xff\xff'), (root + 14, b'\xff\xff'),
                (root + 16, b'\xff\xff'), (root + 16, b'\0\0'),
                (branch, b'\xff\xff\xff'), (branch, b'\0\0'), (branch, own),
                (branch, b'\1\0'), (child * PAGE + 10, b'\2')],
            b'big': [(big, b'\7'), (big + 10, b'\2'), (big + 12, b'\1')],
    }.items():
        for offset, value in changes:
            damaged = bytearray(whole)
            damaged[offset:offset + len(value)] = value
            file.write_bytes(damaged)
            with pytest.raises(UnreadableRecordError,
                               match='damaged|past the end'):
                pages_of(path).get(key)


@pytest.mark.parametrize('kind', [LMDBPages, LMDBSalvage])
def test_no_damage_crashes(tmp_path, kind):
    path = write_entries(tmp_path / 'a', {
        b'num-samples': b'150',
        **{b'image-%09d' % i: b'x' * (i * 40) for i in range(1, 150)}})
    file = tmp_path / 'a' / 'data.mdb'
    whole = file.read_bytes()
    rng = random.Random(2)
    lost = 0
    for _ in range(60):
        damaged = bytearray(whole)
        for _ in range(rng.randint(1, 400)):
            at = rng.randrange(2, len(whole) // PAGE) * PAGE
            damaged[at + rng.choice([rng.randrange(64), rng.randrange(
                PAGE)])] = rng.choice([0, 1, 255, rng.randrange(256)])
        file.write_bytes(damaged[:rng.randrange(3 * PAGE, len(whole))])
        pages = pages_of(path, kind)
        for key in [b'num-samples', *[b'image-%09d' % i
                                      for i in range(1, 150, 9)]]:
            try:
                value = pages.get(key)
            except UnreadableRecordError:
                lost += 1
            else:
                assert value is None or isinstance(value, bytes)
    assert 100 < lost < 60 * 18
