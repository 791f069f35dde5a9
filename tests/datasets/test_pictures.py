"""Pictures from wherever they are: the same pixels from each place."""
import io
from pathlib import Path
from typing import Any, List

import cv2
import numpy as np
import pytest
import torch
from mmengine.logging import MMLogger
from PIL import Image

from lmim.datasets.pictures import (Pictures, from_array, from_pillow,
                                    read_some, render_some)
from lmim.datasets.records import UnreadableRecordError, open_sources
from lmim.utils.errors import UserError
from tests.apis import conftest
from tests.apis.conftest import png

folder, images = conftest.folder, conftest.images


def pixels(inputs: Any) -> List[np.ndarray]:
    """All pictures, and a check that they are as many as was said."""
    pictures = Pictures(inputs)
    read = [picture.load() for picture in pictures]
    assert len(read) == len(pictures)
    return read


@pytest.mark.parametrize('inputs', [
    'words', 'words/*.png', '**/[0-9].png', 'words.lmdb', 'list.txt'])
def test_paths(folder: Path, images: List[np.ndarray], inputs: str) -> None:
    for path in (folder / inputs, str(folder / inputs)):
        read = pixels(path)
        assert len(read) == len(images)
        for one, image in zip(read, images):
            assert np.array_equal(one, image)


def test_several_of_all_kinds(folder: Path, images: List[np.ndarray]) -> None:
    upright = Image.open(folder / 'words/2.png')
    source = open_sources(str(folder / 'words.lmdb'))
    inputs = [folder / 'words/1.png', images[0], upright, source,
              Image.fromarray(images[3][..., ::-1])]
    pictures = list(Pictures(inputs))
    assert len(Pictures(inputs)) == 4 + len(images) == len(pictures)
    wanted = [images[1], images[0], images[2], *images, images[3]]
    for picture, image in zip(pictures, wanted):
        assert np.array_equal(picture.load(), image)
    assert [p.source for p in pictures[:5]] == [
        str(folder / 'words/1.png'), 'array 2', str(folder / 'words/2.png'),
        f'{folder}/words.lmdb image-000000001',
        f'{folder}/words.lmdb image-000000002']
    assert pictures[-1].source == 'image 5'


def test_what_a_file_is_is_seen_by_its_bytes(
        tmp_path: Path, images: List[np.ndarray]) -> None:
    (tmp_path / 'upload').write_bytes(png(images[0]))
    assert np.array_equal(pixels(tmp_path / 'upload')[0], images[0])
    (tmp_path / 'a[1].png').write_bytes(png(images[1]))  # no pattern
    assert np.array_equal(pixels(tmp_path / 'a[1].png')[0], images[1])


def test_what_a_pattern_leaves_out_is_told_of(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture) -> None:
    monkeypatch.setattr(MMLogger, '_instance_dict', {})
    (tmp_path / 'a.png').write_bytes(png(np.zeros((8, 9, 3), np.uint8)))
    for name in ('a.ico', 'b.pdf', 'b.PDF', 'c.txt'):
        (tmp_path / name).write_bytes(b'no picture')
    assert len(Pictures(str(tmp_path / '[ab].*'))) == 1
    assert ('[ab].*: 3 files of other kinds are left out: .pdf 2, .ico 1'
            in capsys.readouterr().err)


def test_what_does_not_exist_is_named_before_anything_is_read(
        folder: Path) -> None:
    with pytest.raises(FileNotFoundError) as error:
        Pictures([folder / 'words', folder / 'a.png', str(folder / 'z*.png')])
    message = str(error.value)
    assert message.startswith('2 of 3 inputs do not exist')
    assert 'a.png' in message and 'z*.png' in message


@pytest.mark.parametrize('wrong, name', [
    (3, 'int'), ([3], 'int'), ([None], 'NoneType'), ({'img': b''}, 'dict'),
    ([{}], 'dict'), ([['a.png']], 'list'), (2.5, 'float'),
    (torch.zeros(2, 3), 'Tensor'),
    (io.StringIO(), 'StringIO .open it with mode "rb".')])
def test_what_is_no_picture_is_refused_by_its_type(
        folder: Path, wrong: Any, name: str) -> None:
    with pytest.raises(TypeError, match=f'a picture is given as .*, not as '
                       f'{name}$'):
        Pictures([folder / 'words/1.png', wrong[0]]
                 if isinstance(wrong, list) else wrong)


def test_files_in_memory_and_open(folder: Path,
                                  images: List[np.ndarray]) -> None:
    path = folder / 'words/1.png'
    value = path.read_bytes()
    at_its_end = io.BytesIO(value)
    at_its_end.seek(0, 2)
    with path.open('rb') as file:
        inputs = [value, bytearray(value), memoryview(value), at_its_end,
                  file, str(path), np.ascontiguousarray(images[1])]
        for one in inputs:
            assert np.array_equal(pixels(one)[0], images[1])
        assert [picture.source for picture in Pictures(inputs)] == [
            'file 1', 'file 2', 'file 3', 'file 4', str(path), str(path),
            'array 7']
        assert len(pixels(inputs)) == 7
    with pytest.raises(UserError, match='closed file'):
        Pictures(file)
    for broken, reason in ((b'', 'no bytes'), (b'text', '4 bytes are no im')):
        with pytest.raises(UnreadableRecordError, match=reason):
            pixels(broken)


