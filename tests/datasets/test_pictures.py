"""Pictures from wherever they are: the same pixels from each place."""
import io
from pathlib import Path
from typing import Any, List

import cv2
import numpy as np
import pytest
from PIL import Image

from lmim.datasets.pictures import (Pictures, from_array, from_pillow,
                                    read_some, render_some)
from lmim.datasets.records import UnreadableRecordError, open_sources
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


def test_what_does_not_exist_is_named_before_anything_is_read(
        folder: Path) -> None:
    with pytest.raises(FileNotFoundError) as error:
        Pictures([folder / 'words', folder / 'a.png', str(folder / 'z*.png')])
    message = str(error.value)
    assert message.startswith('2 of 3 inputs do not exist')
    assert 'a.png' in message and 'z*.png' in message
    for wrong in (3, [3], [None]):
        with pytest.raises(TypeError, match='a picture is given as a path'):
            Pictures(wrong)  # type: ignore[arg-type]


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
    np.dstack([GREY] * 3), np.dstack([GREY] * 4)])
def test_arrays(array: np.ndarray) -> None:
    result = from_array(array)
    assert result.dtype == np.uint8
    assert np.array_equal(result, np.dstack([GREY] * 3))


@pytest.mark.parametrize('array', [
    GREY.astype(np.float32), GREY[:0], np.zeros((2, 3, 4, 3), np.uint8),
    np.zeros((2, 3, 2), np.uint8), GREY.astype(bool)])
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
    alpha = rgb.convert('RGBA')
    alpha.putalpha(7)
    assert np.array_equal(from_pillow(alpha), images[1])
    deep = Image.fromarray(GREY.astype(np.uint16) * 256)
    assert np.array_equal(from_pillow(deep), np.dstack([GREY] * 3))
    assert np.array_equal(from_pillow(Image.fromarray(GREY)),
                          np.dstack([GREY] * 3))
    cut = Image.open(io.BytesIO(png(images[0])[:200]))
    with pytest.raises(UnreadableRecordError, match='Pillow: '):
        from_pillow(cut)
