"""Opening places, folders of images, and sources made of sources."""
import os
import pickle

import cv2
import numpy as np
import pytest
import torch

from lmim.datasets.decoding import decode_image
from lmim.datasets.records import (IMAGE_SUFFIXES, FolderSource, JoinedSource,
                                   UnreadableRecordError, base, folder,
                                   open_sources)
from tests.datasets.make_lmdb import make_lmdb, picture


def write_images(place, names):
    """Files of one byte each, the last digit of their number."""
    for number, name in enumerate(names):
        path = place / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b'%d' % (number % 10))
    return str(place)


def read_all(source):
    return [source.read(i) for i in range(len(source))]


def test_joined_sources_keep_order(tmp_path):
    paths = [
        make_lmdb(tmp_path / 'a', [b'a1', b'a2'], [b'x', b'y']),
        make_lmdb(tmp_path / 'b', [b'b1'], [b'z'])
    ]
    source = open_sources(paths)
    assert isinstance(source, JoinedSource)
    assert read_all(source) == [b'a1', b'a2', b'b1']
    assert [source.label(i) for i in range(3)] == ['x', 'y', 'z']
    assert source.name(2) == f'{paths[1]} image-000000001'
    assert source.layout == 'LMDB with plain labels' and source.labelled
    images = write_images(tmp_path / 'c', ['1.png'])
    source = open_sources([*paths, images])
    assert source.layout == 'LMDB with plain labels, folder of images'
    assert not source.labelled  # those of the folder have none
    assert source.label(3) is None
    assert source.path == ', '.join([*paths, images])
    assert base.parts_of_source(source) == [
        (paths[0], 0, 2), (paths[1], 2, 1), (images, 3, 1)]


def test_folder_is_searched_recursively(tmp_path, monkeypatch, messages):
    write_images(tmp_path, ['b/deep/ü.JPG', 'b/x.png', 'a b.png', 'notes.txt',
                            '__MACOSX/._a b.png'])
    (tmp_path / 'b' / 'loop').symlink_to(tmp_path)
    monkeypatch.setattr(folder, 'REPORT_EVERY', -1)
    source = FolderSource(str(tmp_path))
    assert f'searching {tmp_path}: 3 images so far' in messages()
    assert read_all(source) == [b'2', b'0', b'1']
    assert source.name(1) == str(tmp_path / 'b' / 'deep' / 'ü.JPG')
    assert (source.layout, source.labelled) == ('folder of images', False)
    assert source.label(0) is None
    again = pickle.loads(pickle.dumps(source))
    assert read_all(again) == read_all(source)
    # As it is typed; paths begin with what was typed.
    typed = FolderSource(os.path.relpath(tmp_path) + '/')
    assert typed.name(0) == os.path.join(os.path.relpath(tmp_path), 'a b.png')


def test_all_that_decodes_is_taken_and_the_rest_is_named(tmp_path, messages):
    for suffix in IMAGE_SUFFIXES:
        (tmp_path / f'a{suffix}').write_bytes(b'1')
    # By their bytes: other suffixes by the first file, none by each.
    for name in ('a.pjpeg', 'b.PJPEG', 'upload'):
        (tmp_path / name).write_bytes(picture(1))
    for name in ('a.pdf', 'b.pdf', 'c.PDF', 'README', '.hidden', 'a.heic'):
        (tmp_path / name).write_bytes(b'no image')
    source = open_sources(str(tmp_path))
    assert len(source) == len(IMAGE_SUFFIXES) + 3
    assert messages() == (
        f'{tmp_path}: 5 files of other kinds are left out: .pdf 3, .heic 1, '
        'without suffix 1\n')
    other = tmp_path / 'other'
    other.mkdir()
    (other / 'a.pdf').write_bytes(b'no image')
    with pytest.raises(ValueError, match='no LMDB with images. 1 file of '
                       'another kind is left out: .pdf 1.'):
        open_sources(str(other))


@pytest.mark.parametrize('suffix', [
    '.jpg', '.png', '.bmp', '.dib', '.tif', '.webp', '.avif', '.gif', '.jp2',
    '.ppm', '.pgm', '.pbm', '.pnm', '.pam', '.sr', '.ras', '.hdr', '.pic',
    '.jpe', '.jpeg', '.tiff'])
def test_suffixes_are_those_that_opencv_decodes(suffix):
    kind = {'.jpe': '.jpg', '.dib': '.bmp', '.pgm': '.ppm'}.get(suffix, suffix)
    image = np.full((40, 50, 3), 200, np.float32 if suffix in ('.hdr', '.pic')
                    else np.uint8)
    if suffix in ('.hdr', '.pic'):
        image /= 255
    value = cv2.imencode(kind, image[..., 0] if suffix == '.pbm' else image)
    assert suffix in IMAGE_SUFFIXES
    assert decode_image(value[1].tobytes()).shape == (40, 50, 3)


def test_home_is_where_a_shell_finds_it(tmp_path, monkeypatch):
    monkeypatch.setenv('HOME', str(tmp_path))
    path = make_lmdb(tmp_path / 'a', [b'1'])
    for source in (open_sources('~/a'), open_sources('a', data_root='~')):
        assert source.path == path