def test_brackets_in_names_are_no_patterns(
        tmp_path: Path, images: List[np.ndarray]) -> None:
    folder = tmp_path / 'set[1]'
    folder.mkdir()
    (folder / 'a.png').write_bytes(png(images[0]))
    (folder / 'b[x].png').write_bytes(png(images[1]))
    for pattern, names in (('*.png', ['a.png', 'b[x].png']),
                           ('[ab].png', ['a.png']), ('b[x].*', ['b[x].png'])):
        assert [Path(one.source).name
                for one in Pictures(folder / pattern)] == names


def test_home_is_where_a_shell_finds_it(
        folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv('HOME', str(folder))
    assert Pictures('~/words/1.png')[0].source == str(folder / 'words/1.png')


def test_some_are_read_spread_over_all(
        folder: Path, images: List[np.ndarray], tmp_path: Path) -> None:
    read, skipped = read_some([folder / 'words.lmdb'], 3)
    assert [name[-1] for name in read] == ['1', '3', '5'] and not skipped
    assert np.array_equal([*read.values()][1], images[2])
    (tmp_path / 'broken.png').write_bytes(b'no picture')
    read, skipped = read_some([tmp_path, folder / 'words/1.png'], 9)
    assert len(read) == 1 and 'broken.png: its 10 bytes' in skipped[0]
    with pytest.raises(ValueError, match='none of the pictures can be read'):
        read_some([tmp_path], 9)
    for name, image in render_some(2).items():
        assert np.array_equal(image, render_some(3)[name])


GREY = np.arange(12, dtype=np.uint8).reshape(3, 4)


@pytest.mark.parametrize('array', [
    GREY, GREY[..., None], GREY.astype(np.uint16) << 8,
    np.dstack([GREY] * 3), np.dstack([GREY] * 3 + [np.full_like(GREY, 255)])])
def test_arrays(array: np.ndarray) -> None:
    result = from_array(array)
    assert result.dtype == np.uint8
    assert np.array_equal(result, np.dstack([GREY] * 3))


@pytest.mark.parametrize('array', [
    GREY.astype(np.float32), GREY[:0], np.zeros((2, 3, 4, 3), np.uint8),
    np.zeros((2, 3, 5), np.uint8), GREY.astype(bool)])
def test_arrays_that_are_no_pictures(array: np.ndarray) -> None:
    with pytest.raises(UnreadableRecordError, match='is no picture'):
        from_array(array)


def test_pillow(images: List[np.ndarray]) -> None:
    """As OpenCV reads the same file: EXIF, palettes, grey, 16 bits."""
    rgb = Image.fromarray(images[1][..., ::-1])
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by a quarter
    turned = io.BytesIO()
    rgb.save(turned, 'png', exif=exif)
    opened = Image.open(turned)
    assert opened.size == rgb.size
    assert np.array_equal(from_pillow(opened),
                          cv2.rotate(images[1], cv2.ROTATE_90_CLOCKWISE))
    deep = Image.fromarray(GREY.astype(np.uint16) * 256)
    assert np.array_equal(from_pillow(deep), np.dstack([GREY] * 3))
    assert np.array_equal(from_pillow(Image.fromarray(GREY)),
                          np.dstack([GREY] * 3))
    cut = Image.open(io.BytesIO(png(images[0])[:200]))
    with pytest.raises(UnreadableRecordError, match='Pillow: '):
        from_pillow(cut)


@pytest.mark.parametrize('mode, values, wanted', [
    ('I', [0, 7, 255], [0, 7, 255]),
    ('I', [0, 256, 65535], [0, 1, 255]),
    ('I', [-1, 7, 255], 'mode I with values from -1 to 255'),
    ('I', [0, 7, 65536], 'mode I with values from 0 to 65536'),
    ('F', [0, 0.5, 1], [0, 128, 255]),
    ('F', [0, 7.4, 255], [0, 7, 255]),
    ('F', [0, 7, 256], r'mode F with values from 0.0 to 256.0'),
    ('F', [-0.5, 0, 1], 'mode F with values from -0.5 to 1.0'),
    ('F', [0, 1, np.nan], 'mode F with values from nan to nan'),
    ('F', [0, 1, np.inf], 'mode F with values from 0.0 to inf'),
])
def test_pillow_of_32_bits(mode: str, values: List[float],
                           wanted: Any) -> None:
    """Scaled or refused: what Pillow's own conversion clips."""
    kind = np.int32 if mode == 'I' else np.float32
    image = Image.fromarray(np.array([values], kind))
    assert image.mode == mode
    if isinstance(wanted, str):
        with pytest.raises(UnreadableRecordError, match=wanted):
            from_pillow(image)
    else:
        assert from_pillow(image)[0, :, 0].tolist() == wanted