def test_files_that_cannot_be_read_have_a_reason(tmp_path):
    source = FolderSource(write_images(
        tmp_path, ['a.png', 'b.png', 'c.png', 'd.png', 'e.png']))
    (tmp_path / 'a.png').unlink()
    (tmp_path / 'b.png').write_bytes(b'')
    (tmp_path / 'c.png').unlink()
    os.mkfifo(tmp_path / 'c.png')  # reading it would wait for ever
    (tmp_path / 'd.png').unlink()
    (tmp_path / 'd.png').symlink_to('/dev/zero')  # or never end
    with (tmp_path / 'e.png').open('r+b') as file:
        file.truncate(2**36)  # sparse: it takes no room on the disk
    for index, reason in enumerate([
            'No such file', 'no bytes', 'no regular file', 'no regular file',
            '^68,719,476,736 bytes are more than a picture has']):
        with pytest.raises(UnreadableRecordError, match=reason):
            source.read(index)


def test_names_that_are_not_utf8(tmp_path):
    with open(os.fsencode(tmp_path) + b'/\xe4.png', 'wb') as file:
        file.write(b'1')
    source = open_sources(str(tmp_path))
    assert source.read(0) == b'1'
    source.name(0).encode('utf-8')  # any log takes it
    assert source.name(0).startswith(str(tmp_path))


def test_tables_lie_in_shared_memory(tmp_path, monkeypatch, messages):
    table = base.share(np.arange(5))
    assert table.is_shared() and table.tolist() == [0, 1, 2, 3, 4]

    def no_room(tensor):
        raise RuntimeError('No space left on device')

    monkeypatch.setattr(torch.Tensor, 'share_memory_', no_room)
    source = FolderSource(write_images(
        tmp_path, [f'{i}.png' for i in range(9)]))
    assert read_all(source) == [b'%d' % i for i in range(9)]
    assert '--shm-size' in messages()


def test_a_folder_of_lmdbs_is_all_of_them(tmp_path, messages):
    (tmp_path / 'u' / 'deep').mkdir(parents=True)
    make_lmdb(tmp_path / 'u' / 'b.lmdb', [b'b'], [b'y'])
    make_lmdb(tmp_path / 'u' / 'deep' / 'a.lmdb', [b'a'], [b'x'])
    write_images(tmp_path / 'u', ['readme.txt'])
    source = open_sources('u', data_root=str(tmp_path))
    assert [s.path for s in source.sources] == [
        str(tmp_path / 'u' / 'b.lmdb'), str(tmp_path / 'u/deep/a.lmdb')]
    assert read_all(source) == [b'b', b'a'] and source.label(1) == 'x'
    # One that is labels only is no set; it says so.
    make_lmdb(tmp_path / 'u' / 'c', [], [b'1', b'2'], num_samples=b'2')
    assert len(open_sources(str(tmp_path / 'u'))) == 2
    assert 'u/c holds labels only' in messages()
    # Images count more; what is left out is named.
    write_images(tmp_path / 'u', ['sheet.png'])
    source = open_sources(str(tmp_path / 'u'))
    assert isinstance(source, FolderSource) and len(source) == 1
    message = messages()
    assert 'its 1 image files are read' in message and 'u/b.lmdb' in message


def test_all_missing_paths_are_listed(tmp_path):
    good = make_lmdb(tmp_path / 'good', [picture(1)])
    with pytest.raises(FileNotFoundError) as error:
        open_sources([good, 'gone_a', dict(path='good', labels='gone_b'),
                      dict(path='good', image_root='gone_c')],
                     data_root=str(tmp_path))
    message = str(error.value)
    assert '3 of 6' in message and 'LMIM_DATA_ROOT' in message
    for name in ('gone_a', 'gone_b', 'gone_c'):
        assert str(tmp_path / name) in message


def test_other_bad_places_are_refused(tmp_path):
    images = write_images(tmp_path / 'images', ['file.jpg'])
    lmdb = make_lmdb(tmp_path / 'lmdb', [b'1'])
    (tmp_path / 'empty').mkdir()
    os.mkfifo(tmp_path / 'pipe')
    with pytest.raises(NotADirectoryError, match='file.jpg is a file, an im'):
        open_sources([f'{images}/file.jpg'])
    for paths, reason in [
            (str(tmp_path / 'empty'), 'empty: no image in this folder'),
            (str(tmp_path / 'pipe'), 'pipe is neither a folder nor a f'),
            ([], 'no path is given'),
            (make_lmdb(tmp_path / 'none', []), 'num-samples is 0'),
            (dict(path=lmdb, label=lmdb), r"needs `path`.*\['label'\] is no"),
            (dict(labels=lmdb), 'names no data'),
            (dict(path=images, labels=lmdb), 'is no LMDB: `labels`'),
            (dict(path=lmdb, labels=images), 'is no LMDB, and is to hold'),
            (dict(path=lmdb, image_root=images), 'is no list: `image_root`')]:
        with pytest.raises(ValueError, match=reason):
            open_sources(paths)
